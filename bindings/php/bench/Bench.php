<?php

declare(strict_types=1);

namespace Hos\Bench;

use Hos\Actor;
use Hos\Engine;
use Hos\Tests\Support\Place;
use Hos\Uid;

/** Rounds by turns, so that a busy machine is busy for all; the median of them. */
final class Bench
{
    /** @var array<string, float> nanoseconds of this process's processor time each, the kernel's for it too, the mean of all rounds */
    private array $busy = [];

    public function __construct(private readonly int $rounds)
    {
    }

    /** The processor time of this process so far, in nanoseconds. */
    private static function processor(): int
    {
        $used = getrusage();

        return ($used['ru_utime.tv_sec'] + $used['ru_stime.tv_sec']) * 1_000_000_000 + ($used['ru_utime.tv_usec'] + $used['ru_stime.tv_usec']) * 1000;
    }

    /**
     * @param array<string, \Closure(): bool> $works
     * @return array<string, float> nanoseconds each
     */
    private function measured(array $works, int $times): array
    {
        $took = [];
        for ($round = 0; $round < $this->rounds; $round++) {
            foreach ($works as $name => $work) {
                $began = hrtime(true);
                $busy = self::processor();
                for ($i = 0; $i < $times; $i++) {
                    $work() || throw new \RuntimeException("$name: what is measured is not what it should be");
                }
                $took[$name][] = (hrtime(true) - $began) / $times;
                $this->busy[$name] = ($this->busy[$name] ?? 0) + (self::processor() - $busy) / $times / $this->rounds;
            }
        }
        foreach ($took as &$times) {
            sort($times);
            $times = $times[intdiv(count($times), 2)];
        }

        return $took;
    }

    /** @param array<string, \Closure(): bool> $works the first is what the others are a ratio of */
    public function table(string $title, array $works, int $times = 500): void
    {
        echo $title, "\n";
        $this->busy = [];
        $took = $this->measured($works, $times);
        foreach ($took as $name => $ns) {
            printf("  %-50s %10.2f us   x %.2f   processor %8.2f us\n", $name, $ns / 1000, $ns / reset($took), $this->busy[$name] / 1000);
        }
        echo "\n";
    }

    /**
     * `can` here, beside Rust's own on the same store.
     *
     * @param array<string, mixed> $context
     */
    public function beside(string $store, string $action, Actor $actor, Uid $resource, array $context): void
    {
        $uid = static fn (Uid $uid): array => ['type' => $uid->type, 'id' => $uid->id];
        $question = ['tenant' => $actor->tenant->name, 'principal' => $uid($actor->principal), 'action' => $action];
        $question += ['resource' => $uid($resource)] + ($context === [] ? [] : ['context' => $context]);
        $asked = [];
        // By turns as well: Rust, PHP, Rust, PHP, ..
        for ($turn = 0; $turn < 3; $turn++) {
            $told = $this->rust($store, $question);
            $php = $this->measured([
                'can' => fn (): bool => $actor->can($action, $resource, context: $context)->allowed,
                'read' => fn (): bool => $actor->can($action, $resource, context: $context)->policies !== [],
            ], 500);
            $asked[] = [$told['can_ns'], $told['wire_ns'], $php['can'], $php['read']];
        }
        sort($asked);
        [$can, $wire, $php, $read] = $asked[1];
        printf("can `%s`, %s\n", $action, $context === [] ? 'no context' : 'context ' . json_encode($context));
        foreach (['Rust, its own words' => $can, 'Rust, JSON in and out' => $wire, 'PHP, ->allowed' => $php, 'PHP, all of the answer read' => $read] as $name => $ns) {
            printf("  %-50s %10.2f us   x %.2f   %+.2f us\n", $name, $ns / 1000, $ns / $can, ($ns - $can) / 1000);
        }
        printf("  bar: at most 6 us above Rust's: %s\n\n", $php - $can <= 6000 ? 'held' : 'NOT HELD');
    }

    /**
     * What Rust needs for the same.
     *
     * @param array<string, mixed> $question
     * @return array{can_ns: float, wire_ns: float, open_ns: int}
     */
    private function rust(string $store, array $question): array
    {
        file_put_contents($file = Place::directory() . '/question.json', json_encode($question, JSON_THROW_ON_ERROR));
        $program = dirname(__DIR__, 3) . '/target/release/hos-bench';
        [$exit, $said] = Place::command([$program, 'shell', '--store', $store, '--question', $file, '--seconds', '0.5']);
        $told = json_decode($said, true);

        return $exit === 0 && ($told['allowed'] ?? null) === true ? $told : throw new \RuntimeException("hos-bench: $said");
    }

