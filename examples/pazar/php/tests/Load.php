<?php

declare(strict_types=1);

namespace Shop\Tests;

/** How long checkouts take, while several buyers buy at once. */
final class Load
{
    /** @var list<float> in milliseconds */
    public array $took = [];
    public int $failed = 0;
    private int $rounds = 0;

    /** @param float $pause seconds that a buyer thinks between two checkouts */
    public function __construct(
        public readonly string $stage,
        private readonly Driver $driver,
        private readonly int $workers,
        private readonly float $pause = 0.0,
    ) {
    }

    /** Each worker is a buyer of its own and buys something else each time: what is measured is the shop, not one row's lock. */
    public function run(float $seconds): void
    {
        $round = $this->rounds++;
        $buy = function (int $worker) use ($seconds, $round): array {
            $until = microtime(true) + $seconds;
            $took = [];
            for ($failed = 0, $i = $round; microtime(true) < $until; $i++) {
                $this->driver->ask("load-$worker", 'POST /cart', ['product' => 'x-' . (($worker * 16 + $i) % 64 + 1)]);
                $began = hrtime(true);
                $status = $this->driver->ask("load-$worker", 'POST /checkout', ['shop' => 's1'])['status'];
                $took[] = (hrtime(true) - $began) / 1e6;
                $failed += $status === 201 ? 0 : 1;
                usleep((int) ($this->pause * 1e6));
            }

            return [$took, $failed];
        };
        foreach (Driver::together(array_map(fn (int $worker) => fn () => $buy($worker), range(1, $this->workers))) as [$took, $failed]) {
            array_push($this->took, ...$took);
            $this->failed += $failed;
        }
    }

    /** In milliseconds: this share of the checkouts took no longer. */
    public function at(float $share): float
    {
        return self::of($this->took, $share);
    }

    /** @return list<float> the same of each tenth of the checkouts, in the order of the runs: whether it grows */
    public function course(float $share): array
    {
        $tenths = array_chunk($this->took, max(1, (int) ceil(count($this->took) / 10)));

        return array_map(fn (array $tenth): float => self::of($tenth, $share), $tenths);
    }

    /** @param list<float> $took */
    private static function of(array $took, float $share): float
    {
        sort($took);

        return round($took[(int) floor($share * (count($took) - 1))], 2);
    }

    /** @return array<string, string|int|float> */
    public function told(): array
    {
        $line = ['stage' => $this->stage, 'workers' => $this->workers, 'checkouts' => count($this->took), 'failed' => $this->failed];

        return $line + ['p50_ms' => $this->at(0.5), 'p95_ms' => $this->at(0.95)];
    }
}
