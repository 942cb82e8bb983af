<?php

declare(strict_types=1);

namespace Shop;

/** The one door for "what happened?": a row of `status_change_logs` for each change of a status. */
final class Proof
{
    public function __construct(private readonly Db $db, private readonly Actor $actor, private readonly \DateTimeImmutable $now)
    {
    }

    /**
     * @param string|null $from the status before; null when it begins, or when nobody looked
     * @param array<string, mixed> $detail
     */
    public function write(string $subject, string $id, ?string $from, string $to, string $event, array $detail = []): void
    {
        $this->db->run(
            'INSERT INTO status_change_logs (subject, subject_id, old_status, new_status, event, actor, detail, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
            $subject,
            $id,
            $from,
            $to,
            $event,
            $this->actor->id,
            json_encode((object) $detail, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR),
            $this->now->format('Y-m-d H:i:s'),
        );
    }
}
