<?php

declare(strict_types=1);

namespace Hos\Tests;

use Hos\Tests\Support\Fpm;
use Hos\Tests\Support\Place;
use PHPUnit\Framework\TestCase;

/** Each fenced block of the READMEs does what it says. */
final class ReadmeTest extends TestCase
{
    /** @return array<string, array{string}> */
    public function pages(): array
    {
        return ['English' => ['README.md'], 'Turkish' => ['README.tr.md']];
    }

    /** @return list<array{string, string}> language and text */
    private function blocks(string $page): array
    {
        $text = (string) file_get_contents(dirname(__DIR__) . "/$page");
        preg_match_all('/^```(\w*)\n(.*?)^```$/ms', $text, $found, PREG_SET_ORDER);
        self::assertSame(substr_count($text, '```'), 2 * count($found), 'every fence is a block');

        return array_map(static fn (array $block): array => [$block[1], $block[2]], $found);
    }

    /** @return list<string> what stands between single backquotes, each once */
    private function words(string $page): array
    {
        $text = (string) file_get_contents(dirname(__DIR__) . "/$page");
        preg_match_all('/`([^`]+)`/', (string) preg_replace('/^```.*?^```$/ms', '', $text), $found);
        $words = array_unique($found[1]);
        sort($words);

        return $words;
    }

    /** What one page tells of, the other does too: the names are the same in all languages. */
    public function testBothPagesSpeakOfTheSame(): void
    {
        [[$english], [$turkish]] = array_values($this->pages());
        $words = $this->words($english);
        self::assertContains('hos.no_transaction', $words);
        self::assertSame($words, $this->words($turkish));
    }

    /**
     * Runs a block of commands in a directory, with the page's places meant in it.
     *
     * @param array<string, string> $env
     */
    private function shell(string $dir, string $commands, array $env = []): void
    {
        if (!is_dir("$dir/bin")) {
            mkdir("$dir/bin");
            symlink(Place::hos(), "$dir/bin/hos");
        }
        $commands = strtr($commands, [
            '/srv/h-os' => Place::root(), '/srv/pazar/law' => Place::law(), '/srv/pazar' => $dir, '/opt/hos' => $dir, '/etc/php' => $dir,
        ]);
        $command = ['sh', '-euc', "cd $dir\n$commands"];
        [$exit, $said] = Place::command($command, $env + ['HOME' => $dir, 'PATH' => "$dir/bin:" . getenv('PATH')]);
        self::assertSame(0, $exit, $said);
    }

    /** @dataProvider pages */
    public function testTheCode(string $page): void
    {
        foreach (['Symfony/Component/Security/Core', 'Illuminate/Auth'] as $package) {
            if (!is_file("/usr/share/php/$package/autoload.php")) {
                self::markTestSkipped("$package is missing: apt install php-symfony-security-core php-illuminate-auth");
            }
        }
        $dir = Place::directory();
        mkdir("$dir/vendor");
        $autoload = "<?php require '" . dirname(__DIR__) . "/src/autoload.php';";
        foreach (['Symfony/Component/Security/Core', 'Illuminate/Auth', 'Illuminate/Container'] as $package) {
            $autoload .= "require '/usr/share/php/$package/autoload.php';";
        }
        file_put_contents("$dir/vendor/autoload.php", $autoload);
        [$code, $wanted, $stores] = ['', '', 0];
        foreach ($this->blocks($page) as [$language, $text]) {
            match ($language) {
                'php' => $code .= $text,
                'text' => $wanted .= $text,
                'sh', 'ini' => null,
            };
            // All that a reader has is what the page made so far.
            if ($language === 'sh' && str_contains($text, 'hos init')) {
                $this->shell($dir, $text);
                $stores++;
            }
        }
        self::assertNotSame('', $wanted);
        self::assertSame(2, $stores);
        $places = ['/srv/pazar/law' => Place::law(), '/srv/pazar/hos.db' => "$dir/hos.db", '/srv/pazar/app.db' => "$dir/app.db"];
        file_put_contents("$dir/all.php", strtr($code, $places));
        chdir($dir);
        [$exit, $said] = Place::command([PHP_BINARY, '-d', 'error_reporting=-1', "$dir/all.php"]);
        self::assertSame($wanted, $said);
        self::assertSame(0, $exit);
    }

    /** @dataProvider pages */
    public function testTheCommands(string $page): void
    {
        [$missing] = Place::command(['composer', '--version'], ['COMPOSER_ALLOW_SUPERUSER' => '1']);
        if ($missing !== 0) {
            self::markTestSkipped('composer is missing: apt install composer');
        }
        $dir = Place::directory();
        file_put_contents("$dir/composer.json", '{}');
        copy(Place::library(), "$dir/libhos.so.1");
        $run = 0;
        foreach ($this->blocks($page) as [$language, $text]) {
            if ($language !== 'sh') {
                continue;
            }
            $env = ['COMPOSER_ALLOW_SUPERUSER' => '1', 'COMPOSER_DISABLE_NETWORK' => '1', 'COMPOSER_NO_INTERACTION' => '1'];
            $this->shell($dir, $text, $env);
            $run++;
        }
        self::assertSame(4, $run);
        self::assertStringContainsString("#define FFI_LIB \"$dir/libhos.so.1\"", (string) file_get_contents("$dir/hos.ffi.h"));
        $version = "<?php require '$dir/vendor/autoload.php'; echo Hos\\Engine::version();";
        file_put_contents("$dir/t.php", $version);
        [$exit, $said] = Place::command([PHP_BINARY, "$dir/t.php"], ['HOS_LIBRARY' => "$dir/libhos.so.1"]);
        self::assertSame([0, \Hos\Engine::version()], [$exit, $said]);
    }

    /** @dataProvider pages */
    public function testTheSettings(string $page): void
    {
        $run = 0;
        foreach ($this->blocks($page) as [$language, $text]) {
            if ($language !== 'ini') {
                continue;
            }
            $root = posix_geteuid() === 0;
            $settings = parse_ini_string($text, false, INI_SCANNER_RAW);
            self::assertSame(['opcache.preload', 'opcache.preload_user', 'ffi.preload'], array_keys($settings));
            $ours = [];
            foreach ($settings as $name => $value) {
                $value = strtr($value, ['/srv/pazar/vendor/h-os/hos' => dirname(__DIR__)]);
                self::assertTrue($name === 'opcache.preload_user' || is_file($value), $value);
                $ours[$name] = $value;
            }
            // The packaged header names the library by its name alone: here it is found by the environment.
            $lib = Place::directory();
            symlink(Place::library(), "$lib/libhos.so.1");
            $store = Place::pazar();
            if (!$root) {
                // The last two are for a server that starts as root.
                $ours = ['opcache.preload' => $ours['opcache.preload'], 'opcache.preload_user' => '', 'ffi.preload' => ''];
            }
            putenv("LD_LIBRARY_PATH=$lib");
            try {
                $fpm = new Fpm(ini: $ours);
                $told = $fpm->told('worker.php', ['do' => 'open', 'store' => $store]);
                $fpm->stop();
            } finally {
                putenv('LD_LIBRARY_PATH');
            }
            self::assertTrue($told['allowed'] ?? null, json_encode($told));
            $run++;
        }
        self::assertSame(1, $run);
    }
}
