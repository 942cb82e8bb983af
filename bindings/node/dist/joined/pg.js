"use strict";
// PostgreSQL by the package `pg`: a `Client`, a `PoolClient`, a `Pool`.
Object.defineProperty(exports, "__esModule", { value: true });
exports.pg = void 0;
const errors_1 = require("../errors");
const driver_1 = require("./driver");
const TROUBLE = {
    "40001": "retry", "40P01": "retry", "55P03": "retry", "42P01": "missing", "42703": "missing", "3F000": "missing", "25006": "read_only",
};
/** The SQLSTATE of a savepoint in no transaction. */
const OUTSIDE = "25P01";
/** That of a statement in a transaction in which one has failed. */
const ABORTED = "25P02";
/** That of a text that is no boolean, and the text where the mark is missing. */
const NO_BOOLEAN = "22P02";
const UNMARKED = "hos.no_transaction";
/** The mark of a transaction of ours, which goes when it does, and what fails without it. A savepoint would make all that is written that
 * of a transaction below it. */
const MARK = "SET LOCAL hos.begun = 'on'";
const IS_MARKED = `SELECT CAST(coalesce(nullif(current_setting('hos.begun', true), ''), '${UNMARKED}') AS boolean)`;
/** What fails outside of a transaction. */
const INSIDE = ["SAVEPOINT hos_inside", "RELEASE SAVEPOINT hos_inside"];
/** How long a call in shadow waits for a lock. */
const PATIENCE = "250ms";
/** Columns come as texts, whatever parsers the host has set; bytes are read here. */
const TYPES = { getTypeParser: (oid) => (oid === 17 ? bytea : (text) => text) };
/** An error of a client that nobody hears ends the process. Whoever says something on the client is told it. */
const heard = () => { };
exports.pg = {
    dialect: "postgres",
    places: "dollar",
    isNow: false,
    connection: (store) => ("escapeIdentifier" in store && "query" in store ? store : undefined),
    isPool: (store) => "totalCount" in store && "connect" in store,
    unfit: (client) => (client.binary ? "a client of pg with `binary: true` cannot be asked: connect one without it" : undefined),
    // Its pool listens to a client only while it is idle. Called back and not awaited: the error may come with the connection.
    take: (pool) => new Promise((done, failed) => {
        pool.connect((thrown, client) => {
            if (thrown)
                return failed(thrown);
            client.on?.("error", heard);
            const giveBack = (isBroken) => {
                client.release?.(isBroken);
                client.off?.("error", heard);
            };
            return done({ connection: client, giveBack });
        });
    }),
    // Of an older client it is not known, and the engine gives no texts then: outside of a transaction each would be one of its own.
    async inside(client) {
        if (client.getTransactionStatus?.() === "I") {
            // What the host has not awaited yet may still begin one: behind an empty statement it is known.
            await client.query("");
        }
        const status = client.getTransactionStatus?.();
        return status === undefined ? undefined : status === "T" || status === "E";
    },
    hasEnded: (client) => client.getTransactionStatus?.() === "I",
    // One that has failed takes no statement any more, and is rolled back whatever it is told. That it had failed before is none of ours:
    // the host's own statements say so.
    async stands(client, thrown) {
        if ((0, driver_1.causes)(thrown).some((at) => (0, driver_1.fieldOf)(at, "code") === ABORTED))
            return true;
        try {
            await client.query("SELECT 1");
            return client.getTransactionStatus?.() !== "I";
        }
        catch {
            return false;
        }
    },
    async run(client, { sql, params }) {
        const came = (await client.query({ text: sql, values: params.map(driver_1.valueOf), rowMode: "array", types: TYPES }));
        return came.rows;
    },
    runAll(client, statements) {
        if (client.pipeline !== true)
            return undefined;
        // Behind one that fails the transaction takes no other.
        return Promise.allSettled(statements.map((statement) => this.run(client, statement))).then((all) => all.map((one) => {
            if (one.status === "rejected")
                throw one.reason;
            return one.value;
        }));
    },
    texts: {
        whole: (statements) => statements.join(";\n"),
        async run(client, text) {
            // What pipelines below the native client knows no texts of several statements.
            if (client.pipeline === true && client.native !== undefined)
                return undefined;
            const came = (await client.query({ text, rowMode: "array", types: TYPES }));
            return [came].flat().filter(({ fields }) => fields.length > 0).at(-1)?.rows ?? [];
        },
        guard: {
            first: INSIDE,
            marks: [],
            still: INSIDE,
            isMet: (thrown) => (0, driver_1.fieldOf)(thrown, "code") === OUTSIDE,
        },
        isBlind: false,
        // The host's own wait is kept beside ours, until the end of the transaction at most.
        head: [
            driver_1.SAVEPOINT,
            "SELECT set_config('hos.lock_timeout', current_setting('lock_timeout'), true)",
            `SET LOCAL lock_timeout = '${PATIENCE}'`,
        ],
        tail: ["SELECT set_config('lock_timeout', current_setting('hos.lock_timeout'), true)", driver_1.RELEASE],
        prefix: "",
    },
    *begin(client, isolation) {
        yield* together(client, [isolation === undefined ? "BEGIN" : `BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}`, MARK]);
    },
    async isOurs(client) {
        return (await this.inside(client)) !== false;
    },
    *commit(client) {
        try {
            yield* together(client, [IS_MARKED, "COMMIT"]);
            return true;
        }
        catch (thrown) {
            const code = (0, driver_1.fieldOf)(thrown, "code");
            if (code === NO_BOOLEAN && (0, driver_1.fieldOf)(thrown, "message").includes(UNMARKED))
                return false;
            // Told to commit such a one, PostgreSQL would roll it back, and call that no error; but the mark is not read in it.
            if (code === ABORTED)
                throw new errors_1.StoreError("store", "hos.store_unavailable", "a statement of the transaction had failed: it was rolled back");
            throw thrown;
        }
    },
    trouble(thrown) {
        const code = (0, driver_1.fieldOf)(thrown, "code");
        return { trouble: TROUBLE[code] ?? "other", name: /^[0-9A-Z]{5}$/.test(code) ? `SQLSTATE ${code}` : code };
    },
    // Codes of the system may look like an SQLSTATE (`EPIPE`); how severe an error is only the server says.
    isSaid: (thrown) => /^[0-9A-Z]{5}$/.test((0, driver_1.fieldOf)(thrown, "code")) && (0, driver_1.fieldOf)(thrown, "severity") !== "",
};
/** Says several statements in one exchange, where the client takes them so; none behind one that fails. */
function* together(client, statements) {
    const { texts } = exports.pg;
    if ((yield () => texts.run(client, texts.whole(statements))) !== undefined)
        return;
    for (const sql of statements)
        yield () => client.query(sql);
}
/** Bytes in either of the two forms in which PostgreSQL writes them. */
function bytea(text) {
    if (text.startsWith("\\x"))
        return Buffer.from(text.slice(2), "hex");
    const signs = text.replace(/\\(\\|[0-3][0-7]{2})/g, (_, said) => (said === "\\" ? said : String.fromCharCode(parseInt(said, 8))));
    return Buffer.from(signs, "latin1");
}
