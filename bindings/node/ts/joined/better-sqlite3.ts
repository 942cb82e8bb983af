// SQLite by the package `better-sqlite3`. It answers at once, and so does everything that joins its transactions.

import { BEGUN, type Cell, type Driver, fieldOf, plainly, valueOf } from "./driver";
import { always } from "./work";

/** A `Database` of `better-sqlite3`. */
export interface SqliteDatabase {
  prepare(source: string): any;
  pragma(source: string, options?: any): any;
  readonly inTransaction: boolean;
  readonly memory: boolean;
}

/** How long a call in shadow waits for another process, in milliseconds. */
const PATIENCE = 250;

interface Prepared {
  readonly reader: boolean;
  safeIntegers(on: boolean): Prepared;
  raw(on: boolean): Prepared;
  all(values: readonly unknown[]): Cell[][];
  run(values: readonly unknown[]): unknown;
}

/** To prepare a statement takes longer than to run it; they are few, and go with their database. */
const known = new WeakMap<object, Map<string, Prepared>>();
const KNOWN_MAX = 256;

function prepared(db: SqliteDatabase, sql: string): Prepared {
  let statements = known.get(db);
  if (statements === undefined || statements.size >= KNOWN_MAX) known.set(db, (statements = new Map()));
  const found = statements.get(sql);
  if (found !== undefined) return found;
  const made = db.prepare(sql) as Prepared;
  if (made.reader) made.safeIntegers(true).raw(true);
  statements.set(sql, made);
  return made;
}

export const betterSqlite3: Driver<SqliteDatabase> = {
  dialect: "sqlite",
  places: "question",
  isNow: true,

  connection: (store) => ("inTransaction" in store && "prepare" in store && "pragma" in store ? (store as SqliteDatabase) : undefined),

  isPool: () => false,

  inside: (db) => db.inTransaction,

  hasEnded: (db) => !db.inTransaction,

  // Of some errors (`SQLITE_FULL`, `SQLITE_IOERR`) SQLite rolls back everything.
  stands: (db) => db.inTransaction,

  run(db, { sql, params }) {
    const statement = prepared(db, sql);
    // As a `number` a whole number would be bound as a float.
    const values = params.map(valueOf).map((value) => (typeof value === "number" ? BigInt(value) : value));
    if (statement.reader) return statement.all(values);
    statement.run(values);
    return [];
  },

  *bound(db) {
    const before: unknown = db.pragma("busy_timeout", { simple: true });
    yield () => db.pragma(`busy_timeout = ${PATIENCE}`);
    return function* () {
      yield always(() => db.pragma(`busy_timeout = ${Number(before)}`));
    };
  },

  *begin(db) {
    // A transaction that reads first and writes later can be refused in its middle.
    for (const sql of ["BEGIN IMMEDIATE", `SAVEPOINT ${BEGUN}`]) yield () => this.run(db, plainly(sql));
  },

  isOurs(db) {
    try {
      this.run(db, plainly(`RELEASE SAVEPOINT ${BEGUN}`));
      return true;
    } catch (thrown) {
      if (fieldOf(thrown, "message").startsWith("no such savepoint")) return false;
      throw thrown;
    }
  },

  *commit(db) {
    yield () => this.run(db, plainly("COMMIT"));
    return true;
  },

  trouble(thrown) {
    const name = fieldOf(thrown, "code");
    if (name.startsWith("SQLITE_BUSY")) return { trouble: "retry", name };
    if (name.startsWith("SQLITE_READONLY")) return { trouble: "read_only", name };
    return { trouble: /^no such (table|column)|has no column named/.test(fieldOf(thrown, "message")) ? "missing" : "other", name };
  },

  isSaid: () => true,
};
