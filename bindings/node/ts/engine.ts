// An open store under its law.

import { type Answer, Told } from "./answer";
import { type CallError, ClosedError, InternalError, failure, refusal } from "./errors";
import { Known } from "./known";
import type { LawNames } from "./law";
import { Lane, error } from "./lane";
import type { SqliteDatabase } from "./joined/better-sqlite3";
import { type JoinedEngine, type JoinedOptions, type Remote, type Store, absentJoined, isStore, openJoined } from "./joined/engine";
import { DOUBT, type Handle, SAID, absent, addon } from "./native";
import { whole } from "./path";
import { parse } from "./read";
import { Tenant } from "./tenant";
import { answered, rethrown, split, told } from "./told";
import { Draft } from "./write";

/** How an engine is opened. */
export interface Options {
  /** The store's file. It is made by `hos init`, not here. */
  store: string;
  /** Who signs: a key file, a signer's socket, or a program; `<store>.key` if none is said. */
  keyFile?: string;
  signerSocket?: string;
  signerCommand?: string;
  /** The file outside the store that keeps the newest checkpoints. */
  mark?: string;
  /** Whether a seal is made in the commit (receipts are complete) or by a worker. */
  seal?: "inline" | "worker";
  /** How long to wait for another process, in milliseconds; 10000 if not said, at most 3600000. */
  busyTimeoutMs?: number;
  /** How old the directory that `can` judges under may be, in milliseconds: other processes' changes are seen within it. 500 if not said;
   * 0: every `can` asks the store first. At most 60000. */
  directoryAgeMaxMs?: number;
}

/** How one that joins the host's own transactions is: by its connection, with a law or without. */
type Words<S extends Store> = [law: string, options: JoinedOptions<S>] | [options: JoinedOptions<S>];

const NAMES: Readonly<Record<string, string>> = {
  keyFile: "key_file",
  signerSocket: "signer_socket",
  signerCommand: "signer_command",
  busyTimeoutMs: "busy_timeout_ms",
  directoryAgeMaxMs: "directory_age_max_ms",
};
const WIRE_NAMES = new Set(Object.values(NAMES));
/** Which options are paths. A relative one is meant from the directory in which the engine is opened, whatever comes after. */
const PATHS = new Set(["store", "law", "keyFile", "signerSocket", "mark"]);

/** Who asks: the words that `can` binds, and whether they can be bound. */
export interface Asker {
  readonly tenant: unknown;
  readonly type: string;
  readonly id: string;
  readonly beside: string;
  swift: boolean;
}

/** A call as JSON, and what was refused of it here: that is thrown in place of what the wire says about its stand-in. */
export interface Ready {
  readonly json: string;
  readonly fault: CallError | undefined;
}

const PRIVATE = Symbol("private");

/**
 * An open store. Used for the life of the process; every worker thread opens its own by the same options, and the last one that
 * is closed lets go of the file.
 */
export class Engine<L extends LawNames = LawNames> {
  #handle: Handle;
  #pending = new Set<Promise<unknown>>();
  #known = new Known();
  #bound: Asker | undefined;
  #lane = new Lane<Answer>();
  /** Why there is no engine, where `openForShadow` could open none. */
  readonly absent: Error | undefined;

  private constructor(handle: Handle, key: typeof PRIVATE, why?: Error) {
    // Types do not hold in JavaScript.
    if (key !== PRIVATE) throw refusal("hos.call_malformed", "an engine is opened by Engine.open");
    this.#handle = handle;
    this.absent = why;
  }

  /**
   * Opens a store under the law in a directory, which must be the store's active law, or without one under the active law. Where the
   * store is a connection of yours (pg, mysql2, better-sqlite3) or a pool, the engine joins its transactions.
   */
  static async open<L extends LawNames = LawNames>(law: string, options: Options): Promise<Engine<L>>;
  static async open<L extends LawNames = LawNames>(options: Options): Promise<Engine<L>>;
  static async open<L extends LawNames, S extends Store>(...words: Words<S>): Promise<JoinedEngine<L, S>>;
  static async open<L extends LawNames = LawNames>(...words: Words<SqliteDatabase>): Promise<JoinedEngine<L, SqliteDatabase>>;
  static async open<L extends LawNames = LawNames>(...words: Words<Remote>): Promise<JoinedEngine<L, Remote>>;
  static async open<L extends LawNames>(law: unknown, options?: unknown): Promise<Engine<L> | JoinedEngine<L, Store>> {
    const inHosts = joined<L>(law, options);
    if (inHosts !== undefined) return inHosts;
    const json = optionsJson(law, options);
    return new Engine<L>(await addon().Handle.open(json).catch(rethrown), PRIVATE);
  }

