<?php

declare(strict_types=1);

use Shop\Db;

// Who is who in the demonstration, and what is on the shelves. Everybody's password is `pazar`.
return static function (Db $db): void {
    $password = password_hash('pazar', PASSWORD_BCRYPT, ['cost' => 8]);
    $db->transaction(static function () use ($db, $password): void {
        foreach (['seller', 'support', 'manager', 'desk', 'cashier', 'operator'] as $role) {
            $db->run('INSERT INTO roles (id) VALUES (?)', $role);
        }
        $users = [
            ['ayse', 'Ayşe', []], ['bora', 'Bora', []],
            ['mert', 'Mert', [['seller', 's1']]], ['selin', 'Selin', [['seller', 's2']]],
            ['deniz', 'Deniz', [['support', '']]], ['okan', 'Okan', [['support', ''], ['manager', '']]],
            ['hatice', 'Hatice', [['desk', '']]],
        ];
        for ($i = 1; $i <= 16; $i++) {
            $users[] = ["load-$i", "Load $i", []];       // buyers for the load mode of tests/drive.php
        }
        foreach ($users as [$id, $name, $roles]) {
            $db->run('INSERT INTO users (id, name, language, password, active) VALUES (?, ?, ?, ?, 1)', $id, $name, 'tr', $password);
            foreach ($roles as [$role, $shop]) {
                $db->run('INSERT INTO user_roles (user_id, role, shop) VALUES (?, ?, ?)', $id, $role, $shop);
            }
        }
        foreach ([['s1', 'Kilim Evi', 1], ['s2', 'Bakırcı', 1], ['s3', 'Eski Kitap', 0]] as $shop) {
            $db->run('INSERT INTO shops (id, name, active) VALUES (?, ?, ?)', ...$shop);
        }
        $products = [
            ['kilim', 's1', 'Kilim', 90000, 50, 1], ['yastik', 's1', 'Yastık', 12550, 3, 1], ['cezve', 's2', 'Bakır cezve', 42000, 50, 1],
            ['roman', 's3', 'Eski roman', 8000, 5, 1],
        ];
        for ($i = 1; $i <= 64; $i++) {
            $products[] = ["x-$i", 's1', "X $i", 100, 1_000_000, 0];
        }
        foreach ($products as $product) {
            $db->run('INSERT INTO products (id, shop, name, price, stock, listed) VALUES (?, ?, ?, ?, ?, ?)', ...$product);
        }
    });
};
