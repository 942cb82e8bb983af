<?php

declare(strict_types=1);

// php tests/test.php [STAGE] [--all]: tells the story to a stage and sets requests against each other, on SQLite with PHP's own server, on
// PostgreSQL and MariaDB, where HOS_TEST_POSTGRES (postgres://user:pass@host:port/db) and HOS_TEST_MARIADB (mysql://..) name servers,
// with nginx and php-fpm; with --all on each with both, and longer. HOS_BIN and HOS_LIBRARY name the program `hos` and the library, which
// has failpoints. The exit code is 0 only if all of it holds.

use Shop\{Db, Options, Server};
use Shop\Tests\{Beside, Databases, Driver, Faults, Story};

foreach (['shared/Db', 'shared/Http', 'shared/Actor', 'shared/Law', 'shared/Options', 'shared/Server', 'shared/Founding', 'tests/Interrupted', 'tests/Driver', 'tests/Story', 'tests/Databases', 'tests/Beside', 'tests/Faults'] as $file) {
    require __DIR__ . "/../$file.php";
}
require __DIR__ . '/../../../../bindings/php/src/autoload.php';
$options = new Options($argv, ['all' => false], 'php tests/test.php [STAGE] [--all]');
$stage = basename($options->stage);
$law = $stage === 'enforce';                // does the law decide here, or the shop as it was?
$dir = sys_get_temp_dir() . '/pazar-test-' . getmypid();
mkdir($dir, 0700);
putenv('PAZAR_SECRET=story');
putenv("PAZAR_KEYS=$dir");
$databases = new Databases($dir);
$passed = $failed = 0;
$check = static function (string $what, bool $holds, string $seen = '') use (&$passed, &$failed): void {
    $holds ? $passed++ : $failed++;
    if (!$holds) {
        echo "FAILED $what" . ($seen === '' ? '' : ": $seen") . "\n";
    }
};
$serve = static function (string $folder, string $database, bool $fpm, callable $use, array $more = []) use ($dir, $check): void {
    static $count = 0;
    Db::open($database)->setUp($folder);
    $env = $more + ['PAZAR_DB' => $database, 'PAZAR_SECRET' => 'story', 'PAZAR_CLOCK' => 'request', 'RUST_BACKTRACE' => '0'];
    $server = new Server($folder, "$dir/server-" . ++$count, $env, $fpm, Server::freePort());
    try {
        $use($server, new Driver($server->url), Db::open($database));
    } finally {
        $server->stop();
    }
    $check('the server is gone when it was stopped', @fsockopen('127.0.0.1', (int) parse_url($server->url, PHP_URL_PORT)) === false);
    $check('PHP had nothing to complain about', preg_match('/PHP (Warning|Notice|Deprecated|Fatal)|shop: /', $server->log()) === 0, $server->log());
};

$tellsStory = static function (string $on, Server $server, Driver $driver, Db $db) use ($check, $law, $stage): Story {
    $story = new Story($driver);
    $story->tell();
    foreach ($story->steps as $step) {
        // The law has its own words for a no.
        $refused = $law && ($step['law'] === 'refused' || $step['wanted'] >= 400);
        $holds = $refused ? intdiv($step['status'], 100) === 4 : $step['status'] === $step['wanted'];
        $check("$on: {$step['name']}", $holds, "{$step['status']} {$step['body']}");
    }
    $order = json_decode($story->steps['pay twice']['body'], true)['order'];
    $check("$on: who pays twice is out of twice the money, but for the law", $order['paid'] === $order['total'] * ($law ? 1 : 2), "{$order['paid']} of {$order['total']}");
    $check("$on: its reference is the first event's, by the law", $order['payments'][0]['psp_ref'] === ($law ? 'evt-10' : 'evt-11'), json_encode($order['payments']));
    $check("$on: one event, told twice, is one payment", substr_count($story->steps['the webhook after it, same event']['body'], '"paid":90000') === 1);
    $check("$on: nothing of a checkout that fails is kept", $db->row("SELECT COUNT(*) AS n FROM carts WHERE user_id = 'ayse' AND product <> 'roman'")['n'] == 0
        && $db->row("SELECT stock FROM products WHERE id = 'yastik'")['stock'] >= 0);
    if (!$law) {
        $said = $server->log();
        foreach (['not_owner: selin order.ship', 'not_owner: bora order.view', 'needs_manager: deniz order.refund'] as $line) {
            $check("$on: the policy's own shadow logs `$line`", str_contains($said, "policy shadow: $line"));
        }
        $expired = $db->row("SELECT COUNT(*) AS n FROM orders WHERE status = 'expired'")['n'];
        $logged = $db->row("SELECT COUNT(*) AS n FROM status_change_logs WHERE new_status = 'expired'")['n'];
        $check("$on: the cron expires without a word in the log", $expired > 0 && $logged == 0, "$expired, $logged");
        $blind = $db->row("SELECT COUNT(*) AS n FROM status_change_logs WHERE new_status = 'paid' AND old_status IS NULL")['n'];
        $check("$on: the webhook never knew the status before", $blind > 0, (string) $blind);
    }

    return $story;
};

