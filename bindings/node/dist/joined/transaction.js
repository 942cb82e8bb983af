"use strict";
// A transaction that runs the host's own work, and again where the database asks for it.
Object.defineProperty(exports, "__esModule", { value: true });
exports.tryingOf = tryingOf;
exports.lent = lent;
exports.transacted = transacted;
const answer_1 = require("../answer");
const errors_1 = require("../errors");
const write_1 = require("../write");
const closures_1 = require("./closures");
const driver_1 = require("./driver");
const rounds_1 = require("./rounds");
const several_1 = require("./several");
const turns_1 = require("./turns");
const ISOLATIONS = new Set([undefined, "read committed", "repeatable read", "serializable"]);
const TRIES = 5;
/** The longest pause before the second try, in milliseconds; it doubles with each, up to half a second. */
const PAUSE = 10;
const PAUSE_MAX = 500;
/** What is in a transaction of `transacted` now. */
const busy = new WeakSet();
/** How the caller wants it; what is no way to run one is refused, and what is misspelt too. */
function tryingOf(work, trying) {
    if (typeof work !== "function" || !(0, write_1.plain)(trying))
        throw (0, errors_1.refusal)("hos.call_malformed", "transaction(work, { tries, isolation }) takes a function and an object");
    for (const name of Object.keys(trying)) {
        if (name !== "tries" && name !== "isolation") {
            throw (0, errors_1.refusal)("hos.call_malformed", `transaction(..) has no option \`${name}\`; it has \`tries\` and \`isolation\``);
        }
    }
    const { tries = TRIES, isolation } = trying;
    if (!Number.isSafeInteger(tries) || tries < 1)
        throw (0, errors_1.refusal)("hos.call_malformed", "`tries` is a whole number, 1 at least");
    if (!ISOLATIONS.has(isolation))
        throw (0, errors_1.refusal)("hos.call_malformed", "`isolation` is `read committed`, `repeatable read` or `serializable`");
    return { tries, isolation };
}
/** Does work on a connection out of the pool, which goes back behind it; away, where it is broken. */
function* lent(driver, pool, seen, work) {
    let taken;
    try {
        taken = yield () => driver.take(pool);
    }
    catch (thrown) {
        throw (0, rounds_1.troubled)(driver, thrown, "the pool gave no connection; `cause` says why");
    }
    try {
        return yield* work(taken.connection);
    }
    finally {
        (0, turns_1.endEra)(driver.connection(taken.connection));
        taken.giveBack(seen.isBroken);
    }
}
/** Runs the work in a transaction: it commits where the work gives something, and rolls back where it throws or gives an answer that refuses. */
function* transacted(driver, connection, work, trying, seen) {
    const { tries, isolation } = trying;
    if (busy.has(connection) || (yield* begun(driver, connection, seen))) {
        throw (0, errors_1.refusal)("hos.call_malformed", "the connection is in a transaction already: a transaction of its own needs a connection of its own");
    }
    if (busy.has(connection))
        throw (0, errors_1.refusal)("hos.call_malformed", "two transactions at once on one connection: each needs one of its own");
    busy.add(connection);
    try {
        for (let tried = 1;; tried += 1) {
            try {
                return (yield* once(driver, connection, work, isolation, seen));
            }
            catch (thrown) {
                // Of a call, or of a statement of the host's own.
                if (tried >= tries || seen.isBroken || (0, closures_1.retryOf)(driver, thrown) === undefined)
                    throw thrown;
            }
            const pause = Math.random() * Math.min(PAUSE * 2 ** (tried - 1), PAUSE_MAX);
            yield () => (driver.isNow ? void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause) : new Promise((done) => setTimeout(done, pause)));
        }
    }
    finally {
        busy.delete(connection);
    }
}
function* once(driver, connection, work, isolation, seen) {
    const say = (sql) => () => driver.run(connection, (0, driver_1.plainly)(sql));
    // What the host's own work throws is thrown as it is.
    let isOurs = true;
    let isAtItsEnd = false;
    try {
        (0, turns_1.endEra)(connection);
        yield* driver.begin(connection, isolation);
        isOurs = false;
        const given = yield work;
        isOurs = true;
        if (driver.isNow && typeof given?.then === "function") {
            void Promise.resolve(given).catch(() => { });
            throw (0, errors_1.refusal)("hos.call_malformed", "this connection answers at once: its transaction is over before a promise is kept");
        }
        // A refusal has left nothing of itself, and the host's rows go with it. One with a receipt is evidence, which is to be kept.
        const said = (0, several_1.lastOf)(given);
        const isNo = said instanceof answer_1.Answer && !said.allowed && said.receipt === undefined;
        yield* isNo ? ended(connection) : awaited(connection);
        (0, turns_1.endEra)(connection);
        // Behind the last that is said in it, for that may have ended it.
        if (!(yield () => driver.isOurs(connection)))
            throw notOurs();
        if (isNo) {
            yield say("ROLLBACK");
            return given;
        }
        isAtItsEnd = true;
        if (!(yield* driver.commit(connection)))
            throw notOurs();
        return given;
    }
    catch (thrown) {
        const trouble = driver.trouble(thrown).trouble;
        // A commit that nobody answered may still come through, and its connection is not one to go on with.
        if (isAtItsEnd && !(thrown instanceof errors_1.HosError) && !driver.isSaid(thrown))
            seen.isBroken = true;
        else {
            try {
                yield* ended(connection);
                if (driver.isNow ? (yield () => driver.inside(connection)) === true : true)
                    yield say("ROLLBACK");
            }
            catch {
                seen.isBroken = true;
            }
        }
        // A commit whose end nobody heard of.
        if (isAtItsEnd && seen.isBroken && trouble !== "retry") {
            throw new errors_1.OutcomeUnknownError("unknown", "hos.outcome_unknown", "the server did not answer the commit: ask again under the same once-key", { cause: thrown });
        }
        throw isOurs && !(thrown instanceof errors_1.HosError) ? (0, rounds_1.troubled)(driver, thrown) : thrown;
    }
}
function notOurs() {
    return new errors_1.CallError("call", "hos.no_transaction", "the transaction was ended by the work that ran in it, or by the database: nothing more is committed");
}
/** Whether there is a transaction, and not only one that the next statement would begin. */
function* begun(driver, connection, seen) {
    try {
        return (yield () => (driver.begun === undefined ? driver.inside(connection) : driver.begun(connection))) === true;
    }
    catch (thrown) {
        seen.isBroken = true;
        throw (0, rounds_1.troubled)(driver, thrown);
    }
}
/** Nothing more is said of the calls that are still under way, and what was said of them is answered. */
function* ended(connection) {
    (0, turns_1.endEra)(connection);
    yield* rested(connection);
}
/** Sees to it that a commit overtakes no call: what the work has not waited for is not committed half. */
function* awaited(connection) {
    const sound = () => {
        if ((0, turns_1.eraOf)(connection).calls === 0)
            return;
        throw (0, errors_1.refusal)("hos.call_malformed", "a call was still under way when the work of its transaction ended: await each call; all of it was rolled back");
    };
    sound();
    // Calls in shadow do no harm: they come to their end first.
    yield* rested(connection);
    sound();
}
function* rested(connection) {
    for (let rest = (0, turns_1.quiet)(connection); rest !== undefined; rest = (0, turns_1.quiet)(connection))
        yield () => rest;
}
