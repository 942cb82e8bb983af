// An engine that joins the transactions of the host's own connection.

import { Answer, Told } from "../answer";
import type { Ends } from "../directory";
import { ClosedError, HosError, bare, isA, refusal } from "../errors";
import { error } from "../lane";
import type { LawNames } from "../law";
import { type Joined, addon } from "../native";
import { whole } from "../path";
import { parse } from "../read";
import { isUndone } from "../shadow";
import { answered, split, told } from "../told";
import { Draft, sound } from "../write";
import { JoinedTenant } from "./actor";
import { type SqliteDatabase, betterSqlite3 } from "./better-sqlite3";
import { type Codes, filledBeside } from "./closures";
import type { Driver } from "./driver";
import { type MysqlConnection, type MysqlPool, mysql2 } from "./mysql2";
import { type PgClient, type PgPool, pg } from "./pg";
import { type Ground, type Life, type Stepped, harmless, isQuestion, known, left, step, translated } from "./rounds";
import { type Trying, lent, transacted, tryingOf } from "./transaction";
import { type Era, eraOf, inLane, stands } from "./turns";
import { type Work, later, now } from "./work";

/** What is reached over a network: its answers are promises. */
export type Remote = PgClient | PgPool | MysqlConnection | MysqlPool;
/** A connection of the host's, or a pool of them. */
export type Store = Remote | SqliteDatabase;

/** How an engine that joins transactions is opened. */
export interface JoinedOptions<S extends Store = Store> {
  /** The host's own connection (`pg`, `mysql2`, `better-sqlite3`), or a pool of them. The tables are made by `hos init --store <url>`. */
  store: S;
  /** As of any engine. */
  directoryAgeMaxMs?: number;
}

/** When answers are there: at once of SQLite, and as promises of all others. */
export type When<S> = S extends SqliteDatabase ? "now" : "later";

/** A connection of this store: itself, or what comes out of it; `any` where that cannot be told by its type. */
export type ConnectionOf<S> = S extends { connect: { (): Promise<infer C>; (done: any): any }; totalCount: number }
  ? Known<C>
  : S extends { getConnection(): Promise<infer C> }
    ? Known<C>
    : S extends { getConnection(done: (error: any, connection: infer C) => any): any }
      ? Known<C>
      : S;
type Known<C> = unknown extends C ? any : C;

const DRIVERS: readonly Driver<any>[] = [pg, mysql2, betterSqlite3];
const OPTIONS: ReadonlySet<string> = new Set(["store", "directoryAgeMaxMs"]);
/** How much of a failure's message stands in a blocker. */
const MESSAGE_MAX = 1_000;

/** A refusal that may still become evidence: of which engine, and under which number. */
interface Refusal {
  readonly native: Joined;
  readonly number: number;
  readonly tenant: string;
  readonly language: string | undefined;
}
const refusals = new WeakMap<Answer, Refusal>();

/** What an engine is made of. */
interface Parts {
  readonly native: Joined;
  readonly driver: Driver<any>;
  readonly store: object;
  readonly connection: object | undefined;
  /** The transaction that this is the engine of: beyond it nothing is asked. */
  readonly era?: Era | undefined;
  readonly absent: Error | undefined;
  /** Shared by all engines of one opening. */
  readonly life: Life;
}

/**
 * An engine in the transaction that the host already has. It has no connection of its own: what it asks runs on the host's, in the
 * host's transaction, and is committed or rolled back with the host's rows. Open one for each database, once; `on` gives it
 * another connection.
 */
export class JoinedEngine<L extends LawNames = LawNames, S extends Store = Store> {
  #parts: Parts;

  /** Made by `Engine.open`. */
  constructor(parts: Parts) {
    this.#parts = parts;
    Object.freeze(this);
  }

  /** Why there is no engine, where `openForShadow` could open none. */
  get absent(): Error | undefined {
    return this.#parts.absent;
  }

