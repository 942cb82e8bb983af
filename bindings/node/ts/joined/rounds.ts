// A step: the engine says which statements to run, the host's connection runs them, until the answer is there
// (`spec/joined-transaction.md`).

import { CallError, HosError, InternalError, OutcomeUnknownError, RetryError, StoreError, failure, isA } from "../errors";
import type { Joined } from "../native";
import { parse } from "../read";
import { undone } from "../shadow";
import { split } from "../told";
import { type Cell, type Driver, type Rows, type Statement, type Trouble, plainly } from "./driver";
import { endEra } from "./turns";
import { Watch } from "./watch";
import type { Work } from "./work";

/** What a step came to. */
export interface Stepped {
  readonly allowed: boolean;
  /** Of several calls the last one's, or the first that is no. */
  readonly answer: object;
  /** Of several calls the answers before it. */
  readonly earlier: readonly object[];
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
  readonly life: Life;
}

/** What all engines of one opening share. */
export interface Life {
  isClosed: boolean;
  /** Whether the database takes several statements in one text, as far as is known. */
  takesTexts: boolean;
}

/** The class of a step that is not at its end. */
const UNDER_WAY = "step";

/** A question whose answer is known in memory; nothing where the database is to be asked first. */
export function known(native: Joined, operation: string, json: string): Stepped | undefined {
  const said = native.step(operation, undefined, json);
  if (left(native, said)) return undefined;
  const [status, words] = split(said);
  return stepped(status, words, parse(words) as Said);
}

/** Whether a step needs no transaction. */
export function isQuestion(operation: string): boolean {
  return operation === "can" || operation === "can_all" || operation === "instead";
}

/** One step on a connection, in the transaction that it is in. A question needs none, and often no statement either. */
export function* step(ground: Ground, operation: string, json: string, watch?: Watch): Work<Stepped> {
  if (isQuestion(operation)) {
    return yield* reading(ground, ground.native.step(operation, undefined, json), watch);
  }
  const { within, said } = (yield* begun(ground, operation, json, watch)) ?? (yield* asked(ground, operation, json));
  return yield* rounds(ground, within, said, within.inside === false ? undefined : watch);
}

/**
 * A step that only reads, from its beginning. Outside of a transaction it leaves none behind: without autocommit MySQL begins one with
 * what is read first. Nobody would end it, and until then everything would be read as it was at its beginning.
 */
function* reading(ground: Ground, said: string, watch: Watch | undefined): Work<Stepped> {
  const { native, driver, connection } = ground;
  const within = { inside: undefined, isMarked: false };
  if (split(said)[0] !== UNDER_WAY) return yield* rounds(ground, within, said);
  const begins = driver.reads !== undefined && (yield* orLeft(native, said, orTroubled(driver, readsOf(ground))));
  if (!begins) {
    const inside = watch === undefined ? undefined : yield* orLeft(native, said, insideOf(ground));
    return yield* rounds(ground, within, said, inside === false ? undefined : watch);
  }
  try {
    return yield* rounds(ground, within, said);
  } finally {
    try {
      yield () => driver.run(connection, plainly("ROLLBACK"));
    } catch {
      // The connection is lost, and the transaction with it.
    }
  }
}

function* readsOf({ driver, connection }: Ground): Work<boolean> {
  return (yield () => driver.reads!(connection)) as boolean;
}

/**
 * A step that must not harm the host's transaction, whatever becomes of it: it waits for no lock for long, and what fails is undone.
 * Where the database has taken the whole transaction for it (a deadlock), what the world did is undone as well, and the error says so.
 */
export function* harmless(ground: Ground, operation: string, json: string): Work<Stepped> {
  const watch = new Watch(ground.driver, ground.connection);
  try {
    const stepped = yield* step(ground, operation, json, watch);
    yield* watch.end();
    return stepped;
  } catch (thrown) {
    yield* watch.undo();
    const failed = isA(thrown, HosError) ? thrown : troubled(ground.driver, thrown);
    // Only what the database itself threw has a cause.
    const tookAll = watch.wasTried && failed.cause !== undefined && !(yield* stands(ground, failed));
    throw tookAll ? undone(failed) : failed;
  }
}

