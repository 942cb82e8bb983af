<?php

declare(strict_types=1);

// Drives a stage over HTTP: tells it the story and prints the transcript (or writes it to --out); with --seconds it measures checkouts
// instead and prints a line of JSON, and with --against other stages as well (`before,shadow`), in turns of a second, and how they compare
// with the first. The stage is served for it, on a database of its own: an SQLite file, or one that is made on the server --db and dropped in the end. With
// --url a server that runs already is driven, whose PAZAR_SECRET has to be set here too (and PAZAR_CLOCK=request there).

use Shop\{Db, Options, Server};
use Shop\Tests\{Databases, Driver, Load, Story};

foreach (['shared/Db', 'shared/Http', 'shared/Actor', 'shared/Options', 'shared/Server', 'shared/Founding'] as $file) {
    require __DIR__ . "/../$file.php";
}
foreach (['Driver', 'Story', 'Load', 'Databases'] as $file) {
    require __DIR__ . "/$file.php";
}
$usage = 'php tests/drive.php STAGE [--db SERVER | --url URL] [--fpm] [--out FILE] [--workers 4] [--seconds 5 [--against STAGE,..]]';
$known = ['db' => true, 'url' => true, 'out' => true, 'fpm' => false, 'workers' => true, 'seconds' => true, 'against' => true];
$options = new Options($argv, $known, $usage);
$workers = max(1, min(16, (int) $options->text('workers', '4')));
$seconds = (float) $options->text('seconds', '0');
$dir = sys_get_temp_dir() . '/pazar-drive-' . getmypid();
mkdir($dir, 0700);
putenv("PAZAR_KEYS=$dir");
$databases = new Databases($dir);
$servers = [];
$serve = static function (string $stage) use ($options, $workers, $dir, $databases, &$servers): string {
    putenv('PAZAR_SECRET=story');
    $database = $databases->fresh($options->text('db', Databases::SQLITE));
    Db::open($database)->setUp($stage);
    $env = ['PAZAR_DB' => $database, 'PAZAR_SECRET' => 'story', 'PAZAR_CLOCK' => 'request'];
    $servers[] = $server = new Server($stage, "$dir/" . basename($stage) . count($servers), $env, $options->flag('fpm'), Server::freePort(), $workers);

    return $server->url;
};
try {
    $driver = new Driver($options->text('url') ?? $serve($options->stage));
    if ($seconds > 0) {
        $loads = [new Load(basename($options->stage), $driver, $workers)];
        $against = $options->text('against');
        foreach (array_reverse($against === null ? [] : explode(',', $against)) as $other) {
            array_unshift($loads, new Load($other, new Driver($serve(__DIR__ . "/../$other")), $workers));
        }
        for ($second = 0; $second < $seconds; $second++) {
            foreach ($loads as $load) {
                $load->run(min(1.0, $seconds - $second));
            }
        }
        foreach ($loads as $load) {
            echo json_encode($load->told()), "\n";
        }
        foreach (array_slice($loads, 1) as $load) {
            $ratio = fn (float $share): float => round($load->at($share) / $loads[0]->at($share), 3);
            echo json_encode(['stage' => $load->stage, 'against' => $loads[0]->stage, 'p50_ratio' => $ratio(0.5), 'p95_ratio' => $ratio(0.95)]), "\n";
        }
        $exit = array_sum(array_column($loads, 'failed')) === 0 ? 0 : 1;
    } else {
        $story = new Story($driver);
        $story->tell();
        $out = $options->text('out');
        $out === null ? print($story->transcript) : file_put_contents($out, $story->transcript);
        $odd = array_filter($story->steps, fn ($step) => $step['law'] === 'refused');
        $by = array_count_values(array_map(fn ($step) => intdiv($step['status'], 100), $odd)) + [2 => 0, 4 => 0];
        fprintf(STDERR, "%d steps; of %d that the law refuses, %d were allowed and %d refused\n", count($story->steps), count($odd), $by[2], $by[4]);
        $exit = array_filter($story->steps, fn ($step) => $step['status'] >= 500) === [] ? 0 : 1;
    }
} finally {
    foreach ($servers as $server) {
        $server->stop();
        fwrite(STDERR, preg_replace('/^.*policy shadow.*\n/m', '', $server->log()));
    }
    $databases->drop();
    exec('rm -rf ' . escapeshellarg($dir));
}
exit($exit);
