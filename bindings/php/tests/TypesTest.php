<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Engine;
use Hos\Tests\Support\Place;
use Hos\Uid;
use PHPUnit\Framework\TestCase;

/** What `hos law types --php` writes stands on this binding. */
final class TypesTest extends TestCase
{
    public function testAnOrderInTheLawsOwnNames(): void
    {
        [$exit, $said] = Place::run(['law', 'types', '--php', Place::law()]);
        self::assertSame(0, $exit, $said);
        file_put_contents($file = Place::directory() . '/law.php', $said);
        require $file;
        $engine = Engine::open(Place::law(), store: Place::pazar());
        $ayse = new Uid('Pazar::Account', 'ayse');
        $shop = new Uid('Pazar::Shop', 's1');
        $law = new \Pazar\Law($engine->tenant('pazar-tr')->as($ayse));
        self::assertTrue($law->can(\Pazar\Action::ShopView, $shop)->allowed);
        $order = $law->order('o-1');
        self::assertTrue($order->place(buyer: $ayse, shop: $shop, total: 4200)->allowed);
        self::assertSame('order.amount_short', $order->pay(amount: 1, psp_ref: 'x')->code);
        self::assertSame('paid', $order->pay(amount: 4200, psp_ref: 'x', once: 'p-1')->to);
        $engine->close();
    }
}
