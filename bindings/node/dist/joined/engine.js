"use strict";
// An engine that joins the transactions of the host's own connection.
Object.defineProperty(exports, "__esModule", { value: true });
exports.JoinedEngine = void 0;
exports.isStore = isStore;
exports.openJoined = openJoined;
exports.absentJoined = absentJoined;
const answer_1 = require("../answer");
const errors_1 = require("../errors");
const lane_1 = require("../lane");
const native_1 = require("../native");
const path_1 = require("../path");
const read_1 = require("../read");
const shadow_1 = require("../shadow");
const told_1 = require("../told");
const write_1 = require("../write");
const actor_1 = require("./actor");
const better_sqlite3_1 = require("./better-sqlite3");
const closures_1 = require("./closures");
const mysql2_1 = require("./mysql2");
const pg_1 = require("./pg");
const rounds_1 = require("./rounds");
const transaction_1 = require("./transaction");
const turns_1 = require("./turns");
const work_1 = require("./work");
const DRIVERS = [pg_1.pg, mysql2_1.mysql2, better_sqlite3_1.betterSqlite3];
const OPTIONS = new Set(["store", "directoryAgeMaxMs"]);
/** How much of a failure's message stands in a blocker. */
const MESSAGE_MAX = 1_000;
const refusals = new WeakMap();
/**
 * An engine in the transaction that the host already has. It has no connection of its own: what it asks runs on the host's, in the
 * host's transaction, and is committed or rolled back with the host's rows. Open one for each database, once; `on` gives it
 * another connection.
 */
