<?php

declare(strict_types=1);

// Drives a stage over HTTP. Without --url it serves the stage itself, on a fresh SQLite file or on the database --db, which has
// to be empty. It tells the story and prints the transcript (or writes it to --out); with --seconds it measures checkouts instead
// and prints one line of JSON. With --url the server's PAZAR_SECRET has to be set here too (and PAZAR_CLOCK=request there).

use Shop\{Actor, Db, Options, Server};
use Shop\Tests\{Driver, Story};

foreach (['shared/Db', 'shared/Http', 'shared/Actor', 'shared/Options', 'shared/Server', 'tests/Driver', 'tests/Story'] as $file) {
    require __DIR__ . "/../$file.php";
}
$known = ['db' => true, 'url' => true, 'out' => true, 'fpm' => false, 'workers' => true, 'seconds' => true];
$options = new Options($argv, $known, 'php tests/drive.php STAGE [--db URL | --url URL] [--fpm] [--out FILE] [--workers 4] [--seconds 5]');
$workers = (int) $options->text('workers', '4');
$url = $options->text('url');
$server = null;
if ($url === null) {
    $dir = sys_get_temp_dir() . '/pazar-drive-' . getmypid();
    mkdir($dir, 0700);
    putenv('PAZAR_SECRET=story');
    $database = $options->text('db', "sqlite:$dir/shop.db");
    if (!Db::open($database)->setUp($options->stage)) {
        fwrite(STDERR, "$database is not empty\n");
        exit(2);
    }
    $env = ['PAZAR_DB' => $database, 'PAZAR_SECRET' => 'story', 'PAZAR_CLOCK' => 'request'];
    $server = new Server($options->stage, $dir, $env, $options->flag('fpm'), Server::freePort(), $workers);
    $url = $server->url;
}
$driver = new Driver($url);
try {
    $seconds = (float) $options->text('seconds', '0');
    if ($seconds > 0) {
        // Each worker is a buyer of its own and buys something else each time: what is measured is the shop, not one row's lock.
        $buy = static function (int $worker, float $seconds) use ($driver): array {
            $until = microtime(true) + $seconds;
            $took = [];
            for ($failed = 0, $i = 0; microtime(true) < $until; $i++) {
                $product = 'x-' . (($worker * 16 + $i) % 64 + 1);
                $driver->ask("load-$worker", 'POST /cart', ['product' => $product]);
                $began = hrtime(true);
                $status = $driver->ask("load-$worker", 'POST /checkout', ['shop' => 's1'])['status'];
                $took[] = (hrtime(true) - $began) / 1e6;
                $failed += $status === 201 ? 0 : 1;
            }

            return [$took, $failed];
        };
        $shares = Driver::together(array_map(fn (int $worker) => fn () => $buy($worker, $seconds), range(1, max(1, min(16, $workers)))));
        $took = array_merge(...array_column($shares, 0));
        sort($took);
        $at = fn (float $share): float => round($took[(int) floor($share * (count($took) - 1))], 2);
        $failed = array_sum(array_column($shares, 1));
        $line = ['stage' => basename($options->stage), 'workers' => $workers, 'seconds' => $seconds, 'checkouts' => count($took), 'failed' => $failed];
        echo json_encode($line + ['p50_ms' => $at(0.5), 'p95_ms' => $at(0.95)]), "\n";
        $exit = $failed === 0 ? 0 : 1;
    } else {
        $story = new Story($driver);
        $story->tell();
        $out = $options->text('out');
        $out === null ? print($story->transcript) : file_put_contents($out, $story->transcript);
        $odd = array_filter($story->steps, fn ($step) => $step['law'] === 'refused');
        $by = array_count_values(array_map(fn ($step) => intdiv($step['status'], 100), $odd)) + [2 => 0, 4 => 0, 5 => 0];
        fprintf(STDERR, "%d steps; of %d that the law refuses, %d were allowed and %d refused\n", count($story->steps), count($odd), $by[2], $by[4]);
        $exit = array_filter($story->steps, fn ($step) => $step['status'] >= 500) === [] ? 0 : 1;
    }
} finally {
    $server?->stop();
}
exit($exit);
