"use strict";
// SQLite by the package `better-sqlite3`. It answers at once, and so does everything that joins its transactions.
Object.defineProperty(exports, "__esModule", { value: true });
exports.betterSqlite3 = void 0;
const driver_1 = require("./driver");
/** How long a call in shadow waits for another process, in milliseconds. */
const PATIENCE = 250;
exports.betterSqlite3 = {
    dialect: "sqlite",
    places: "question",
    isNow: true,
    connection: (store) => ("inTransaction" in store && "prepare" in store && "pragma" in store ? store : undefined),
    isPool: () => false,
    inside: (db) => db.inTransaction,
    hasEnded: (db) => !db.inTransaction,
    run(db, { sql, params }) {
        const statement = db.prepare(sql);
        // As a `number` a whole number would be bound as a float.
        const values = params.map(driver_1.valueOf).map((value) => (typeof value === "number" ? BigInt(value) : value));
        if (statement.reader === true)
            return statement.safeIntegers(true).raw(true).all(values);
        statement.run(values);
        return [];
    },
    *bound(db) {
        const before = db.pragma("busy_timeout", { simple: true });
        yield () => db.pragma(`busy_timeout = ${PATIENCE}`);
        return function* () {
            yield () => db.pragma(`busy_timeout = ${Number(before)}`);
        };
    },
    // A transaction that reads first and writes later can be refused in its middle.
    begin: () => ["BEGIN IMMEDIATE"],
    *commit(db) {
        yield () => this.run(db, (0, driver_1.plainly)("COMMIT"));
    },
    trouble(thrown) {
        const name = (0, driver_1.fieldOf)(thrown, "code");
        if (name.startsWith("SQLITE_BUSY"))
            return { trouble: "retry", name };
        if (name.startsWith("SQLITE_READONLY"))
            return { trouble: "read_only", name };
        return { trouble: /^no such (table|column)|has no column named/.test((0, driver_1.fieldOf)(thrown, "message")) ? "missing" : "other", name };
    },
};
