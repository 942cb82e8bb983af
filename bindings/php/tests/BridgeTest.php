<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Bridge\Laravel\HosGate;
use Hos\Bridge\Question;
use Hos\Bridge\Symfony\HosVoter;
use Hos\Engine;
use Hos\Given;
use Hos\HasUid;
use Hos\Tenant;
use Hos\Tests\Support\Place;
use Hos\Uid;
use Illuminate\Auth\Access\AuthorizationException;
use Illuminate\Auth\Access\Gate;
use Illuminate\Container\Container;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Security\Core\Authentication\Token\NullToken;
use Symfony\Component\Security\Core\Authentication\Token\UsernamePasswordToken;
use Symfony\Component\Security\Core\Authorization\AccessDecisionManager;
use Symfony\Component\Security\Core\Authorization\Strategy\UnanimousStrategy;
use Symfony\Component\Security\Core\Authorization\Voter\RoleVoter;
use Symfony\Component\Security\Core\User\InMemoryUser;
use Symfony\Component\Security\Core\User\UserInterface;

/** The adapters, against the frameworks' own packages. */
final class BridgeTest extends TestCase
{
    private static Engine $engine;
    private static string $store;

    public static function setUpBeforeClass(): void
    {
        foreach (['Symfony/Component/Security/Core', 'Illuminate/Auth', 'Illuminate/Container'] as $package) {
            if (!is_file("/usr/share/php/$package/autoload.php")) {
                self::markTestSkipped("$package is missing: apt install php-symfony-security-core php-illuminate-auth");
            }
            require_once "/usr/share/php/$package/autoload.php";
        }
        self::$store = Place::pazar();
        self::$engine = Engine::open(null, store: self::$store);
    }

    public static function tearDownAfterClass(): void
    {
        self::$engine->close();
    }

    private static function tenant(): Tenant
    {
        return self::$engine->tenant('pazar-tr');
    }

    private static function named(UserInterface $user): Uid
    {
        return new Uid('Pazar::Account', $user->getUserIdentifier());
    }

    private static function product(bool $listed): object
    {
        return new class ($listed) implements HasUid {
            public function __construct(public readonly bool $listed)
            {
            }

            public function hosUid(): Uid
            {
                return new Uid('Pazar::Product', 'p-1');
            }
        };
    }

    /** @return list<Given> */
    private static function rows(mixed $subject): array
    {
        return is_object($subject) && isset($subject->listed)
            ? [new Given($subject, ['shop' => new Uid('Pazar::Shop', 's1'), 'listed' => $subject->listed])]
            : [];
    }

    private function token(string $id, array $roles = ['ROLE_ADMIN']): UsernamePasswordToken
    {
        return new UsernamePasswordToken(new InMemoryUser($id, null, $roles), 'main', $roles);
    }

