"use strict";
// SQLite by the package `better-sqlite3`. It answers at once, and so does everything that joins its transactions.
Object.defineProperty(exports, "__esModule", { value: true });
exports.betterSqlite3 = void 0;
const driver_1 = require("./driver");
const work_1 = require("./work");
/** How long a call in shadow waits for another process, in milliseconds. */
const PATIENCE = 250;
/** To prepare a statement takes longer than to run it; they are few, and go with their database. */
const known = new WeakMap();
const KNOWN_MAX = 256;
function prepared(db, sql) {
    let statements = known.get(db);
    if (statements === undefined || statements.size >= KNOWN_MAX)
        known.set(db, (statements = new Map()));
    const found = statements.get(sql);
    if (found !== undefined)
        return found;
    const made = db.prepare(sql);
    if (made.reader)
        made.safeIntegers(true).raw(true);
    statements.set(sql, made);
    return made;
}
exports.betterSqlite3 = {
    dialect: "sqlite",
    places: "question",
    isNow: true,
    connection: (store) => ("inTransaction" in store && "prepare" in store && "pragma" in store ? store : undefined),
    isPool: () => false,
    inside: (db) => db.inTransaction,
    hasEnded: (db) => !db.inTransaction,
    // Of some errors (`SQLITE_FULL`, `SQLITE_IOERR`) SQLite rolls back everything.
    stands: (db) => db.inTransaction,
    run(db, { sql, params }) {
        const statement = prepared(db, sql);
        // As a `number` a whole number would be bound as a float.
        const values = params.map(driver_1.valueOf).map((value) => (typeof value === "number" ? BigInt(value) : value));
        if (statement.reader)
            return statement.all(values);
        statement.run(values);
        return [];
    },
    *bound(db) {
        const before = db.pragma("busy_timeout", { simple: true });
        yield () => db.pragma(`busy_timeout = ${PATIENCE}`);
        return function* () {
            yield (0, work_1.always)(() => db.pragma(`busy_timeout = ${Number(before)}`));
        };
    },
    *begin(db) {
        // A transaction that reads first and writes later can be refused in its middle.
        for (const sql of ["BEGIN IMMEDIATE", `SAVEPOINT ${driver_1.BEGUN}`])
            yield () => this.run(db, (0, driver_1.plainly)(sql));
    },
    isOurs(db) {
        try {
            this.run(db, (0, driver_1.plainly)(`RELEASE SAVEPOINT ${driver_1.BEGUN}`));
            return true;
        }
        catch (thrown) {
            if ((0, driver_1.fieldOf)(thrown, "message").startsWith("no such savepoint"))
                return false;
            throw thrown;
        }
    },
    *commit(db) {
        yield () => this.run(db, (0, driver_1.plainly)("COMMIT"));
        return true;
    },
    trouble(thrown) {
        const name = (0, driver_1.fieldOf)(thrown, "code");
        if (name.startsWith("SQLITE_BUSY"))
            return { trouble: "retry", name };
        if (name.startsWith("SQLITE_READONLY"))
            return { trouble: "read_only", name };
        return { trouble: /^no such (table|column)|has no column named/.test((0, driver_1.fieldOf)(thrown, "message")) ? "missing" : "other", name };
    },
    isSaid: () => true,
};
