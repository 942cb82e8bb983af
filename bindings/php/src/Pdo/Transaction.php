<?php

declare(strict_types=1);

namespace Hos\Pdo;

use Hos\Answer;
use Hos\HosError;
use Hos\OutcomeUnknownError;
use Hos\RetryError;
use Hos\Status;

/**
 * The caller's work in a transaction, from its beginning to its commit, and from the beginning again where somebody else was in the
 * way.
 *
 * @internal
 */
final class Transaction
{
    /** The first pause, in microseconds; each further one may be twice as long. */
    private const PAUSE = 4000;

    public function __construct(private readonly Connection $connection)
    {
    }

    /** @param callable(\PDO): mixed $work */
    public function run(callable $work, int $tries): mixed
    {
        if ($tries < 1) {
            throw HosError::call('hos.call_malformed', '`tries` is a whole number, 1 at least');
        }
        $pdo = $this->connection->pdo;
        if ($this->connection->during($this->connection->isInside(...))) {
            $this->connection->during($this->connection->answers(...));

            throw HosError::call('hos.call_malformed', 'the connection is in a transaction already: whoever began it begins again');
        }
        for ($try = 1; ; $try++) {
            try {
                $this->connection->during(fn () => $pdo->beginTransaction());
                $this->connection->during($this->connection->mark(...));
                $given = $work($pdo);
                // One with a receipt is evidence of a refusal, which is to be kept.
                $last = is_array($given) ? self::ofAll($given) : $given;
                if ($last instanceof Answer && !$last->allowed && $last->receipt === null) {
                    $this->rollBack();
                } else {
                    $this->commit();
                }

                return $given;
            } catch (\Throwable $error) {
                $this->rollBack();
                if ($this->connection->passing($error) === null) {
                    throw $error;
                }
                if ($try >= $tries) {
                    $message = "the transaction was in another's way $tries times: {$error->getMessage()}";
                    throw new RetryError($message, 'hos.retry', Status::Retry, [], $error);
                }
            }
            usleep(random_int(0, self::PAUSE << min($try, 6)));
        }
    }

    private function commit(): void
    {
        $pdo = $this->connection->pdo;
        // Whoever ends it inside has ended it, be it the database.
        if (!$this->connection->during($this->connection->stands(...))) {
            throw HosError::call('hos.no_transaction', 'the work has ended the transaction, or an error that it has caught; what ends it is what it returns');
        }
        $mode = $pdo->getAttribute(\PDO::ATTR_ERRMODE);
        $pdo->setAttribute(\PDO::ATTR_ERRMODE, \PDO::ERRMODE_EXCEPTION);
        try {
            $pdo->commit();
        } catch (\PDOException $error) {
            try {
                $pdo->query('SELECT 1');
            } catch (\PDOException $lost) {
                if ($this->connection->passing($error) === null && !$this->isAborted($lost)) {
                    $message = 'the connection was lost in the commit: ask again under the same once-key';
                    throw new OutcomeUnknownError($message, 'hos.outcome_unknown', Status::Unknown, [], $error);
                }
            }

            throw $error;
        } finally {
            $pdo->setAttribute(\PDO::ATTR_ERRMODE, $mode);
        }
    }

    /**
     * The last answer of a list that `all` gave: it says what came of all. Any other array says nothing.
     *
     * @param array<mixed> $given
     */
    private static function ofAll(array $given): ?Answer
    {
        $last = end($given);

        return $last instanceof Answer && $last->isOfAll() ? $last : null;
    }

    /** The connection is there, and its transaction has failed. */
    private function isAborted(\PDOException $error): bool
    {
        return ($error->errorInfo[0] ?? '') === Connection::ABORTED;
    }

    private function rollBack(): void
    {
        try {
            if ($this->connection->pdo->inTransaction()) {
                $this->connection->during($this->connection->rollBack(...));
            }
        } catch (\Throwable) {
            // The connection is lost, and the transaction with it; or the database has ended it.
        }
    }
}