$race = static function (string $on, Server $server, Driver $driver, Db $db) use ($check): void {
    $buy = static function (string $who, string $request) use ($driver): array {
        $driver->ask($who, 'POST /cart', ['product' => 'kilim']);
        $said = $driver->ask($who, 'POST /checkout', ['shop' => 's1'], ['X-Request-Id' => $request]);

        return json_decode($said['body'], true)['order'];
    };
    for ($i = 1; $i <= 5; $i++) {
        $order = $buy('ayse', "race-$i");
        $report = ['event' => "race-$i", 'kind' => 'captured', 'about' => $order['payments'][0]['id'], 'amount' => (string) $order['total']];
        $ways = ['POST /payments/webhook', 'GET /payments/return', 'POST /payments/webhook', 'GET /payments/return'];
        $said = Driver::together(array_map(fn ($way) => fn () => $driver->ask('psp', $way, $report), $ways));
        $check("$on: webhook and redirect at once are all answered", array_unique(array_column($said, 'status')) === [200], json_encode(array_column($said, 'status')) . $server->log());
        $now = $db->row('SELECT status, paid FROM orders WHERE id = ?', $order['id']);
        $check("$on: webhook and redirect at once pay once", $now['status'] === 'paid' && $now['paid'] === $order['total'], json_encode($now));
        $logs = $db->row("SELECT COUNT(*) AS n FROM status_change_logs WHERE subject = 'order' AND subject_id = ? AND event = 'pay'", $order['id']);
        $check("$on: and leave one line in the log", $logs['n'] == 1, (string) $logs['n']);
    }
    $driver->ask('bora', 'POST /cart', ['product' => 'kilim']);
    $said = Driver::together(array_fill(0, 6, fn () => $driver->ask('bora', 'POST /checkout', ['shop' => 's1'], ['X-Request-Id' => 'one'])));
    $check("$on: one request id is one order, and one answer", count(array_unique(array_column($said, 'body'))) === 1 && $said[0]['status'] === 201, json_encode(array_column($said, 'status')));
    $check("$on: all but one were told it again", count(array_filter($said, fn ($one) => isset($one['headers']['x-replayed']))) === 5);
    $ids = array_column([$buy('bora', ''), $buy('bora', '')], 'id');
    $check("$on: an empty request id is none", count(array_unique($ids)) === 2, json_encode($ids));
    $said = $driver->ask('psp', 'POST /payments/webhook', ['event' => '', 'kind' => 'captured', 'about' => $order['payments'][0]['id'], 'amount' => '1']);
    $check("$on: the provider's event has a name", $said['status'] === 400 && str_contains($said['body'], 'event'), "{$said['status']} {$said['body']}");

    $driver->ask('bora', 'POST /cart', ['product' => 'kilim']);
    $said = Driver::together(array_fill(0, 4, fn () => $driver->ask('bora', 'POST /checkout', ['shop' => 's1'])));
    $statuses = array_count_values(array_column($said, 'status'));
    $check("$on: one cart in four windows is one order", ($statuses[201] ?? 0) === 1 && ($statuses[409] ?? 0) === 3, json_encode($statuses));

    for ($i = 1; $i <= 3; $i++) {
        $driver->ask('load-16', 'POST /cart', ['product' => 'kilim', 'quantity' => '0']);
        $put = fn (int $quantity) => fn () => $driver->ask('load-16', 'POST /cart', ['product' => 'kilim', 'quantity' => (string) $quantity]);
        $statuses = array_column(Driver::together(array_map($put, [1, 2, 3, 4])), 'status');
        $rows = $db->rows("SELECT quantity FROM carts WHERE user_id = 'load-16'");
        $check("$on: four windows put one thing into the cart", array_unique($statuses) === [200] && count($rows) === 1, json_encode([$statuses, $rows]) . $server->log());
    }

    for ($i = 1; $i <= 3; $i++) {
        $said = $driver->ask('ayse', 'POST /reservations', ['room' => '101', 'guests' => '2', 'nights' => '1', 'arrival' => '2026-02-01']);
        $id = json_decode($said['body'], true)['reservation']['id'];
        $said = Driver::together(array_fill(0, 4, fn () => $driver->ask('hatice', "POST /reservations/$id/confirm")));
        $statuses = array_count_values(array_map(fn ($one) => intdiv($one['status'], 100), $said));
        $check("$on: four confirm at once, and one did", $statuses === [2 => 1, 4 => 3] || $statuses === [4 => 3, 2 => 1], json_encode($statuses));
    }

    // Two transactions that read first, and then want each other's rows: the database ends one of them, and it is tried again.
    $cross = static function (string $first, string $second) use ($db): int {
        $own = Db::open($db->url);
        $tries = 0;
        $own->transaction(function () use ($own, $first, $second, &$tries): void {
            $tries++;
            foreach ([$first, $second] as $product) {
                $own->row('SELECT stock FROM products WHERE id = ?', $product);
                usleep(100_000);
                $own->run('UPDATE products SET stock = stock + 1 WHERE id = ?', $product);
            }
        });

        return $tries;
    };
    // On a busy machine they may miss each other.
    for ($rounds = 1, $tries = [0, 0]; array_sum($tries) < 3 && $rounds <= 10; $rounds++) {
        $tries = Driver::together([fn () => $cross('x-1', 'x-2'), fn () => $cross('x-2', 'x-1')]);
    }
    $wanted = 1_000_000 + 2 * ($rounds - 1);
    $stocks = array_column($db->rows("SELECT stock FROM products WHERE id IN ('x-1', 'x-2')"), 'stock');
    $check("$on: who is in another's way is tried again", array_sum($tries) > 2 && $stocks === [$wanted, $wanted], json_encode([$tries, $stocks]));

    $db->run("UPDATE products SET stock = 3 WHERE id = 'yastik'");
    for ($i = 1; $i <= 8; $i++) {
        $driver->ask("load-$i", 'POST /cart', ['product' => 'yastik']);
        $driver->ask("load-$i", 'POST /cart', ['product' => 'kilim']);
    }
    $stock = $db->row("SELECT stock FROM products WHERE id = 'kilim'")['stock'];
    $said = Driver::together(array_map(fn ($i) => fn () => $driver->ask("load-$i", 'POST /checkout', ['shop' => 's1']), range(1, 8)));
    $statuses = array_count_values(array_column($said, 'status'));
    $check("$on: three in stock, eight buyers, three orders", ($statuses[201] ?? 0) === 3 && ($statuses[409] ?? 0) === 5, json_encode($statuses) . $server->log());
    $check("$on: the last one is sold once", $db->row("SELECT stock FROM products WHERE id = 'yastik'")['stock'] === 0);
    $check("$on: who got none keeps none of the other either", $db->row("SELECT stock FROM products WHERE id = 'kilim'")['stock'] === $stock - 3);
};