/** Whether the host's transaction stands behind an error; where it does not, what waits behind was made in it too. */
export function* stands({ driver, connection }: Pick<Ground, "driver" | "connection">, thrown: unknown): Work<boolean> {
  const standing = (yield () => driver.stands(connection, thrown)) as boolean;
  if (!standing) endEra(connection);
  return standing;
}

/** Whether a step is in a transaction, and whether that bears its mark. */
interface Within {
  readonly inside: boolean | undefined;
  isMarked: boolean;
}

/** A step that was begun: in what, and what the engine says of it. */
interface Begun {
  readonly within: Within;
  readonly said: string;
}

/** Begins where the connection says that it is. */
function* asked(ground: Ground, operation: string, json: string): Work<Begun> {
  const inside = yield* insideOf(ground);
  return { within: { inside, isMarked: false }, said: ground.native.step(operation, inside, json) };
}

/** The first round, with the question in it whether there is a transaction; none where that is to be asked by itself. */
function* begun(ground: Ground, operation: string, json: string, watch: Watch | undefined): Work<Begun | undefined> {
  const { driver, native, life } = ground;
  const texts = driver.texts;
  // A refusal is made evidence of by one step, which is not begun twice.
  if (texts?.isBlind !== true || !life.takesTexts || operation === "refused") return undefined;
  const within = { inside: true, isMarked: false };
  const said = native.step(operation, true, json);
  const [status, words] = split(said);
  if (status !== UNDER_WAY) return { within, said };
  const { step: number, text: first } = parse(words) as Said;
  let rows: Rows | undefined;
  try {
    if (first !== undefined) rows = yield* text(ground, first, { within, watch });
  } catch (thrown) {
    left(native, said);
    if (!texts.guard.isMet(thrown)) throw troubled(driver, thrown);
    endEra(ground.connection);
    return { within: { inside: false, isMarked: false }, said: native.step(operation, false, json) };
  }
  if (rows !== undefined) return { within, said: native.step("go_on", undefined, `{"step":${number},"result":${written(rows)}}`) };
  left(native, said);
  return undefined;
}

function* insideOf({ driver, connection }: Ground): Work<boolean | undefined> {
  try {
    const inside = (yield () => driver.inside(connection)) as boolean | undefined;
    // What waits behind was made in what has ended.
    if (inside === false) endEra(connection);
    return inside;
  } catch (thrown) {
    throw troubled(driver, thrown);
  }
}

/** What the engine says of a step. */
interface Said {
  readonly step?: number;
  readonly need?: readonly Statement[];
  readonly text?: string;
  readonly settle?: readonly Statement[];
  readonly answer?: object;
  readonly earlier?: readonly object[];
  readonly refusal?: number;
  readonly leave?: readonly Statement[];
}

function* rounds(ground: Ground, within: Within, first: string, watch?: Watch): Work<Stepped> {
  const { native } = ground;
  let said = first;
  for (;;) {
    const [status, words] = split(said);
    const told = parse(words) as Said;
    if (status !== UNDER_WAY) {
      // Also where nothing was judged: then they take claims back.
      yield* settled(ground, within, told, watch);
      return stepped(status, words, told);
    }
    const given: string = yield* orLeft(native, said, round(ground, within, told, watch));
    said = native.step("go_on", undefined, `{"step":${told.step},${given}}`);
  }
}

/** What a step that is at its end came to. */
function stepped(status: string, words: string, told: Said): Stepped {
  if (status !== "allowed" && status !== "refused") throw failure(status, words);
  const { answer = {}, earlier = [], refusal, leave: claims = [] } = told;
  return { allowed: status === "allowed", answer, earlier, refusal, leave: claims };
}

