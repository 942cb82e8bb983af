// A step: the engine says which statements to run, the host's connection runs them, until the answer is there
// (`spec/joined-transaction.md`).

import { CallError, HosError, InternalError, OutcomeUnknownError, RetryError, type Status, StoreError, failure } from "../errors";
import type { Joined } from "../native";
import { parse } from "../read";
import { split } from "../told";
import { type Cell, type Driver, type Rows, type Statement, type Trouble, plainly } from "./driver";
import type { Work } from "./work";

/** What a step came to. */
export interface Stepped {
  readonly allowed: boolean;
  readonly answer: object;
  /** By this number a refusal is made evidence of. */
  readonly refusal: number | undefined;
  /** What takes a claim back. */
  readonly leave: readonly Statement[];
}

/** What of an engine a step needs. */
export interface Ground<C extends object = object> {
  readonly native: Joined;
  readonly driver: Driver<C>;
  readonly connection: C;
}

/** The class of a step that is not at its end. */
const UNDER_WAY = "step";
const SAVEPOINT = "hos_in_shadow";

/** One step on a connection, in the transaction that it is in. A question needs none, and often no statement either. */
export function* step(ground: Ground, operation: string, json: string): Work<Stepped> {
  const inside = operation === "can" ? undefined : yield* insideOf(ground);
  return yield* rounds(ground, inside, ground.native.step(operation, inside, json));
}

/**
 * A step that must not harm the host's transaction, whatever becomes of it: it waits for no lock for long, and what fails is undone.
 */
export function* harmless(ground: Ground, operation: string, json: string): Work<Stepped> {
  const { driver, connection, native } = ground;
  let inside = operation === "can" ? undefined : yield* insideOf(ground);
  const said = native.step(operation, inside, json);
  if (operation === "can") {
    if (split(said)[0] !== UNDER_WAY) return yield* rounds(ground, inside, said);
    inside = yield* insideOf(ground);
  }
  if (inside === false) return yield* rounds(ground, inside, said);
  const say = (sql: string) => () => driver.run(connection, plainly(sql));
  try {
    yield* translated(ground, [plainly(`SAVEPOINT ${SAVEPOINT}`)]);
  } catch (thrown) {
    leave(native, said);
    throw thrown;
  }
  let back: (() => Work<void>) | undefined;
  try {
    back = yield* driver.bound(connection);
    return yield* rounds(ground, inside, said);
  } catch (thrown) {
    leave(native, said);
    try {
      yield say(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
    } catch {
      // Then there is no transaction any more, and nothing to undo.
    }
    throw thrown instanceof HosError ? thrown : troubled(driver, thrown);
  } finally {
    try {
      if (back !== undefined) yield* back();
      yield say(`RELEASE SAVEPOINT ${SAVEPOINT}`);
    } catch {
      // As above.
    }
  }
}

function* insideOf({ driver, connection }: Ground): Work<boolean | undefined> {
  try {
    return (yield () => driver.inside(connection)) as boolean | undefined;
  } catch (thrown) {
    throw troubled(driver, thrown);
  }
}

function* rounds(ground: Ground, inside: boolean | undefined, first: string): Work<Stepped> {
  const { native } = ground;
  let said = first;
  for (;;) {
    const [status, text] = split(said);
    const told = parse(text) as { step?: number; need?: Statement[]; settle?: Statement[]; answer?: object; refusal?: number; leave?: Statement[] };
    if (status !== UNDER_WAY) {
      // Also where nothing was judged: then they take claims back.
      yield* settled(ground, inside, told.settle ?? []);
      if (status !== "allowed" && status !== "refused") throw failure(status, text);
      return { allowed: status === "allowed", answer: told.answer ?? {}, refusal: told.refusal, leave: told.leave ?? [] };
    }
    let rows: Rows[];
    try {
      rows = yield* translated(ground, told.need ?? []);
      if (inside === true && ground.driver.hasEnded(ground.connection)) throw ended(CallError, "call", "hos.no_transaction");
    } catch (thrown) {
      leave(native, said);
      throw thrown;
    }
    said = native.step("go_on", undefined, `{"step":${told.step},"rows":[${rows.map(written).join()}]}`);
  }
}

/** Has the engine forget a step that nobody goes on with; one that is at its end is forgotten already. */
function leave(native: Joined, said: string): void {
  const [status, text] = split(said);
  if (status === UNDER_WAY) native.step("leave", undefined, `{"step":${(parse(text) as { step: number }).step}}`);
}

function* settled(ground: Ground, inside: boolean | undefined, statements: readonly Statement[]): Work<void> {
  yield* translated(ground, statements);
  if (statements.length > 0 && inside === true && ground.driver.hasEnded(ground.connection)) {
    throw ended(OutcomeUnknownError, "unknown", "hos.outcome_unknown");
  }
}

/** Runs statements; what the database throws becomes an error of ours. */
export function* translated({ driver, connection }: Ground, statements: readonly Statement[]): Work<Rows[]> {
  const rowsOf = (statement: Statement, rows: Rows) => (statement.reads === true ? rows : []);
  try {
    const inOneGo = driver.runAll?.(connection, statements);
    if (inOneGo !== undefined) {
      const all = (yield () => inOneGo) as Rows[];
      return statements.map((statement, at) => rowsOf(statement, all[at] ?? []));
    }
    const all: Rows[] = [];
    for (const statement of statements) all.push(rowsOf(statement, (yield () => driver.run(connection, statement)) as Rows));
    return all;
  } catch (thrown) {
    throw troubled(driver, thrown);
  }
}

const FAILED: Readonly<Record<Trouble, string>> = {
  retry: "hos.retry",
  missing: "hos.store_version",
  read_only: "hos.store_read_only",
  other: "hos.store_unavailable",
};
const WHY: Readonly<Record<Trouble, string>> = {
  retry: "the database asks for the whole transaction once more, from its beginning",
  missing: "a table or a column of H-OS is missing: `hos schema` prints them",
  read_only: "the database takes no writes here: ask the primary",
  other: "the database refused a statement of H-OS",
};

/** What the database threw, as an error of ours. */
export function troubled(driver: Driver, thrown: unknown): HosError {
  const { trouble, name } = driver.trouble(thrown);
  const message = `${WHY[trouble]}${name === "" ? "" : ` (${name})`}`;
  if (trouble === "retry") return new RetryError("retry", FAILED[trouble], message, { cause: thrown });
  return new StoreError("store", FAILED[trouble], message, { cause: thrown });
}

function ended(kind: typeof HosError, status: Status, code: string): HosError {
  return new kind(status, code, "the transaction was ended while the call was under way: await each call before you commit");
}

/** Rows as JSON. */
function written(rows: Rows): string {
  return `[${rows.map((row) => `[${row.map(cell).join()}]`).join()}]`;
}

function cell(column: Cell): string {
  if (column === null) return "null";
  if (typeof column === "string") return `"${Buffer.from(column).toString("base64")}"`;
  if (column instanceof Uint8Array) return `"${Buffer.from(column.buffer, column.byteOffset, column.byteLength).toString("base64")}"`;
  if (typeof column === "bigint" || Number.isSafeInteger(column)) return String(column);
  throw new InternalError("internal", "hos.internal", "the connection gave a column in a form that is not known");
}