class JoinedEngine {
    #parts;
    /** Made by `Engine.open`. */
    constructor(parts) {
        this.#parts = parts;
        Object.freeze(this);
    }
    /** Why there is no engine, where `openForShadow` could open none. */
    get absent() {
        return this.#parts.absent;
    }
    /** This engine on another connection to the same database. What was read of laws and of the directory is read once for all. */
    on(connection) {
        const found = driverOf(connection);
        if (found === undefined || found.dialect !== this.#parts.driver.dialect) {
            throw (0, errors_1.refusal)("hos.call_malformed", `on(connection) takes a connection like the one that the engine was opened with (${this.#parts.driver.dialect})`);
        }
        return new JoinedEngine({ ...this.#parts, store: connection, connection: fitOf(found, connection), era: undefined });
    }
    /** A tenant. Whether the store has it is seen by each call. */
    tenant(name) {
        return new actor_1.JoinedTenant(this, name);
    }
    /**
     * Runs the work in a transaction: commits where it gives something, rolls back where it throws or gives an answer that refuses and
     * has no receipt. Where the database asks for it
     * (a deadlock, a row that changed), everything is done once more, so the work does nothing that a rollback does not undo.
     * Its engine is of this transaction alone; a call that the work has not awaited is refused behind its end, and none is overtaken.
     */
    transaction(work, trying = {}) {
        const { driver, store, connection } = this.#parts;
        const seen = { isBroken: false };
        return this._run(() => {
            this.#stands();
            const tried = (0, transaction_1.tryingOf)(work, trying);
            const run = (host) => {
                const on = this.on(host);
                const here = on.#connection();
                const bound = () => (driver.isNow ? on : new JoinedEngine({ ...on.#parts, era: (0, turns_1.eraOf)(here) }));
                return (0, transaction_1.transacted)(driver, here, () => work(host, bound()), tried, seen);
            };
            return connection === undefined ? (0, transaction_1.lent)(driver, store, seen, run) : run(store);
        });
    }
    /** Makes evidence of a refusal, after the transaction in which it was given was rolled back: in another transaction. */
    refused(answer) {
        const kept = refusals.get(answer);
        return this._called(false, true, function* (era) {
            if (kept === undefined || kept.native !== this.#parts.native) {
                throw (0, errors_1.refusal)("hos.call_malformed", "refused(answer) takes the answer of a call that this engine refused");
            }
            const stepped = (yield () => this._step(era, "refused", `{"refusal":${kept.number}}`));
            return this._answer(stepped, kept.tenant, kept.language);
        }.bind(this));
    }
    /** Answers nobody any more. The connection is the host's, and stays as it is. */
    close() {
        this.#parts.life.isClosed = true;
    }
    /** @internal Does work as this connection does. What it throws is thrown where one waits for it. */
    _run(work) {
        return (this.#parts.driver.isNow ? (0, work_1.now)(work()) : (async () => (0, work_1.later)(work()))());
    }
    /** @internal A call. Whether somebody has to await it before its transaction ends, is counted. */
    _called(isQuestion, isCounted, work) {
        const era = this._era(isQuestion);
        if (era === undefined || !isCounted)
            return this._run(() => work(era));
        era.calls += 1;
        return (async () => {
            try {
                return await (0, work_1.later)(work(era));
            }
            finally {
                era.calls -= 1;
            }
        })();
    }
    /** @internal The transaction that a call is made in which is made now. A question needs none, but of an engine that is of one. */
    _era(isQuestion) {
        const { driver, connection, era } = this.#parts;
        if (era !== undefined)
            return era;
        return driver.isNow || isQuestion || connection === undefined ? undefined : (0, turns_1.eraOf)(connection);
    }
    /** @internal One step, in its turn. */
    _step(era, operation, json, isHarmless = false) {
        const on = (engine) => {
            const ground = engine.#ground();
            return engine.#inTurn(ground, era, () => (isHarmless ? rounds_1.harmless : rounds_1.step)(ground, operation, json));
        };
        return this.#parts.connection === undefined && (0, rounds_1.isQuestion)(operation) ? this.#onPool(operation, json, on) : on(this);
    }
    /** A question on a pool: on one of its connections, where it is not answered from memory. Those that wait may be, behind the first. */
    #onPool(operation, json, ask) {
        this.#stands();
        const { native, driver, store } = this.#parts;
        const seen = { isBroken: false };
        const asked = function* (host) {
            try {
                return (yield () => ask(this.on(host)));
            }
            catch (thrown) {
                // What the server has not answered may be under way still.
                seen.isBroken = !(0, errors_1.isA)(thrown, errors_1.HosError) || (thrown.cause !== undefined && !driver.isSaid(thrown.cause));
                throw thrown;
            }
        }.bind(this);
        return (0, turns_1.inLane)(store, async () => (0, rounds_1.known)(native, operation, json) ?? (0, work_1.later)((0, transaction_1.lent)(driver, store, seen, asked)));
    }
    /** @internal The world's own outcome in place of a failure, where the law leaves it that; most often it is said from memory. */
    *_instead(operation, call, why) {
        const { native, life, absent } = this.#parts;
        if (life.isClosed || absent !== undefined)
            return undefined;
        const failed = JSON.stringify({ operation, call, code: String(why.code), message: (0, write_1.sound)((0, errors_1.bare)(why), MESSAGE_MAX) });
        const said = native.step("instead", undefined, failed);
        const [status, json] = (0, told_1.split)(said);
        if ((0, rounds_1.left)(native, said))
            return yield* this.#learned(failed);
        if (status !== "allowed" && status !== "refused")
            return undefined;
        const { answer } = (0, read_1.parse)(json);
        return { allowed: status === "allowed", answer, earlier: [], refusal: undefined, leave: [] };
    }
    /** The same in its turn, where no law was read yet and so the database is asked for it. */
    *#learned(failed) {
        try {
            return (yield () => this._step(this._era(true), "instead", failed, true));
        }
        catch (thrown) {
            if ((0, shadow_1.isUndone)(thrown))
                throw thrown;
            return undefined;
        }
    }
    /** @internal Has the host's code tell the rest of a call that carries the world's own outcome. */
    _filled(draft, codes) {
        return (0, closures_1.filledBeside)(this.#parts.driver, this.#parts.connection, draft, codes);
    }
    /** @internal Takes a claim back; with its transaction it is gone by itself. */
    _leave(era, claimed) {
        const ground = this.#ground();
        if (era !== undefined && era !== (0, turns_1.eraOf)(ground.connection))
            return undefined;
        return this.#inTurn(ground, era, () => (0, rounds_1.translated)(ground, claimed.leave));
    }
    /** Before each thing that it says to the database, a call looks whether its transaction is there. */
    #inTurn({ driver, connection }, era, work) {
        if (driver.isNow)
            return (0, work_1.now)(work());
        if (era === undefined)
            return (0, turns_1.inLane)(connection, () => (0, work_1.later)(work()));
        const first = () => (0, turns_1.stands)(connection, era);
        return (0, turns_1.inLane)(connection, async () => {
            // What is known in memory is not told either.
            first();
            return (0, work_1.later)(work(), first);
        });
    }
    /** @internal Whether answers are there at once. */
    get _isNow() {
        return this.#parts.driver.isNow;
    }
    /** @internal The answer of a step. */
    _answer(stepped, tenant, language) {
        const words = (code, other) => this._message(tenant, code, other);
        const answer = new answer_1.Answer(new answer_1.Told(stepped.allowed, stepped.answer), words, language);
        if (stepped.refusal !== undefined)
            refusals.set(answer, { native: this.#parts.native, number: stepped.refusal, tenant, language });
        return answer;
    }
    /** @internal What the law tells an end user of a code; it is read from memory. */
    _message(tenant, code, language) {
        const asked = new write_1.Draft().need("tenant", tenant).need("code", code).need("language", language).json();
        const [, json] = (0, told_1.answered)(this.#parts.native.step("message", undefined, asked), undefined);
        return JSON.parse(json).message;
    }
    /** Throws where nobody is answered. */
    #stands() {
        const { life, absent } = this.#parts;
        if (life.isClosed)
            throw new errors_1.ClosedError("closed", "hos.engine_closed", "the engine was closed; open it again");
        if (absent !== undefined)
            throw absent;
    }
    #ground() {
        this.#stands();
        const { native, driver, life } = this.#parts;
        return { native, driver, connection: this.#connection(), life };
    }
    #connection() {
        const { connection } = this.#parts;
        if (connection !== undefined)
            return connection;
        throw (0, errors_1.refusal)("hos.no_transaction", "a pool is in no transaction: ask in engine.transaction(..), or on a connection by engine.on(connection)");
    }
}
exports.JoinedEngine = JoinedEngine;
/** Whether this is a connection or a pool, and no file's name. */
function isStore(options) {
    try {
        const store = typeof options === "object" && options !== null ? options.store : undefined;
        return typeof store === "object" && store !== null;
    }
    catch {
        // What cannot be read is refused by who reads all options.
        return false;
    }
}
/** Opens; nothing is read of the database yet. */
function openJoined(law, options) {
    const store = options.store;
    const driver = driverOf(store);
    if (driver === undefined) {
        throw (0, errors_1.refusal)("hos.call_malformed", "`store` is a file's name, or a connection or a pool of pg, mysql2 or better-sqlite3");
    }
    for (const name of Object.keys(options)) {
        if (!OPTIONS.has(name))
            throw (0, errors_1.refusal)("hos.call_malformed", `an engine in the host's transactions has no option \`${name}\``);
    }
    const connection = fitOf(driver, store);
    const draft = new write_1.Draft().put("dialect", driver.dialect).put("places", driver.places);
    draft.put("law", (0, path_1.whole)("law", law)).put("directory_age_max_ms", options.directoryAgeMaxMs).put("together", driver.texts !== undefined);
    const native = (0, told_1.told)(() => (0, native_1.addon)().Joined.open(draft.json()));
    return new JoinedEngine({ native, driver, store, connection, absent: undefined, life: { isClosed: false, takesTexts: true } });
}
/** Stands in where nothing could be opened. */
function absentJoined(options, thrown) {
    const why = (0, lane_1.error)(thrown);
    const native = {
        step() {
            throw why;
        },
    };
    const driver = driverOf(options.store) ?? pg_1.pg;
    return new JoinedEngine({ native, driver, store: options.store, connection: connectionOf(driver, options.store), absent: why, life: { isClosed: false, takesTexts: true } });
}
function driverOf(store) {
    if (typeof store !== "object" || store === null)
        return undefined;
    return DRIVERS.find((driver) => driver.isPool(store) || driver.connection(store) !== undefined);
}
/** As `connectionOf`, of one that can be asked. */
function fitOf(driver, store) {
    const connection = connectionOf(driver, store);
    const why = connection === undefined ? undefined : driver.unfit?.(connection);
    if (why !== undefined)
        throw (0, errors_1.refusal)("hos.call_malformed", why);
    return connection;
}
/** None of a pool. */
function connectionOf(driver, store) {
    return driver.isPool(store) ? undefined : driver.connection(store);
}
