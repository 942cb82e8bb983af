<?php

declare(strict_types=1);

// The law takes in a shop that has sold for years, while it sells on: fills the table of orders, serves a stage over HTTP, and runs
// `hos adopt --rows`, which is killed some times and begun again, while buyers buy. Then it counts: each order is one instance, with one
// record of its own and one for each row that the shop's log has of it, and the evidence is intact. Prints a line of JSON; how long
// checkouts took before and meanwhile is in it, and how that went from tenth to tenth. Buyers pause: those who buy as fast as the machine
// can take it make more orders than anybody takes in.

use Shop\{Db, Founding, Options, Server};
use Shop\Tests\{Databases, Driver, Load};

foreach (['shared/Db', 'shared/Http', 'shared/Actor', 'shared/Options', 'shared/Server', 'shared/Founding'] as $file) {
    require __DIR__ . "/../$file.php";
}
foreach (['Driver', 'Load', 'Databases'] as $file) {
    require __DIR__ . "/$file.php";
}
$usage = 'php tests/adopt.php STAGE [--db SERVER] [--fpm] [--orders 1000000] [--kills 3] [--workers 4] [--pause 0.1] [--before 10] [--share 75]';
$options = new Options($argv, ['db' => true, 'fpm' => false, 'orders' => true, 'kills' => true, 'workers' => true, 'pause' => true, 'before' => true, 'share' => true], $usage);
[$orders, $kills] = [(int) $options->text('orders', '1000000'), (int) $options->text('kills', '3')];
$adopt = [...Founding::ADOPT, '--share', $options->text('share', '75')];
$pause = (float) $options->text('pause', '0.1');
$workers = max(1, min(16, (int) $options->text('workers', '4')));
$dir = sys_get_temp_dir() . '/pazar-adopt-' . getmypid();
mkdir($dir, 0700);
putenv("PAZAR_KEYS=$dir");
putenv('PAZAR_SECRET=story');
$databases = new Databases($dir);
$server = null;

/** An order of years ago, in one of the states that orders come to rest in. */
$order = static fn (int $i): array => [
    "old-$i", 'load-' . ($i % 16 + 1), 's' . ($i % 3 + 1), 100 + $i % 900, 0,
    ['fulfilled', 'fulfilled', 'fulfilled', 'cancelled', 'refunded', 'expired', 'paid', 'shipped'][$i % 8], '', '2019-05-01 12:00:00',
];
$fill = static function (Db $db) use ($orders, $order): void {
    for ($from = 0; $from < $orders; $from += 1000) {
        $rows = array_map($order, range($from, min($orders, $from + 1000) - 1));
        $marks = implode(', ', array_fill(0, count($rows), '(?, ?, ?, ?, ?, ?, ?, ?)'));
        $db->run("INSERT INTO orders (id, buyer, shop, total, paid, status, tracking, placed_at) VALUES $marks", ...array_merge(...$rows));
    }
};
try {
    $url = $databases->fresh($options->text('db', Databases::SQLITE));
    $db = Db::open($url);
    $db->setUp($options->stage);
    $fill($db);
    $env = ['PAZAR_DB' => $url, 'PAZAR_SECRET' => 'story', 'PAZAR_CLOCK' => 'request'];
    $server = new Server($options->stage, "$dir/shop", $env, $options->flag('fpm'), Server::freePort(), $workers);
    $driver = new Driver($server->url);
    $alone = new Load('before', $driver, $workers, $pause);
    $alone->run((float) $options->text('before', '10'));
    Founding::store($db);
    $meanwhile = new Load('meanwhile', $driver, $workers, $pause);
    $began = hrtime(true);
    for ($killed = 0, $buying = true; $buying;) {
        $process = Founding::start($db, $adopt, $pipe);
        // It is killed in ever later moments; its last run is let alone.
        $seconds = $killed < $kills ? 1.0 + $killed * 2.0 : 5.0;
        do {
            $meanwhile->run($seconds);
            $buying = proc_get_status($process)['running'];
        } while ($buying && $killed >= $kills);
        if ($buying) {
            proc_terminate($process, SIGKILL);
            $killed++;
        } else {
            $said = (string) stream_get_contents($pipe);
        }
        $exit = proc_close($process);
        $buying || $exit <= 1 || throw new \RuntimeException("hos adopt: $said");
    }
    $took = (hrtime(true) - $began) / 1e9;
    $server->stop();
    // What was bought while the last run was behind it.
    [, $said] = Founding::hos($db, Founding::ADOPT);
    [$exit, $verified] = Founding::hos($db, ['verify', '--json']);
    [$drifted, $drift] = Founding::hos($db, ['drift', __DIR__ . '/../shared/world.toml', '--tenant', 'pazar-tr', '--json']);
    $counted = fn (string $what, string $table, string $where): int => (int) $db->row("SELECT $what AS n FROM $table WHERE $where")['n'];
    $count = fn (string $table, string $where = '1 = 1'): int => $counted('COUNT(*)', $table, $where);
    $logged = "subject = 'order'";
    $told = [
        'orders' => $count('orders'), 'instances' => $count('hos_instance', "contract = 'order' AND state <> ''"),
        'log_rows' => $count('status_change_logs', $logged), 'told' => $counted('SUM(n)', 'hos_instance', "contract = 'order'"),
        'logged' => $counted('COUNT(DISTINCT subject_id)', 'status_change_logs', $logged), 'with_told_rows' => $count('hos_instance', "contract = 'order' AND n > 0"),
        'killed' => $killed, 'seconds' => round($took, 1),
        'verify' => json_decode($verified, true)['level'] ?? $verified, 'drift' => json_decode($drift, true) ?? $drift, 'last' => $said,
        'before' => $alone->told(), 'meanwhile' => $meanwhile->told(), 'p95_ratio' => round($meanwhile->at(0.95) / $alone->at(0.95), 3),
        'p95_tenths_ms' => $meanwhile->course(0.95),
    ];
    echo json_encode($told, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES), "\n";
    $exit = $told['orders'] === $told['instances'] && $told['told'] === $told['log_rows'] && $told['with_told_rows'] === $told['logged'] && $exit === 0 && $drifted === 0 ? 0 : 1;
} finally {
    $server?->stop();
    $databases->drop();
}
exit($exit);