try {
    $fpm = is_executable('/usr/sbin/php-fpm' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION) && is_executable('/usr/sbin/nginx');
    $fpm || print("skipped: php-fpm and nginx are not installed\n");
    $first = null;
    $all = $options->flag('all');
    $beside = new Beside($check);
    $faults = new Faults($check, $serve, $databases, $dir);
    if ($stage === 'shadow') {
        // Who only watches changes nothing: the bytes are those of the shop before.
        $serve(dirname($options->stage) . '/before', $databases->fresh(Databases::SQLITE), false, function (Server $server, Driver $driver) use (&$first, $faults): void {
            $story = new Story($driver);
            $story->tell();
            $first = $story->transcript;
            $faults->isToBe($first);
        });
    }
    if ($law) {
        $old = $databases->fresh(Databases::SQLITE);
        $serve(dirname($options->stage) . '/before', $old, false, fn (Server $server, Driver $driver) => (new Story($driver))->tell());
        Db::open($old)->setUp(dirname($options->stage) . '/shadow');
        $beside->takenIn('from stage to stage', Db::open($old));
        $beside->tellsOfOld('from stage to stage', Db::open($old));
        $sold = '';
        $serve(dirname($options->stage) . '/shadow', $old, false, function (Server $server, Driver $driver, Db $db) use ($check, &$sold): void {
            $driver->ask('ayse', 'POST /cart', ['product' => 'kilim']);
            $sold = json_decode($driver->ask('ayse', 'POST /checkout', ['shop' => 's1'])['body'], true)['order']['id'];
            $check('from stage to stage: nobody has judged the last sale yet', $db->row('SELECT COUNT(*) AS n FROM hos_inbox')['n'] > 0);
        });
        $serve($options->stage, $old, false, function (Server $server, Driver $driver, Db $db) use ($check, $beside, &$sold): void {
            $said = $driver->ask('ayse', "POST /orders/$sold/cancel");
            $check('from stage to stage: the next stage begins all the same, and knows of it', $said['status'] === 200, "{$said['status']} {$said['body']}");
            $beside->goesOn('from stage to stage', $driver, $db);
        });
        $beside->keepsInTheEnd('from stage to stage', Db::open($old));
    }
    foreach (['sqlite' => Databases::SQLITE, 'postgresql' => getenv('HOS_TEST_POSTGRES'), 'mariadb' => getenv('HOS_TEST_MARIADB')] as $kind => $where) {
        if (!$where) {
            echo "skipped: no server is named for $kind\n";
            continue;
        }
        foreach (!$fpm ? [false] : ($all ? [false, true] : [$where !== Databases::SQLITE]) as $with) {
            $on = $kind . ($with ? ', php-fpm' : ', php -S');
            $serve($options->stage, $databases->fresh($where), $with, function (Server $server, Driver $driver, Db $db) use ($on, $tellsStory, $check, &$first, $law, $stage, $beside): void {
                $law && Beside::guard($db);
                $story = $tellsStory($on, $server, $driver, $db);
                $told = $story->transcript;
                $first ??= $told;
                $stage === 'shadow' && $beside->watched($on, $story, $server, $db);
                if ($law) {
                    $beside->decided($on, $story, $driver, $db);
                    $beside->guarded($on, $db);
                    $beside->expires($on, $driver, $db);
                }
                // Where the law refuses, a number that was taken stays taken on PostgreSQL and MariaDB, so ids differ there.
                $law || $check("$on: the same bytes everywhere, and in every stage that only watches", $told === $first);
            });
            // Who only watches locks nothing, and how the shop itself fares is known by one database.
            if ($all || $law || ($stage === 'before' && $where === Databases::SQLITE)) {
                $serve($options->stage, $databases->fresh($where), $with, function (Server $server, Driver $driver, Db $db) use ($on, $race, $law, $beside): void {
                    $race($on, $server, $driver, $db);
                    $law && $beside->expiresBeside($on, $driver, $db);
                    $law && $beside->isClean("$on: after the races", $db);
                });
            }
            $stage === 'shadow' && $faults->harmNobody($on, $where, $with, $all);
            echo "$on: told, $passed passed, $failed failed\n";
        }
    }
    if ($stage === 'before') {
        $taken = stream_socket_server('tcp://127.0.0.1:0');
        $port = (string) parse_url('tcp://' . stream_socket_get_name($taken, false), PHP_URL_PORT);
        $words = ['env', '-u', 'PAZAR_DB', PHP_BINARY, dirname(__DIR__) . '/serve.php', 'before', '--port', $port, '--dir', "$dir/taken"];
        exec(implode(' ', array_map(escapeshellarg(...), $words)) . ' 2>&1', $lines, $exit);
        $said = implode("\n", $lines);
        $check('who is to serve on a port that is taken says so', $exit === 1 && $said === "port $port cannot be had: Address already in use", "$exit: $said");
        $lines = [];
        $readme = (string) file_get_contents(__DIR__ . '/../README.md');
        preg_match_all('#(before/[\w/]+\.php):(\d+)[^`]*`([^`]+)`#', $readme, $places, PREG_SET_ORDER);
        $check('README says where the shop is wrong', count($places) > 15, (string) count($places));
        foreach ($places as [, $file, $line, $code]) {
            $there = (file(__DIR__ . "/../$file") ?: [])[$line - 1] ?? '';
            $check("README: `$code` stands in $file, line $line", str_contains($there, $code), trim($there));
        }
    }
    if ($stage !== 'before') {
        $one = $stage === 'shadow' ? 'before' : 'shadow';
        exec('diff -rN ' . escapeshellarg(__DIR__ . "/../$one") . ' ' . escapeshellarg($options->stage), $lines);
        $changed = count(preg_grep('/^[<>]/', $lines));
        $check("between $one and $stage there are fewer than 100 lines", $changed > 10 && $changed < 100, (string) $changed);
        $lines = [];
    }
    exec(PHP_BINARY . ' ' . escapeshellarg(__DIR__ . '/drive.php') . " $stage --seconds 1 --workers 2", $lines, $exit);
    $load = json_decode($lines[0] ?? '', true);
    $check('the load mode buys and measures', $exit === 0 && $load['checkouts'] > 0 && $load['p50_ms'] > 0 && $load['p95_ms'] >= $load['p50_ms'], implode("\n", $lines));
} catch (\Throwable $error) {
    $check('the test runs to its end', false, (string) $error);
} finally {
    $databases->drop();
    exec('rm -rf ' . escapeshellarg($dir));
}
echo "pazar-php $stage: $passed passed, $failed failed\n";
exit($failed === 0 ? 0 : 1);