/** What the database gives for a round, as JSON. */
function* round(ground: Ground, within: Within, told: Said, watch: Watch | undefined): Work<string> {
  let given: string | undefined;
  let { need } = told;
  if (told.text !== undefined) {
    const rows = yield* orGone(ground, text(ground, told.text, { within, watch }));
    if (rows === undefined) ({ need } = parse(split(ground.native.step("apart", undefined, `{"step":${told.step}}`))[1]) as Said);
    else given = `"result":${written(rows)}`;
  }
  if (given === undefined) {
    yield* orTroubled(ground.driver, marked(ground, within, watch));
    given = `"rows":[${(yield* translated(ground, need ?? [], watch)).map(written).join()}]`;
  }
  if (within.inside === true && ground.driver.hasEnded(ground.connection)) throw gone(ground);
  return given;
}

/** Has the engine forget a step that nobody goes on with, and says so; one that is at its end is forgotten already. */
export function left(native: Joined, said: string): boolean {
  const [status, words] = split(said);
  if (status !== UNDER_WAY) return false;
  native.step("leave", undefined, `{"step":${(parse(words) as Said).step}}`);
  return true;
}

/** Does work of a step, which is left where that fails. */
function* orLeft<T>(native: Joined, said: string, work: Work<T>): Work<T> {
  try {
    return yield* work;
  } catch (thrown) {
    left(native, said);
    throw thrown;
  }
}

/** Runs what the step writes. */
function* settled(ground: Ground, within: Within, told: Said, watch: Watch | undefined): Work<void> {
  const { settle = [], text: writes } = told;
  if (settle.length > 0) yield* wholeOrNot(ground, within, settle, watch);
  if (writes !== undefined && (yield* orGone(ground, text(ground, writes, { within, watch, isLast: true }))) === undefined) {
    throw new InternalError("internal", "hos.internal", "the connection took one text, and not the next");
  }
  if ((settle.length > 0 || writes !== undefined) && within.inside === true && ground.driver.hasEnded(ground.connection)) {
    endEra(ground.connection);
    throw new OutcomeUnknownError("unknown", "hos.outcome_unknown", ENDED);
  }
}

/** Runs statements of which nothing is left where one fails, whatever the host does then. */
function* wholeOrNot(ground: Ground, within: Within, statements: readonly Statement[], watch: Watch | undefined): Work<void> {
  const { driver, connection } = ground;
  const say = function* (sql: string): Work<void> {
    yield* translated(ground, [plainly(sql)]);
  };
  // Also where it cannot be told: the engine has asked PostgreSQL itself then, before this.
  if (within.inside !== false) yield* orGone(ground, still(ground, within));
  // PostgreSQL's transaction ends by an error as a whole.
  if (statements.length === 1 || driver.dialect === "postgres") {
    yield* translated(ground, statements, watch);
    return;
  }
  if (watch !== undefined) yield* orTroubled(driver, watch.begin());
  yield* say("SAVEPOINT hos_settle");
  if (within.inside === true && driver.hasEnded(connection)) throw gone(ground);
  try {
    yield* translated(ground, statements, watch);
  } catch (thrown) {
    try {
      yield* say("ROLLBACK TO SAVEPOINT hos_settle");
    } catch {
      // It is gone with the whole transaction, or with the connection.
    }
    throw thrown;
  }
  yield* say("RELEASE SAVEPOINT hos_settle");
}

/** Marks the transaction of a step whose statements are run one by one; in the savepoint of a call in shadow, for it goes with the mark. */
function* marked({ driver, connection }: Ground, within: Within, watch: Watch | undefined): Work<void> {
  const marks = driver.texts?.guard.marks ?? [];
  if (within.inside !== true || within.isMarked || marks.length === 0) return;
  if (watch !== undefined) yield* watch.begin();
  for (const sql of marks) yield () => driver.run(connection, plainly(sql));
  within.isMarked = true;
}