    public function testTheVoter(): void
    {
        $voter = new HosVoter(new Question(self::tenant(...), self::named(...), self::rows(...)));
        $shop = new Uid('Pazar::Shop', 's1');
        $ayse = $this->token('ayse');
        foreach ([
            [HosVoter::ACCESS_GRANTED, $ayse, $shop, ['shop.view']],
            [HosVoter::ACCESS_GRANTED, $ayse, 'Pazar::Shop::"s1"', ['shop.view']],
            [HosVoter::ACCESS_GRANTED, $ayse, [$shop, []], ['shop.view']],
            [HosVoter::ACCESS_GRANTED, $ayse, self::product(true), ['product.view']],
            [HosVoter::ACCESS_DENIED, $ayse, self::product(false), ['product.view']],
            [HosVoter::ACCESS_DENIED, $ayse, $shop, ['shop.edit']],
            [HosVoter::ACCESS_DENIED, $ayse, $shop, ['shop.view', 'shop.edit']],
            [HosVoter::ACCESS_GRANTED, $ayse, $shop, ['ROLE_ADMIN', 'shop.view']],
            // Not the law's business.
            [HosVoter::ACCESS_ABSTAIN, $ayse, $shop, ['ROLE_ADMIN']],
            [HosVoter::ACCESS_ABSTAIN, $ayse, null, ['IS_AUTHENTICATED_FULLY']],
            [HosVoter::ACCESS_ABSTAIN, $ayse, new \stdClass(), ['edit', 'shop', '', "\0", "shop.view\0"]],
            [HosVoter::ACCESS_ABSTAIN, $ayse, $shop, [17, null, new \stdClass()]],
            [HosVoter::ACCESS_ABSTAIN, $ayse, $shop, []],
            // Nor is what comes with it, though the law has no form for it.
            [HosVoter::ACCESS_ABSTAIN, $ayse, [$shop, ['x' => 1.5]], ['ROLE_ADMIN', 'edit']],
            [HosVoter::ACCESS_ABSTAIN, $ayse, [$shop, ['x' => null]], ['edit']],
            [HosVoter::ACCESS_DENIED, $ayse, [$shop, ['x' => 1.5]], ['edit', 'shop.view']],
            // In doubt, no.
            [HosVoter::ACCESS_DENIED, new NullToken(), $shop, ['shop.view']],
            [HosVoter::ACCESS_DENIED, $this->token('nobody'), $shop, ['shop.view']],
            [HosVoter::ACCESS_DENIED, $ayse, null, ['shop.view']],
            [HosVoter::ACCESS_DENIED, $ayse, new \stdClass(), ['shop.view']],
            [HosVoter::ACCESS_DENIED, $ayse, 's1', ['shop.view']],
            [HosVoter::ACCESS_DENIED, $ayse, 'Pazar::Shop::"', ['shop.view']],
            [HosVoter::ACCESS_DENIED, $ayse, [$shop, ['x' => 1.5]], ['shop.view']],
            [HosVoter::ACCESS_DENIED, $ayse, [$shop, 'context'], ['shop.view']],
            [HosVoter::ACCESS_DENIED, $ayse, $shop, ["shop.view", "\xff"]],
        ] as $i => [$wanted, $token, $subject, $attributes]) {
            self::assertSame($wanted, $voter->vote($token, $subject, $attributes), "case $i");
        }
    }

    public function testTheVoterAmongOthers(): void
    {
        $voter = new HosVoter(new Question(self::tenant(), self::named(...)));
        $manager = new AccessDecisionManager([new RoleVoter(), $voter], new UnanimousStrategy());
        $shop = new Uid('Pazar::Shop', 's1');
        self::assertTrue($manager->decide($this->token('ayse'), ['shop.view'], $shop));
        self::assertTrue($manager->decide($this->token('ayse'), ['ROLE_ADMIN'], $shop));
        self::assertFalse($manager->decide($this->token('ayse'), ['shop.edit'], $shop));
        self::assertFalse($manager->decide($this->token('ayse', ['ROLE_USER']), ['ROLE_ADMIN'], $shop));
        $reasons = new class {
            public array $said = [];

            public function addReason(string $reason): void
            {
                $this->said[] = $reason;
            }
        };
        $voter->vote($this->token('ayse'), $shop, ['shop.edit'], $reasons);
        self::assertSame(['hos.not_permitted'], $reasons->said);
    }

    public function testAVoterWhoseLawCannotBeAsked(): void
    {
        $closed = Engine::openWith(['store' => self::$store], shared: false);
        $tenant = $closed->tenant('pazar-tr');
        $closed->close();
        $shop = new Uid('Pazar::Shop', 's1');
        foreach ([
            new Question($tenant, self::named(...)),
            new Question(fn () => Engine::open(null, store: '/nowhere/hos.db')->tenant('pazar-tr'), self::named(...)),
            new Question(fn () => throw new \LogicException('the container is broken'), self::named(...)),
            new Question(self::$engine->tenant('nowhere'), self::named(...)),
        ] as $question) {
            self::assertSame(HosVoter::ACCESS_DENIED, (new HosVoter($question))->vote($this->token('ayse'), $shop, ['shop.view']));
            // Which names are the law's, nobody says.
            self::assertSame(HosVoter::ACCESS_DENIED, (new HosVoter($question))->vote($this->token('ayse'), $shop, ['ROLE_USER']));
        }
        $broken = new Question(self::tenant(), fn () => throw new \LogicException('no such user'));
        self::assertSame(HosVoter::ACCESS_DENIED, (new HosVoter($broken))->vote($this->token('ayse'), $shop, ['shop.view']));
        self::assertSame(HosVoter::ACCESS_ABSTAIN, (new HosVoter($broken))->vote($this->token('ayse'), $shop, ['ROLE_ADMIN']));
    }