    /**
     * The call vectors' law has an action with a scalar context.
     *
     * @return array{string, string, Actor, Uid, array<string, int>}
     */
    public static function hall(): array
    {
        $store = Place::directory() . '/hall.db';
        $as = ['--as', 'Account::ayse', '--store', $store];
        $law = Place::root() . '/testdata/vectors/call/law';
        foreach ([
            ['init', '--law', $law, '--store', $store, '--founder', 'Account::ayse', '--role', 'Role::operator', '--attr', 'active=true', '--tenant', 't1'],
            ['directory', 'put', 'Hall::h1', '--attr', 'open=true', '--tenant', 't1', ...$as],
        ] as $command) {
            [$exit, $said] = Place::run($command);
            $exit === 0 || throw new \RuntimeException($said);
        }
        $ayse = Engine::open(null, store: $store)->tenant('t1')->as('S::Account::"ayse"');

        return [$store, 'hall.enter', $ayse, new Uid('S::Hall', 'h1'), ['hour' => 12]];
    }

    /** In processes that have opened nothing before. */
    public function opening(string $store): void
    {
        $took = [];
        for ($i = 0; $i < 15; $i++) {
            $took[] = $this->fresh($store, Place::law())['open_ms'];
        }
        sort($took);
        $active = [];
        for ($i = 0; $i < 15; $i++) {
            $active[] = $this->fresh($store, null, 'pazar-tr')['open_ms'];
        }
        sort($active);
        $rust = $this->rust($store, ['tenant' => 'pazar-tr', 'action' => 'shop.view', 'principal' => ['type' => 'Pazar::Account', 'id' => 'ayse'],
            'resource' => ['type' => 'Pazar::Shop', 'id' => 's1']])['open_ns'] / 1e6;
        echo "opening Pazar's store in a fresh process (bar: 10 ms)\n";
        printf("  %-50s %10.1f ms   x 1.00\n", 'Rust, with the active law, once warm', $rust);
        printf("  %-50s %10.1f ms   x %.2f\n", 'PHP, with the active law', $active[7], $active[7] / $rust);
        printf("  %-50s %10.1f ms   x %.2f\n", 'PHP, with the law in a directory', $took[7], $took[7] / $rust);
        $again = $this->fresh($store, Place::law())['again_us'];
        printf("  %-50s %10.1f us\n\n", 'PHP, once more, as the next request does', $again);
    }

    /** Memory of one engine that has been asked once. */
    public function memory(int $policies): void
    {
        $law = Place::directory() . '/law';
        mkdir("$law/policies", recursive: true);
        file_put_contents("$law/law.toml", "name = \"many\"\nnamespace = \"B\"\n");
        file_put_contents("$law/schema.cedarschema", 'namespace B { entity User = { active: Bool }; entity Role; entity Clock; entity Gate; '
            . 'entity Doc; action "v" appliesTo { principal: [User], resource: [Doc] }; action "directory"; action "operate"; '
            . 'action "directory.account" in ["directory"] appliesTo { principal: [User], resource: [User] }; '
            . 'action "directory.entity" in ["directory"] appliesTo { principal: [User], resource: [Role, Doc] }; '
            . 'action "law.activate", "tenant.open" in ["operate"] appliesTo { principal: [User], resource: [Gate] }; }');
        $lines = ['@id("all")permit(principal==B::User::"root",action,resource);' . "\n"];
        for ($i = 1; $i < $policies; $i++) {
            $lines[] = "@id(\"p$i\")permit(principal==B::User::\"u$i\",action==B::Action::\"v\",resource);\n";
        }
        foreach (array_chunk($lines, 5000) as $n => $chunk) {
            file_put_contents(sprintf('%s/policies/p%04d.cedar', $law, $n), implode('', $chunk));
        }
        $store = dirname($law) . '/many.db';
        [$exit, $said] = Place::run(['init', '--law', $law, '--store', $store, '--founder', 'User::root', '--attr', 'active=true', '--tenant', 't1']);
        $exit === 0 || throw new \RuntimeException($said);
        $told = $this->fresh($store, null, 't1');
        printf("%7d policies: %8.1f MB resident for one engine, opened in %.1f ms\n", $policies, $told['kb'] / 1024, $told['open_ms']);
    }

    /** @return array{open_ms: float, again_us: float, kb: int} */
    private function fresh(string $store, ?string $law, string $tenant = 'pazar-tr'): array
    {
        [$exit, $said] = Place::command([PHP_BINARY, __DIR__ . '/fresh.php', $store, $tenant, (string) $law]);
        $told = json_decode($said, true);

        return $exit === 0 && is_array($told) ? $told : throw new \RuntimeException($said);
    }
}
