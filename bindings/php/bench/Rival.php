<?php

declare(strict_types=1);

namespace Hos\Bench;

use Symfony\Component\EventDispatcher\EventDispatcher;
use Symfony\Component\Workflow\DefinitionBuilder;
use Symfony\Component\Workflow\Event\GuardEvent;
use Symfony\Component\Workflow\MarkingStore\MethodMarkingStore;
use Symfony\Component\Workflow\StateMachine;
use Symfony\Component\Workflow\Transition;

/** The order of Pazar's law as a state machine of symfony/workflow, its one guard of `pay` as a listener. */
final class Rival
{
    private int $amount = 0;

    private function __construct(private readonly StateMachine $machine, private readonly object $placed)
    {
    }

    public static function found(): ?self
    {
        $autoload = '/usr/share/php/Symfony/Component/Workflow/autoload.php';
        if (!is_file($autoload)) {
            return null;
        }
        require_once $autoload;
        require_once '/usr/share/php/Symfony/Component/EventDispatcher/autoload.php';
        $moves = [
            ['submit', ['cart'], 'new'], ['pay', ['new'], 'paid'], ['ship', ['paid'], 'shipped'], ['refund', ['paid'], 'refunding'],
            ['refunded', ['refunding'], 'refunded'], ['refund_failed', ['refunding'], 'paid'], ['deliver', ['shipped'], 'fulfilled'],
            ['close', ['shipped'], 'fulfilled'], ['cancel', ['cart', 'new'], 'cancelled'], ['expire', ['cart', 'new'], 'expired'],
            ['reopen', ['cancelled', 'expired'], 'new'],
        ];
        $builder = new DefinitionBuilder(
            ['cart', 'new', 'paid', 'refunding', 'shipped', 'fulfilled', 'refunded', 'cancelled', 'expired'],
        );
        foreach ($moves as [$name, $froms, $to]) {
            foreach ($froms as $from) {
                $builder->addTransition(new Transition($name, $from, $to));
            }
        }
        $events = new EventDispatcher();
        $machine = new StateMachine($builder->build(), new MethodMarkingStore(true, 'state'), $events, 'order');
        $self = new self($machine, self::made());
        $events->addListener('workflow.order.guard.pay', static function (GuardEvent $event) use ($self): void {
            $order = $event->getSubject();
            if ($order->buyer !== 'ayse' || $self->amount < $order->total) {
                $event->setBlocked(true);
            }
        });

        return $self;
    }

    private static function made(): object
    {
        return new class {
            public string $buyer = 'ayse';
            public int $total = 4200;
            private string $state = 'new';

            public function getState(): string
            {
                return $this->state;
            }

            public function setState(string $state): void
            {
                $this->state = $state;
            }
        };
    }

    public function order(): object
    {
        return self::made();
    }

    public function can(int $amount): bool
    {
        $this->amount = $amount;

        return $this->machine->can($this->placed, 'pay');
    }

    public function apply(object $order, int $amount): bool
    {
        $this->amount = $amount;
        $this->machine->apply($order, 'pay');

        return $order->getState() === 'paid';
    }
}
