<?php

declare(strict_types=1);

// Serves a stage of the shop until it is interrupted: with PHP's own server, or with nginx and php-fpm. PAZAR_DB names the
// database (default: an SQLite file in DIR); tables and fixtures are made if they are not there. PAZAR_SECRET signs tokens; a
// new one is made for this run if it is not set. Of a stage that asks the law, seal keys are in PAZAR_KEYS (default: DIR), and
// `hos work` runs beside the shop.

foreach (['Db', 'Http', 'Actor', 'Options', 'Server', 'Founding'] as $file) {
    require __DIR__ . "/shared/$file.php";
}
$known = ['fpm' => false, 'port' => true, 'workers' => true, 'dir' => true];
$options = new Shop\Options($argv, $known, 'php serve.php STAGE [--fpm] [--port 8080] [--workers 4] [--dir DIR]');
$dir = $options->text('dir', sys_get_temp_dir() . '/pazar-' . getmypid());
if (!is_dir($dir)) {
    mkdir($dir, 0700, true);
}
$dir = (string) realpath($dir);
$env = ['PAZAR_DB' => getenv('PAZAR_DB') ?: "sqlite:$dir/shop.db", 'PAZAR_SECRET' => getenv('PAZAR_SECRET') ?: bin2hex(random_bytes(16))];
putenv('PAZAR_KEYS=' . (getenv('PAZAR_KEYS') ?: $dir));
$db = Shop\Db::open($env['PAZAR_DB']);
$db->setUp($options->stage);
$asks = is_file("$options->stage/setup.php");
putenv("PAZAR_SECRET={$env['PAZAR_SECRET']}");
try {
    $server = new Shop\Server($options->stage, $dir, $env, $options->flag('fpm'), (int) $options->text('port', '8080'), (int) $options->text('workers', '4'));
} catch (RuntimeException $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    exit(1);
}

pcntl_async_signals(true);
$over = false;
foreach ([SIGINT, SIGTERM, SIGHUP] as $signal) {
    pcntl_signal($signal, static function () use (&$over): void {
        $over = true;
    });
}
// The back office expires orders at this address; a crontab would call it every few minutes.
$cron = "curl -X POST -H 'X-Cron-Key: " . Shop\Actor::sign('cron', '/cron/expire') . "' $server->url/cron/expire";
echo "$server->url\nusers: ayse bora (buyers) mert selin (sellers) deniz okan (support) hatice (desk); password: pazar\nlogs: $dir\ncron: $cron\n";
for ($beat = 0; !$over && $server->alive(); $beat++) {
    if ($asks && $beat % 10 === 0) {
        try {
            Shop\Founding::work($db);
        } catch (RuntimeException $error) {
            fwrite(STDERR, $error->getMessage());       // the shop goes on; what waits is sealed later
        }
    }
    usleep(200_000);
}
$over || fwrite(STDERR, "the server ended by itself\n" . $server->printed());
$server->stop();
exit($over ? 0 : 1);
