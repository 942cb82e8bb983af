"use strict";
// Whose turn it is on a connection, and in which of its transactions. A call belongs to the transaction that it was made in: when
// that has ended, nothing more of the call is said to the database, where another may have begun meanwhile.
Object.defineProperty(exports, "__esModule", { value: true });
exports.eraOf = eraOf;
exports.endEra = endEra;
exports.stands = stands;
exports.over = over;
exports.inLane = inLane;
exports.quiet = quiet;
const errors_1 = require("../errors");
const known = new WeakMap();
function turnsOf(connection) {
    let turns = known.get(connection);
    if (turns === undefined)
        known.set(connection, (turns = { era: { calls: 0 }, waiting: 0, last: Promise.resolve() }));
    return turns;
}
/** What a call is made in that is made now. */
function eraOf(connection) {
    return turnsOf(connection).era;
}
/** What was made until now is over: said before a transaction is ended or begun, and where one is seen to have ended. */
function endEra(connection) {
    turnsOf(connection).era = { calls: 0 };
}
/** Throws where the transaction has ended that a call was made in. */
function stands(connection, era) {
    if (era !== eraOf(connection))
        throw over();
}
/** The transaction of a call has ended. */
function over() {
    const why = "the transaction that the call was made in has ended: await each call before it is committed or rolled back";
    return new errors_1.CallError("call", "hos.no_transaction", why);
}
/** One at a time on each connection: the rounds of two steps must not run in between each other. */
function inLane(connection, work) {
    const turns = turnsOf(connection);
    turns.waiting += 1;
    const mine = turns.last.then(work);
    const done = () => void (turns.waiting -= 1);
    turns.last = mine.then(done, done);
    return mine;
}
/** Waits for the steps that wait or run; `undefined` where there are none. */
function quiet(connection) {
    const { waiting, last } = turnsOf(connection);
    return waiting === 0 ? undefined : last;
}
