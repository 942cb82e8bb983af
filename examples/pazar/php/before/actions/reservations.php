<?php

declare(strict_types=1);

use Shop\{Read, Refusal, Request, Response, World};

const ROOMS = ['101' => 150_000, '102' => 150_000, 'suite' => 400_000];        // what a night costs
const DESK = ['waitlist', 'confirm', 'cancel', 'check_in', 'check_out', 'no_show'];

// Rooms: who books asks, the desk does the rest.
return [
    'GET /reservations' => static function (World $pazar): Response {
        $pazar->policy->may('reservation.view');
        $all = in_array('desk', $pazar->actor->roles, true);

        return new Response(['reservations' => Read::reservations($pazar->db, $all ? null : $pazar->actor->id), 'desk' => $all], 'reservations');
    },

    'POST /reservations' => static function (World $pazar, Request $in): Response {
        $room = $in->text('room');
        $row = [
            'booker' => $pazar->actor->id, 'guests' => $in->whole('guests'), 'nights' => $in->whole('nights'), 'room' => $room,
            'rate' => ROOMS[$room] ?? throw new Refusal('not_found', 404), 'deposit' => $in->text('deposit', 'No Deposit', 32),
        ];
        $arrival = date_create_immutable($in->text('arrival'), new DateTimeZone('UTC'));
        if (!$arrival || $arrival->format('Y') < 1970 || $arrival->format('Y') > 9999) {
            throw new Refusal('input_invalid', 400, ['field' => 'arrival']);       // not every database keeps the others
        }
        $pazar->policy->may('reservation.request', $row);
        $id = 'r-' . $pazar->db->number();
        $pazar->contract->begin(['reservation', $id, 'request', 'requested', $row]);
        $sql = "INSERT INTO reservations (id, booker, guests, nights, room, rate, deposit, arrival, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'requested')";
        $pazar->db->run($sql, $id, ...[...array_values($row), $arrival->format('Y-m-d H:i:s')]);

        return new Response(['reservation' => Read::reservation($pazar->db, $id)], 'reservation', 201, ['Location' => "/reservations/$id"]);
    },

    'GET /reservations/{id}' => static function (World $pazar, Request $in, string $id): Response {
        $row = Read::reservation($pazar->db, $id);
        $pazar->policy->may('reservation.view', $row);

        return new Response(['reservation' => $row], 'reservation');
    },

    'POST /reservations/{id}/{event}' => static function (World $pazar, Request $in, string $id, string $event): Response {
        if (!in_array($event, DESK, true)) {
            throw new Refusal('not_found', 404);
        }
        $pazar->policy->may("reservation.$event", Read::reservation($pazar->db, $id));
        $pazar->contract->move('reservation', $id, $event);

        return new Response(['reservation' => Read::reservation($pazar->db, $id)], 'reservation');
    },
];