    public function testModes(): void
    {
        foreach (['off' => HosVoter::ACCESS_ABSTAIN, 'shadow' => HosVoter::ACCESS_ABSTAIN, 'enforce' => HosVoter::ACCESS_GRANTED] as $mode => $wanted) {
            $store = Place::pazar();
            $command = ['law', 'activate', Place::law(), '--mode', $mode, '--tenant', 'pazar-tr', '--as', 'Account::root', '--store', $store];
            self::assertSame(0, Place::run($command)[0]);
            $engine = Engine::open(null, store: $store);
            $voter = new HosVoter(new Question($engine->tenant('pazar-tr'), self::named(...)));
            self::assertSame($wanted, $voter->vote($this->token('ayse'), new Uid('Pazar::Shop', 's1'), ['shop.view']), $mode);
            self::assertSame(HosVoter::ACCESS_ABSTAIN, $voter->vote($this->token('ayse'), null, ['ROLE_ADMIN']), $mode);
            $formless = $voter->vote($this->token('ayse'), [new Uid('Pazar::Shop', 's1'), ['x' => 1.5]], ['shop.view']);
            self::assertSame($mode === 'enforce' ? HosVoter::ACCESS_DENIED : HosVoter::ACCESS_ABSTAIN, $formless, $mode);
            $engine->close();
        }
    }

    private function gate(?string $id, Question $question): Gate
    {
        $user = $id === null ? null : new class ($id) implements HasUid {
            public function __construct(private readonly string $id)
            {
            }

            public function hosUid(): Uid
            {
                return new Uid('Pazar::Account', $this->id);
            }
        };
        $gate = new Gate(new Container(), static fn () => $user);
        $gate->define('post.edit', static fn (?object $user, string $title) => $title === 'mine');
        $gate->define('post.rate', static fn (?object $user, object $post, array $stars) => $stars === ['stars' => 4.5]);
        // Defined by the application, and known to the law: the law decides.
        $gate->define('shop.edit', static fn (?object $user) => true);
        HosGate::register($gate, $question);

        return $gate;
    }

    public function testTheGate(): void
    {
        $question = new Question(self::tenant(...), given: self::rows(...), language: 'tr');
        $gate = $this->gate('ayse', $question);
        $shop = new Uid('Pazar::Shop', 's1');
        self::assertTrue($gate->allows('shop.view', $shop));
        self::assertTrue($gate->allows('shop.view', [$shop]));
        self::assertTrue($gate->allows('product.view', self::product(true)));
        self::assertFalse($gate->allows('product.view', self::product(false)));
        self::assertFalse($gate->allows('shop.edit', $shop));
        self::assertTrue($gate->denies('shop.view'));
        self::assertTrue($gate->denies('shop.view', 's1'));
        self::assertTrue($gate->denies('shop.view', [$shop, ['x' => null]]));
        self::assertTrue($gate->any(['shop.edit', 'shop.view'], $shop));
        self::assertFalse($gate->check(['shop.edit', 'shop.view'], $shop));
        self::assertTrue($gate->allows('post.edit', 'mine'), 'what is not the law\'s goes its own way');
        self::assertFalse($gate->allows('post.edit', 'yours'));
        self::assertFalse($gate->allows('nothing', $shop));
        self::assertTrue($gate->allows('post.rate', [$shop, ['stars' => 4.5]]), 'the law has no form for a float, and need have none');

        $said = $gate->inspect('shop.edit', $shop);
        self::assertSame('hos.not_permitted', $said->code());
        self::assertSame(self::tenant()->message('hos.not_permitted', 'tr'), $said->message());
        try {
            $gate->authorize('shop.edit', $shop);
            self::fail('it was allowed');
        } catch (AuthorizationException $error) {
            self::assertSame($said->message(), $error->getMessage());
        }
    }

    public function testGuestsAndFailures(): void
    {
        $shop = new Uid('Pazar::Shop', 's1');
        $guest = $this->gate(null, new Question(self::tenant(...)));
        self::assertFalse($guest->allows('shop.view', $shop));
        self::assertFalse($guest->allows('shop.edit', $shop));
        self::assertTrue($guest->allows('post.edit', 'mine'));
        $broken = $this->gate('ayse', new Question(fn () => throw new \LogicException('broken')));
        self::assertFalse($broken->allows('shop.view', $shop));
        self::assertFalse($broken->allows('shop.edit', $shop));
    }
}
