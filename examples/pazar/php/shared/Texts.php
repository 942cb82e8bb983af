<?php

declare(strict_types=1);

namespace Shop;

/** What people read, in Turkish and in English. */
final class Texts
{
    private const TEXTS = [
        // What the shop answers.
        'welcome' => ['Hoş geldiniz, {user}.', 'Welcome, {user}.'],
        'sign_in' => ['Lütfen giriş yapın.', 'Please sign in.'],
        'login_wrong' => ['Kullanıcı adı ya da parola yanlış.', 'User name or password is wrong.'],
        'not_permitted' => ['Bu işlem için yetkiniz yok.', 'You may not do this.'],
        'not_now' => ['Bu işlem şu anda yapılamaz (durum: {status}).', 'This cannot be done now (status: {status}).'],
        'not_found' => ['Aradığınız bulunamadı.', 'What you look for is not here.'],
        'input_invalid' => ['Geçersiz alan: {field}.', 'Invalid field: {field}.'],
        'signature_invalid' => ['İmza geçersiz.', 'The signature is invalid.'],
        'cart_empty' => ['Sepetiniz boş.', 'Your cart is empty.'],
        'stock_short' => ['Stokta yeterli yok: {product}.', 'Not enough in stock: {product}.'],
        'trouble' => ['Bir sorun oluştu. Lütfen yeniden deneyin.', 'Something went wrong. Please try again.'],
        // What stands on its pages.
        'market' => ['Pazar', 'Pazar'],
        'cart' => ['Sepet', 'Cart'],
        'orders' => ['Siparişler', 'Orders'],
        'order' => ['Sipariş', 'Order'],
        'reservations' => ['Rezervasyonlar', 'Reservations'],
        'seller' => ['Satıcı paneli', 'Seller panel'],
        'admin' => ['Yönetim', 'Back office'],
        'login' => ['Giriş', 'Sign in'],
        'buy' => ['Sepete ekle', 'Add to cart'],
        'checkout' => ['Satın al', 'Buy now'],
        'pay' => ['Öde', 'Pay'],
        'cancel' => ['İptal et', 'Cancel'],
        'ship' => ['Kargola', 'Ship'],
        'deliver' => ['Teslim aldım', 'It has arrived'],
        'refund' => ['İade et', 'Refund'],
        'restock' => ['Stok ekle', 'Restock'],
        'book' => ['Oda ayırt', 'Book a room'],
        'waitlist' => ['Beklemeye al', 'Waitlist'],
        'confirm' => ['Onayla', 'Confirm'],
        'check_in' => ['Giriş yaptır', 'Check in'],
        'check_out' => ['Çıkış yaptır', 'Check out'],
        'no_show' => ['Gelmedi', 'No show'],
        'set_status' => ['Durumu değiştir', 'Set status'],
        'total' => ['Toplam', 'Total'],
        'status' => ['Durum', 'Status'],
        'stock' => ['Stok', 'Stock'],
    ];

    /** @param array<string, string|int> $words */
    public static function say(string $language, string $code, array $words = []): string
    {
        $text = (self::TEXTS[$code] ?? [$code, $code])[$language === 'en' ? 1 : 0];
        foreach ($words as $name => $word) {
            $text = str_replace('{' . $name . '}', (string) $word, $text);
        }

        return $text;
    }
}