  /** This engine on another connection to the same database. What was read of laws and of the directory is read once for all. */
  on<C extends Store>(connection: C): JoinedEngine<L, C> {
    const found = driverOf(connection);
    if (found === undefined || found.dialect !== this.#parts.driver.dialect) {
      throw refusal("hos.call_malformed", `on(connection) takes a connection like the one that the engine was opened with (${this.#parts.driver.dialect})`);
    }
    return new JoinedEngine<L, C>({ ...this.#parts, store: connection, connection: fitOf(found, connection), era: undefined });
  }

  /** A tenant. Whether the store has it is seen by each call. */
  tenant(name: string): JoinedTenant<L, When<S>> {
    return new JoinedTenant<L, When<S>>(this, name);
  }

  /**
   * Runs the work in a transaction: commits where it gives something, rolls back where it throws or gives an answer that refuses and
   * has no receipt. Where the database asks for it
   * (a deadlock, a row that changed), everything is done once more, so the work does nothing that a rollback does not undo.
   * Its engine is of this transaction alone; a call that the work has not awaited is refused behind its end, and none is overtaken.
   */
  transaction<T>(
    work: (connection: ConnectionOf<S>, engine: JoinedEngine<L, ConnectionOf<S> extends Store ? ConnectionOf<S> : S>) => Ends<When<S>, T>,
    trying: Trying = {},
  ): Ends<When<S>, T> {
    const { driver, store, connection } = this.#parts;
    const seen = { isBroken: false };
    return this._run(() => {
      this.#stands();
      const tried = tryingOf(work, trying);
      const run = (host: object) => {
        const on = this.on(host as Store);
        const here = on.#connection();
        const bound = () => (driver.isNow ? on : new JoinedEngine<L, Store>({ ...on.#parts, era: eraOf(here) }));
        return transacted<T>(driver, here, () => work(host as ConnectionOf<S>, bound() as never), tried, seen);
      };
      return connection === undefined ? lent(driver, store, seen, run) : run(store);
    }) as Ends<When<S>, T>;
  }

  /** Makes evidence of a refusal, after the transaction in which it was given was rolled back: in another transaction. */
  refused(answer: Answer): Ends<When<S>, Answer> {
    const kept = refusals.get(answer);
    return this._called(false, true, function* (this: JoinedEngine<L, S>, era: Era | undefined): Work<Answer> {
      if (kept === undefined || kept.native !== this.#parts.native) {
        throw refusal("hos.call_malformed", "refused(answer) takes the answer of a call that this engine refused");
      }
      const stepped = (yield () => this._step(era, "refused", `{"refusal":${kept.number}}`)) as Stepped;
      return this._answer(stepped, kept.tenant, kept.language);
    }.bind(this)) as Ends<When<S>, Answer>;
  }

  /** Answers nobody any more. The connection is the host's, and stays as it is. */
  close(): void {
    this.#parts.life.isClosed = true;
  }

  /** @internal Does work as this connection does. What it throws is thrown where one waits for it. */
  _run<T>(work: () => Work<T>): Ends<When<S>, T> {
    return (this.#parts.driver.isNow ? now(work()) : (async () => later(work()))()) as Ends<When<S>, T>;
  }

  /** @internal A call. Whether somebody has to await it before its transaction ends, is counted. */
  _called<T>(isQuestion: boolean, isCounted: boolean, work: (era: Era | undefined) => Work<T>): Ends<When<S>, T> {
    const era = this._era(isQuestion);
    if (era === undefined || !isCounted) return this._run(() => work(era));
    era.calls += 1;
    return (async () => {
      try {
        return await later(work(era));
      } finally {
        era.calls -= 1;
      }
    })() as Ends<When<S>, T>;
  }

  /** @internal The transaction that a call is made in which is made now. A question needs none, but of an engine that is of one. */
  _era(isQuestion: boolean): Era | undefined {
    const { driver, connection, era } = this.#parts;
    if (era !== undefined) return era;
    return driver.isNow || isQuestion || connection === undefined ? undefined : eraOf(connection);
  }

  /** @internal One step, in its turn. */
  _step(era: Era | undefined, operation: string, json: string, isHarmless = false): unknown {
    const on = (engine: JoinedEngine<L, any>) => {
      const ground = engine.#ground();
      return engine.#inTurn(ground, era, () => (isHarmless ? harmless : step)(ground, operation, json));
    };
    return this.#parts.connection === undefined && isQuestion(operation) ? this.#onPool(operation, json, on) : on(this);
  }

  /** A question on a pool: on one of its connections, where it is not answered from memory. Those that wait may be, behind the first. */
  #onPool(operation: string, json: string, ask: (engine: JoinedEngine<L, any>) => unknown): Promise<unknown> {
    this.#stands();
    const { native, driver, store } = this.#parts;
    const seen = { isBroken: false };
    const asked = function* (this: JoinedEngine<L, S>, host: object): Work<Stepped> {
      try {
        return (yield () => ask(this.on(host as Store))) as Stepped;
      } catch (thrown) {
        // What the server has not answered may be under way still.
        seen.isBroken = !isA(thrown, HosError) || (thrown.cause !== undefined && !driver.isSaid(thrown.cause));
        throw thrown;
      }
    }.bind(this);
    return inLane(store, async () => known(native, operation, json) ?? later(lent(driver, store, seen, asked)));
  }

  /** @internal The world's own outcome in place of a failure, where the law leaves it that; most often it is said from memory. */
  *_instead(operation: string, call: string, why: Pick<HosError, "code" | "message">): Work<Stepped | undefined> {
    const { native, life, absent } = this.#parts;
    if (life.isClosed || absent !== undefined) return undefined;
    const failed = JSON.stringify({ operation, call, code: String(why.code), message: sound(bare(why), MESSAGE_MAX) });
    const said = native.step("instead", undefined, failed);
    const [status, json] = split(said);
    if (left(native, said)) return yield* this.#learned(failed);
    if (status !== "allowed" && status !== "refused") return undefined;
    const { answer } = parse(json) as { answer: object };
    return { allowed: status === "allowed", answer, earlier: [], refusal: undefined, leave: [] };
  }

  /** The same in its turn, where no law was read yet and so the database is asked for it. */
  *#learned(failed: string): Work<Stepped | undefined> {
    try {
      return (yield () => this._step(this._era(true), "instead", failed, true)) as Stepped;
    } catch (thrown) {
      if (isUndone(thrown)) throw thrown;
      return undefined;
    }
  }

  /** @internal Has the host's code tell the rest of a call that carries the world's own outcome. */
  _filled(draft: Draft, codes: Codes): Work<void> {
    return filledBeside(this.#parts.driver, this.#parts.connection, draft, codes);
  }

  /** @internal Takes a claim back; with its transaction it is gone by itself. */
  _leave(era: Era | undefined, claimed: Stepped): unknown {
    const ground = this.#ground();
    if (era !== undefined && era !== eraOf(ground.connection)) return undefined;
    return this.#inTurn(ground, era, () => translated(ground, claimed.leave));
  }

  /** Before each thing that it says to the database, a call looks whether its transaction is there. */
  #inTurn<T>({ driver, connection }: Ground, era: Era | undefined, work: () => Work<T>): unknown {
    if (driver.isNow) return now(work());
    if (era === undefined) return inLane(connection, () => later(work()));
    const first = () => stands(connection, era);
    return inLane(connection, async () => {
      // What is known in memory is not told either.
      first();
      return later(work(), first);
    });
  }

  /** @internal Whether answers are there at once. */
  get _isNow(): boolean {
    return this.#parts.driver.isNow;
  }

  /** @internal The answer of a step. */
  _answer(stepped: Stepped, tenant: string, language: string | undefined): Answer {
    const words = (code: string, other: string) => this._message(tenant, code, other);
    const answer = new Answer(new Told(stepped.allowed, stepped.answer), words, language);
    if (stepped.refusal !== undefined) refusals.set(answer, { native: this.#parts.native, number: stepped.refusal, tenant, language });
    return answer;
  }

  /** @internal What the law tells an end user of a code; it is read from memory. */
  _message(tenant: string, code: string, language: string): string {
    const asked = new Draft().need("tenant", tenant).need("code", code).need("language", language).json();
    const [, json] = answered(this.#parts.native.step("message", undefined, asked), undefined);
    return (JSON.parse(json) as { message: string }).message;
  }

  /** Throws where nobody is answered. */
  #stands(): void {
    const { life, absent } = this.#parts;
    if (life.isClosed) throw new ClosedError("closed", "hos.engine_closed", "the engine was closed; open it again");
    if (absent !== undefined) throw absent;
  }

  #ground(): Ground {
    this.#stands();
    const { native, driver, life } = this.#parts;
    return { native, driver, connection: this.#connection(), life };
  }

  #connection(): object {
    const { connection } = this.#parts;
    if (connection !== undefined) return connection;
    throw refusal("hos.no_transaction", "a pool is in no transaction: ask in engine.transaction(..), or on a connection by engine.on(connection)");
  }
}

/** Whether this is a connection or a pool, and no file's name. */
export function isStore(options: unknown): boolean {
  try {
    const store: unknown = typeof options === "object" && options !== null ? (options as { store?: unknown }).store : undefined;
    return typeof store === "object" && store !== null;
  } catch {
    // What cannot be read is refused by who reads all options.
    return false;
  }
}

/** Opens; nothing is read of the database yet. */
export function openJoined<L extends LawNames, S extends Store>(law: unknown, options: JoinedOptions<S>): JoinedEngine<L, S> {
  const store: object = options.store;
  const driver = driverOf(store);
  if (driver === undefined) {
    throw refusal("hos.call_malformed", "`store` is a file's name, or a connection or a pool of pg, mysql2 or better-sqlite3");
  }
  for (const name of Object.keys(options)) {
    if (!OPTIONS.has(name)) throw refusal("hos.call_malformed", `an engine in the host's transactions has no option \`${name}\``);
  }
  const connection = fitOf(driver, store);
  const draft = new Draft().put("dialect", driver.dialect).put("places", driver.places);
  draft.put("law", whole("law", law)).put("directory_age_max_ms", options.directoryAgeMaxMs).put("together", driver.texts !== undefined);
  const native = told(() => addon().Joined.open(draft.json()));
  return new JoinedEngine<L, S>({ native, driver, store, connection, absent: undefined, life: { isClosed: false, takesTexts: true } });
}

/** Stands in where nothing could be opened. */
export function absentJoined<L extends LawNames, S extends Store>(options: JoinedOptions<S>, thrown: unknown): JoinedEngine<L, S> {
  const why = error(thrown);
  const native: Joined = {
    step() {
      throw why as HosError;
    },
  };
  const driver = driverOf(options.store) ?? pg;
  return new JoinedEngine<L, S>({ native, driver, store: options.store, connection: connectionOf(driver, options.store), absent: why, life: { isClosed: false, takesTexts: true } });
}

function driverOf(store: unknown): Driver<any> | undefined {
  if (typeof store !== "object" || store === null) return undefined;
  return DRIVERS.find((driver) => driver.isPool(store) || driver.connection(store) !== undefined);
}

/** As `connectionOf`, of one that can be asked. */
function fitOf(driver: Driver<any>, store: object): object | undefined {
  const connection = connectionOf(driver, store);
  const why = connection === undefined ? undefined : driver.unfit?.(connection);
  if (why !== undefined) throw refusal("hos.call_malformed", why);
  return connection;
}

/** None of a pool. */
function connectionOf(driver: Driver<any>, store: object): object | undefined {
  return driver.isPool(store) ? undefined : driver.connection(store);
}
