<?php

declare(strict_types=1);

namespace Shop;

foreach (['Db', 'Http', 'Actor', 'Routes', 'Texts', 'Read', 'Stock', 'Refunds', 'Law'] as $file) {
    require __DIR__ . "/../shared/$file.php";
}
foreach (['Policy', 'Contract', 'Proof'] as $door) {
    require __DIR__ . "/doors/$door.php";
}
require __DIR__ . '/../../../../bindings/php/src/autoload.php';

/** One request's world: who asks, when, the database, and the three doors that every action goes through (or should). */
final class World
{
    public readonly Policy $policy;
    public readonly Contract $contract;
    public readonly Proof $proof;
    private readonly \Hos\Actor $law;

    private function __construct(
        public readonly Db $db,
        public readonly Actor $actor,
        public readonly \DateTimeImmutable $now,
        public readonly string $language,
    ) {
        // The law watches, in the shop's own transaction: whatever is wrong with it, the shop goes on.
        $engine = \Hos\Engine::openForShadow(law: getenv('PAZAR_LAW') ?: null, store: $db->pdo, database: getenv('PAZAR_DB'));
        $this->law = $engine->tenant('pazar-tr')->as(Law::asker($actor), $language);
        $this->proof = new Proof($db, $actor, $now);
        $this->policy = new Policy($actor, $this->law);
        $this->contract = new Contract($db, $this->proof, $this->law);
    }

    public static function answer(Request $in): Response
    {
        try {
            $db = Db::open(getenv('PAZAR_DB') ?: throw new \LogicException('PAZAR_DB is not set'));
            $world = new self($db, Actor::of($in, $db), self::now($in), $in->language());
            [$action, $words] = Routes::find(__DIR__ . '/actions', $in);

            return $db->transaction(fn () => $world->once($in, fn () => $action($world, $in, ...$words)));
        } catch (Refusal $refusal) {
            return Response::refused($refusal, $in->language());
        } catch (\Throwable $error) {
            error_log("shop: $error");

            return Response::refused(new Refusal('trouble', 500), $in->language());
        }
    }

    /**
     * What was answered to this request id is answered again. A refusal leaves no trace: the id is free for another try.
     * The claim is the transaction's first statement, so that it begins with a write; that the body is the same, nobody asks.
     */
    private function once(Request $in, callable $action): Response
    {
        $provider = $this->actor->kind === 'provider';
        if ($this->actor->kind === 'nobody' || ($in->method === 'GET' && !$provider)) {
            return $action();
        }
        $id = $provider ? $in->text('event') : (string) $in->header('X-Request-Id');
        if ($id === '') {
            $id = $provider ? throw new Refusal('input_invalid', 400, ['field' => 'event']) : bin2hex(random_bytes(16));
        }
        if (strlen($id) > 128 || !mb_check_encoding($id, 'UTF-8')) {
            throw new Refusal('input_invalid', 400, ['field' => 'X-Request-Id']);
        }
        if (!$this->db->insertIfNew('request_ids', 'actor, id, status, answer', $this->actor->id, $id, 0, '')) {
            $said = $this->db->row('SELECT status, answer FROM request_ids WHERE actor = ? AND id = ?', $this->actor->id, $id);
            [$data, $view, $headers] = json_decode($said['answer'], true, flags: JSON_THROW_ON_ERROR);

            return new Response($data, $view, $said['status'], $headers + ['X-Replayed' => '1']);
        }
        $response = $action();
        $answer = json_encode([$response->data, $response->view, $response->headers], JSON_THROW_ON_ERROR);
        $this->db->run('UPDATE request_ids SET status = ?, answer = ? WHERE actor = ? AND id = ?', $response->status, $answer, $this->actor->id, $id);

        return $response;
    }

    /** The machine's clock; with PAZAR_CLOCK=request a test says by a header what time it is. */
    private static function now(Request $in): \DateTimeImmutable
    {
        $said = getenv('PAZAR_CLOCK') === 'request' ? $in->header('X-Pazar-Now') : null;

        return new \DateTimeImmutable($said ?? 'now', new \DateTimeZone('UTC'));
    }
}