/** Has the connection say that it is still in its transaction, before statements are run one by one. */
function* still(ground: Ground, within: Within): Work<void> {
  const { driver, connection, life } = ground;
  const { texts } = driver;
  if (texts === undefined || (texts.isBlind && !within.isMarked)) {
    if ((yield () => driver.inside(connection)) === false) throw gone(ground);
    return;
  }
  // What it knows of its transaction is older than what the host has said meanwhile.
  const statements = texts.guard.still;
  const hasRun = life.takesTexts && (yield () => texts.run(connection, texts.whole(statements))) !== undefined;
  if (!hasRun) for (const sql of statements) yield () => driver.run(connection, plainly(sql));
  within.isMarked = false;
}

/** How a text is run. */
interface How {
  /** Of a step in a transaction it fails where that is not there any more. */
  within: Within;
  watch: Watch | undefined;
  isLast?: boolean;
}

/** Runs several statements as one, with what must be around them; gives nothing where the database takes no texts. */
function* text(ground: Ground, said: string, { within, watch, isLast = false }: How): Work<Rows | undefined> {
  const { driver: { texts }, connection, life } = ground;
  if (texts === undefined || !life.takesTexts) return undefined;
  const { head, tail, prefix } = watch?.around(isLast) ?? { head: [], tail: [], prefix: "" };
  const { first, still, marks } = texts.guard;
  const guard = within.inside !== true ? [] : within.isMarked ? [...still, ...(isLast ? [] : marks)] : first;
  // The savepoint of a call in shadow is around the mark, which is set anew.
  const rows: Rows | undefined = yield () => texts.run(connection, prefix + texts.whole([...head, ...guard, said, ...tail]));
  if (rows === undefined) life.takesTexts = false;
  else {
    watch?.ran(isLast);
    within.isMarked = within.inside === true && !isLast;
  }
  return rows;
}

/** As `orTroubled`, behind a guard: that there is no transaction any more is an error of its own. */
function* orGone<T>(ground: Ground, work: Work<T>): Work<T> {
  try {
    return yield* work;
  } catch (thrown) {
    throw ground.driver.texts?.guard.isMet(thrown) === true ? gone(ground) : troubled(ground.driver, thrown);
  }
}

/** What the database throws becomes an error of ours. */
function* orTroubled<T>(driver: Driver, work: Work<T>): Work<T> {
  try {
    return yield* work;
  } catch (thrown) {
    throw troubled(driver, thrown);
  }
}

/** Runs statements; what the database throws becomes an error of ours. */
export function* translated({ driver, connection }: Ground, statements: readonly Statement[], watch?: Watch): Work<Rows[]> {
  const rowsOf = (statement: Statement, rows: Rows) => (statement.reads === true ? rows : []);
  try {
    if (watch !== undefined) yield* watch.begin();
    const inOneGo = driver.runAll === undefined ? undefined : ((yield () => driver.runAll!(connection, statements)) as Rows[] | undefined);
    if (inOneGo !== undefined) return statements.map((statement, at) => rowsOf(statement, inOneGo[at] ?? []));
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

/** What the database threw, as an error of ours; `other` says what failed, where it was no statement. */
export function troubled(driver: Driver, thrown: unknown, other = WHY.other): HosError {
  if (thrown instanceof HosError) return thrown;
  const { trouble, name } = driver.trouble(thrown);
  const message = `${trouble === "other" ? other : WHY[trouble]}${name === "" ? "" : ` (${name})`}`;
  if (trouble === "retry") return new RetryError("retry", FAILED[trouble], message, { cause: thrown });
  return new StoreError("store", FAILED[trouble], message, { cause: thrown });
}

const ENDED = "the transaction was ended while the call was under way: await each call before you commit";

/** The transaction is not there any more, and nothing was written; what waits behind was made in it too. */
function gone({ connection }: Ground): HosError {
  endEra(connection);
  return new CallError("call", "hos.no_transaction", ENDED);
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
