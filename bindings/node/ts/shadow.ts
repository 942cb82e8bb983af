// The world decides, the law watches: the world's own code runs first and once, and what it gives or throws is what the caller
// gets, at once. The law is judged after it, in the background, and nothing that happens there is felt.

import { AsyncResource } from "node:async_hooks";
import { types } from "node:util";
import type { Answer } from "./answer";
import { refusal } from "./errors";
import { error } from "./lane";
import { plain } from "./write";

/** What the world came to. */
export type World = boolean | { readonly allowed: boolean; readonly state?: string };

/** What a caller gets of the world's own code: a promise of a promise, else what it gave. */
export type Given<R> = R extends PromiseLike<infer T> ? Promise<T> : R;

/** The world's own code, and who looks on. */
export interface Watched<R> {
  /** Runs first and once. What it gives is given back, what it throws goes through; a promise is awaited. */
  readonly legacy: () => R;
  /**
   * What the world came to, of what `legacy` gave or threw. `undefined` or `null`, and without it: `false` and what is thrown are a
   * no, an object whose `allowed` is a boolean says it by itself, anything else is a yes.
   */
  // `any`: it is whatever the world has.
  readonly outcome?: (came: any) => World | null | undefined;
  /** Gets the law's answer, or why there is none, when it has been judged. What it throws is swallowed. */
  readonly seen?: (told: Answer | Error) => unknown;
}

/** The names of the above: they are none of the call's own. */
export const WATCHED: ReadonlySet<string> = new Set(["legacy", "outcome", "seen"]);

/**
 * Has the law asked with what the world came to, and told what came of it. Where it gives a promise, that is waited for. What it gives
 * is an error by which what the world did was undone: nothing is given back then as if it stood.
 */
export type Watch = (came: () => Exclude<World, boolean>, tell: (told: Answer | Error) => void) => Looked | Promise<Looked>;
type Looked = Error | undefined | void;

const undoing = new WeakSet<object>();

/** An error that has taken the host's transaction with it, and with that what the world did in it. */
export function undone<T extends object>(failed: T): T {
  undoing.add(failed);
  return failed;
}

/** Whether it is one. */
export function isUndone(thrown: unknown): thrown is Error {
  return typeof thrown === "object" && thrown !== null && undoing.has(thrown);
}

/** Runs the world's own code, watched. */
export function shadowed<R>(options: Watched<R>, watch: Watch): Given<R> {
  const legacy: unknown = options?.legacy;
  if (typeof legacy !== "function") throw refusal("hos.call_malformed", "`legacy` is the world's own code: a function");
  let given: R;
  try {
    given = legacy() as R;
  } catch (thrown) {
    const looked = look(options, watch, thrown, true);
    if (looked instanceof Promise) return looked.then(() => Promise.reject(thrown)) as Given<R>;
    throw thrown;
  }
  if (isPromise(given)) return later(options, watch, given) as Given<R>;
  const looked = look(options, watch, given, false);
  return (looked instanceof Promise ? looked.then((came) => stood(given, came)) : stood(given, looked)) as Given<R>;
}

async function later<R>(options: Watched<R>, watch: Watch, promise: PromiseLike<unknown>): Promise<unknown> {
  let given: unknown;
  try {
    given = await promise;
  } catch (thrown) {
    const looked = look(options, watch, thrown, true);
    if (looked instanceof Promise) await looked;
    throw thrown;
  }
  const looked = look(options, watch, given, false);
  return stood(given, looked instanceof Promise ? await looked : looked);
}

function stood<T>(given: T, looked: Looked): T {
  if (looked !== undefined) throw looked;
  return given;
}

function look<R>(options: Watched<R>, watch: Watch, came: unknown, threw: boolean): Looked | Promise<Looked> {
  try {
    const tell = teller(options);
    try {
      return watch(() => worldOf(options, came, threw), tell);
    } catch (thrown) {
      queueMicrotask(() => tell(error(thrown)));
      return isUndone(thrown) ? thrown : undefined;
    }
  } catch {
    // A `seen` that cannot even be read is not told.
  }
  return undefined;
}

/** Tells whoever looks on, in the context of the call (`AsyncLocalStorage`). */
function teller<R>(options: Watched<R>): (told: Answer | Error) => void {
  const seen = options.seen;
  if (seen === undefined) return () => {};
  const context = new AsyncResource("hos.shadow");
  return (told) => {
    try {
      forget(context.runInAsyncScope(seen, undefined, told));
    } catch {
      // What `seen` throws is nobody's.
    }
  };
}

function worldOf<R>(options: Watched<R>, came: unknown, threw: boolean): Exclude<World, boolean> {
  let said: unknown;
  const outcome = options.outcome;
  if (outcome !== undefined) {
    try {
      said = outcome(came);
    } catch (thrown) {
      // An `outcome` that knows only what is given cannot read what is thrown; that is a refusal all the same.
      if (!threw) throw thrown;
    }
  }
  if (said === undefined || said === null) return threw ? { allowed: false } : (read(came) ?? { allowed: true });
  const world = read(said);
  if (world !== undefined) return world;
  forget(said);
  throw refusal("hos.value_invalid", "`outcome` gives a boolean or { allowed, state }");
}

/** What says by itself that it is allowed or not. No code of the world's runs by being looked at: no getter, no proxy's trap. */
function read(said: unknown): Exclude<World, boolean> | undefined {
  if (typeof said === "boolean") return { allowed: said };
  if (types.isProxy(said) || !plain(said)) return undefined;
  const [allowed, state] = ["allowed", "state"].map((name) => Object.getOwnPropertyDescriptor(said, name)?.value as unknown);
  if (typeof allowed !== "boolean") return undefined;
  return typeof state === "string" ? { allowed, state } : { allowed };
}

function isPromise(given: unknown): given is PromiseLike<unknown> {
  try {
    return (typeof given === "object" || typeof given === "function") && given !== null && typeof (given as { then?: unknown }).then === "function";
  } catch {
    return false;
  }
}

/** A promise that nobody waits for is no unhandled rejection. */
export function forget(said: unknown): void {
  if (isPromise(said)) Promise.resolve(said).then(undefined, () => {});
}