  /** As `open`, here and now; it may wait for the disk. */
  static openSync<L extends LawNames = LawNames>(law: string, options: Options): Engine<L>;
  static openSync<L extends LawNames = LawNames>(options: Options): Engine<L>;
  static openSync<L extends LawNames, S extends Store>(...words: Words<S>): JoinedEngine<L, S>;
  static openSync<L extends LawNames = LawNames>(...words: Words<SqliteDatabase>): JoinedEngine<L, SqliteDatabase>;
  static openSync<L extends LawNames = LawNames>(...words: Words<Remote>): JoinedEngine<L, Remote>;
  static openSync<L extends LawNames>(law: unknown, options?: unknown): Engine<L> | JoinedEngine<L, Store> {
    const inHosts = joined<L>(law, options);
    if (inHosts !== undefined) return inHosts;
    const json = optionsJson(law, options);
    return new Engine<L>(told(() => addon().Handle.openSync(json)), PRIVATE);
  }

  /**
   * Opens as `open` does, for code whose own answers stand (`shadow` of an actor): its promise is never rejected. Where nothing can
   * be opened it gives an engine that stands in: its `shadow` calls run the world's code and no more, all else throws `absent`.
   */
  static async openForShadow<L extends LawNames = LawNames>(law: string, options: Options): Promise<Engine<L>>;
  static async openForShadow<L extends LawNames = LawNames>(options: Options): Promise<Engine<L>>;
  static async openForShadow<L extends LawNames, S extends Store>(...words: Words<S>): Promise<JoinedEngine<L, S>>;
  static async openForShadow<L extends LawNames = LawNames>(...words: Words<SqliteDatabase>): Promise<JoinedEngine<L, SqliteDatabase>>;
  static async openForShadow<L extends LawNames = LawNames>(...words: Words<Remote>): Promise<JoinedEngine<L, Remote>>;
  static async openForShadow<L extends LawNames>(law: unknown, options?: unknown): Promise<Engine<L> | JoinedEngine<L, Store>> {
    const inHosts = joinedForShadow<L>(law, options);
    if (inHosts !== undefined) return inHosts;
    return Engine.open<L>(law as string, options as Options).catch((thrown: unknown) => Engine.#absent<L>(thrown));
  }

  /** As `openForShadow`, here and now; it may wait for the disk. */
  static openForShadowSync<L extends LawNames = LawNames>(law: string, options: Options): Engine<L>;
  static openForShadowSync<L extends LawNames = LawNames>(options: Options): Engine<L>;
  static openForShadowSync<L extends LawNames, S extends Store>(...words: Words<S>): JoinedEngine<L, S>;
  static openForShadowSync<L extends LawNames = LawNames>(...words: Words<SqliteDatabase>): JoinedEngine<L, SqliteDatabase>;
  static openForShadowSync<L extends LawNames = LawNames>(...words: Words<Remote>): JoinedEngine<L, Remote>;
  static openForShadowSync<L extends LawNames>(law: unknown, options?: unknown): Engine<L> | JoinedEngine<L, Store> {
    const inHosts = joinedForShadow<L>(law, options);
    if (inHosts !== undefined) return inHosts;
    try {
      return Engine.openSync<L>(law as string, options as Options);
    } catch (thrown) {
      return Engine.#absent<L>(thrown);
    }
  }

  static #absent<L extends LawNames>(thrown: unknown): Engine<L> {
    const why = error(thrown);
    return new Engine<L>(absent(() => why), PRIVATE, why);
  }

  /** A tenant. Whether the store has it is seen by each call. */
  tenant(name: string): Tenant<L> {
    return new Tenant<L>(this, name);
  }

  /**
   * Makes a call in the wire's own words: an operation's name, and an object, JSON, or bytes of JSON. Gives the wire's object;
   * throws where that is an error.
   */
  async call(operation: string, call: object | string | Uint8Array): Promise<Record<string, unknown>> {
    if (typeof operation !== "string") throw refusal("hos.call_malformed", "an operation's name is a text");
    if (typeof call !== "string" && !(call instanceof Uint8Array)) {
      const draft = new Draft().options(call);
      const [, json] = await this._ask(operation, { json: draft.json(), fault: draft.fault });
      return parse(json) as Record<string, unknown>;
    }
    const bytes = typeof call === "string" ? Buffer.from(sound(call)) : call;
    const [, json] = answered(await this._later(this.#handle.call(operation, bytes)), undefined);
    return parse(json) as Record<string, unknown>;
  }

  /**
   * Closes: at once for whoever asks from now on; calls that are under way end as they would have. The promise is kept when they
   * have, and this script's hold on the file is gone. What the law has not judged yet of `shadow` calls it still judges, unless the
   * store fails. An engine that is closed can be closed again.
   */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#forget();
    if (this.absent === undefined) {
      this.#handle = absent(() => new ClosedError("closed", "hos.engine_closed", "the engine was closed; open it again"));
    }
    if (this.#lane.isBusy) await this.#lane.idle();
    handle.shut();
    await Promise.allSettled([...this.#pending]);
    await handle.close().catch(rethrown);
  }

  /** As `close`, without waiting for calls that are under way, or for the law's judgements; it may wait for the disk. */
  closeSync(): void {
    this.#forget();
    told(() => this.#handle.closeSync());
  }

  #forget(): void {
    this.#bound = undefined;
    this.#known = new Known();
  }

  /** @internal A promise that `close` waits for. */
  _later<T>(promise: Promise<T>): Promise<T> {
    this.#pending.add(promise);
    const done = () => void this.#pending.delete(promise);
    promise.then(done, done);
    return promise;
  }

  /** @internal Makes a call off the main thread, and gives the JSON of its answer. */
  async _ask(operation: string, ready: Ready): Promise<[allowed: boolean, json: string]> {
    return answered(await this._later(this.#handle.call(operation, Buffer.from(ready.json))), ready.fault);
  }

  /** @internal Has the law judge in its turn what the world has done, and tells what came of it. */
  _watch(operation: string, ready: Ready, read: (allowed: boolean, json: string) => Answer, tell: (told: Answer | Error) => void): void {
    const [handle, call] = [this.#handle, Buffer.from(ready.json)];
    const ask = async () => read(...answered(await this._later(handle.call(operation, call)), ready.fault));
    this.#lane.push(ask, tell, call.length);
  }

  /** @internal Makes a call here and now. */
  _askSync(operation: string, ready: Ready): [allowed: boolean, json: string] {
    return answered(this.#handle.callSync(operation, Buffer.from(ready.json)), ready.fault);
  }

  /** @internal `can` with its words apart; `undefined` where they must come as JSON. */
  _can(asker: Asker, words: string, count: number): Told | undefined {
    const handle = this.#handle;
    if (this.#bound !== asker) {
      this.#bound = undefined;
      asker.swift = handle.bind(asker.tenant as string, asker.type, asker.id, asker.beside);
      if (!asker.swift) return undefined;
      this.#bound = asker;
    }
    const number = handle.can(words, count);
    if (number >= 0) return this.#known.get(number) ?? this.#fetched(number);
    if (number === DOUBT) return undefined;
    if (number === SAID) throw failure(...split(handle.said()));
    throw new InternalError("internal", "hos.internal", "the addon gave a number that nobody knows");
  }

  #fetched(number: number): Told {
    const [allowed, json] = answered(this.#handle.told(number), undefined);
    return this.#known.keep(number, allowed, json);
  }
}

// Older Node has no such symbols; there `using` cannot be written either.
export interface Engine<L extends LawNames> extends Disposable, AsyncDisposable {}
for (const [symbol, value] of [
  [Symbol.dispose, function (this: Engine) { this.closeSync(); }],
  [Symbol.asyncDispose, function (this: Engine) { return this.close(); }],
] as const) {
  if (typeof symbol === "symbol") Object.defineProperty(Engine.prototype, symbol, { value, configurable: true, writable: true });
}

function optionsJson(law: unknown, options: unknown): string {
  const draft = new Draft();
  const only = options === undefined && typeof law === "object";
  const given = only ? law : options;
  if (!only) draft.put("law", whole("law", law));
  if (typeof given !== "object" || given === null) {
    throw refusal("hos.call_malformed", 'an engine is opened by Engine.open("law", { store: "hos.db" }) or Engine.open({ store: "hos.db" })');
  }
  for (const [name, value] of Object.entries(given)) {
    if (WIRE_NAMES.has(name)) {
      throw refusal("hos.call_malformed", `the options have no field \`${name}\`; did you mean \`${camel(name)}\`?`);
    }
    draft.put(NAMES[name] ?? name, PATHS.has(name) ? whole(name, value) : value);
  }
  return draft.json();
}

function camel(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function sound(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw refusal("hos.call_malformed", "the call holds half a surrogate pair, which is no text");
  return text;
}

/** An engine in the host's transactions, where the store is a connection. */
function joined<L extends LawNames>(law: unknown, options: unknown): JoinedEngine<L, Store> | undefined {
  if (isStore(options)) return openJoined<L, Store>(law, options as JoinedOptions);
  return options === undefined && isStore(law) ? openJoined<L, Store>(undefined, law as JoinedOptions) : undefined;
}

function joinedForShadow<L extends LawNames>(law: unknown, options: unknown): JoinedEngine<L, Store> | undefined {
  try {
    return joined<L>(law, options);
  } catch (thrown) {
    return absentJoined<L, Store>((isStore(options) ? options : law) as JoinedOptions, thrown);
  }
}
