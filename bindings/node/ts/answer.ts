// What came of a call. Everything here is read-only.

import { inspect } from "node:util";
import { parse } from "./read";
import { Ext, Uid, type Value } from "./values";

/** How far the law's word goes: `off` and `shadow` leave the world's own outcome standing. */
export type Mode = "off" | "shadow" | "enforce";

/** One reason against a call. */
export interface Blocker {
  /** `hos.…`, or the contract's own (`order.amount_short`). */
  readonly code: string;
  /** What exactly, for a person who mends it; may be empty. */
  readonly detail: string;
  /** The law's message for an end user, where the actor has a language. */
  readonly message?: string;
}

/** A policy that could not be evaluated. */
export interface PolicyError {
  readonly policy: string;
  readonly kind: string;
  readonly message: string;
}

/** What a candidate law says, where it says something else. */
export interface Candidate {
  readonly law: string;
  readonly allowed: boolean;
  readonly blockers: readonly Blocker[];
}

/** Where a record stands in the log. */
export interface Seal {
  readonly seq: number;
  readonly entry: string;
  /** A C2SP signed note. */
  readonly checkpoint?: string;
}

/** Where the evidence of a call lies; without a seal it is pending. */
export interface Receipt {
  readonly tenant: string;
  readonly thread: string;
  /** Its place in the thread. A record of a named stream that joined a transaction has none before it is sealed. */
  readonly n?: number;
  readonly record: string;
  readonly seal?: Seal;
}

/** An answer as the wire has it. */
interface Fields {
  allowed: boolean;
  code?: string;
  blockers: readonly Blocker[];
  effect?: "allow" | "forbidden" | "forbid_error" | "not_permitted";
  policies: readonly string[];
  errors: readonly PolicyError[];
  mode: Mode;
  divergence: boolean;
  candidate?: Candidate;
  law: string;
  directory_version: number;
  from?: string;
  to?: string;
  version?: number;
  fired: readonly string[];
  again: boolean;
  receipt?: Receipt;
}

/** An answer's text, read when more than a plain yes is looked at. Many answers of `can` share one. */
export class Told {
  /** Whether the answer is yes. */
  readonly allowed: boolean;
  #json: string;
  #fields: Fields | undefined;

  /** Of its text, or of what was read of it already. */
  constructor(allowed: boolean, told: string | object) {
    this.allowed = allowed;
    this.#json = typeof told === "string" ? told : "";
    if (typeof told === "object") this.#fields = frozen(told) as Fields;
  }

  /** A text without that word has no code, and need not be read for it: most of what is a yes. */
  get code(): string | undefined {
    return this.#fields === undefined && !this.#json.includes('"code"') ? undefined : this.fields.code;
  }

  get fields(): Fields {
    this.#fields ??= frozen(parse(this.#json)) as Fields;
    return this.#fields;
  }
}

/** Says what the law tells an end user of a code. */
export type Words = (code: string, language: string) => string;

/**
 * What came of a call. **Only `allowed` is a yes**: an answer is an object, and every object is true in a condition. Comparing
 * or calculating with one throws.
 */
export class Answer {
  /** What the caller must heed: the law's word where it is enforced, the world's own in `off` and `shadow`. */
  readonly allowed: boolean;
  /** The first reason's code, where the law refuses. */
  declare readonly code: string | undefined;
  #told: Told;
  #words: Words;
  #language: string | undefined;

  /** Made by an actor's calls. */
  constructor(told: Told, words: Words, language: string | undefined) {
    // Properties of its own, by which a comparison of two answers or a clone tells a yes from a no; the rest is `toJSON`'s.
    this.allowed = told.allowed;
    const { code } = told;
    if (code !== undefined) this.code = code;
    this.#told = told;
    this.#words = words;
    this.#language = language;
    Object.freeze(this);
  }

  /** Everything the law has against it, in order of precedence. */
  get blockers(): readonly Blocker[] {
    return this.#told.fields.blockers;
  }

  /** What the policies said, where they were asked. */
  get effect(): "allow" | "forbidden" | "forbid_error" | "not_permitted" | undefined {
    return this.#told.fields.effect;
  }

  /** Ids of the policies and grants that decided. */
  get policies(): readonly string[] {
    return this.#told.fields.policies;
  }

  /** Policies that could not be evaluated. */
  get errors(): readonly PolicyError[] {
    return this.#told.fields.errors;
  }

  get mode(): Mode {
    return this.#told.fields.mode;
  }

  /** In shadow: law and world differ. */
  get divergence(): boolean {
    return this.#told.fields.divergence;
  }

  /** What a candidate law says, where it says something else. */
  get candidate(): Candidate | undefined {
    return this.#told.fields.candidate;
  }

  /** The hash of the law whose policies were asked. */
  get law(): string {
    return this.#told.fields.law;
  }

  /** The directory version judged under; 0 if none was. */
  get directoryVersion(): number {
    return this.#told.fields.directory_version;
  }

  /** The instance's state before. */
  get from(): string | undefined {
    return this.#told.fields.from;
  }

  /** The instance's state after; of a refused call the present one. */
  get to(): string | undefined {
    return this.#told.fields.to;
  }

  /** The instance's version after. */
  get version(): number | undefined {
    return this.#told.fields.version;
  }

  /** Deadlines that fired before the call was judged. */
  get fired(): readonly string[] {
    return this.#told.fields.fired;
  }

  /** This is the first answer's receipt once more: the call's `once` was used before. */
  get again(): boolean {
    return this.#told.fields.again;
  }

  /** Where the evidence lies, where something was recorded. */
  get receipt(): Receipt | undefined {
    return this.#told.fields.receipt;
  }

  /**
   * The law's message for an end user about why not: in this language, else the actor's, else English. `undefined` where the law
   * has nothing against the call. It may look at the store first, as `can` does; an engine that was closed answers no more.
   */
  message(language: string = this.#language ?? "en"): string | undefined {
    const first = this.blockers[0];
    if (first === undefined) return undefined;
    if (first.message !== undefined && language === this.#language) return first.message;
    return this.#words(first.code, language);
  }

  /** The answer as the wire has it, whole: what is stored, and what is posted to another thread. */
  toJSON(): object {
    return this.#told.fields;
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.allowed ? "allowed" : `refused: ${this.code ?? "by the world's own outcome"}`;
    throw new TypeError("an Answer is no condition and no number: look at `.allowed`");
  }
}

// As it is shown by `console.log`, by the names that it has here; defined here, so that the types need none of Node's.
Object.defineProperty(Answer.prototype, inspect.custom, {
  value(this: Answer, _depth: number, options: object) {
    const fields = Object.entries(this.toJSON()).map(([name, value]): [string, unknown] => [RENAMED[name] ?? name, value]);
    return `Answer ${inspect(Object.fromEntries(fields), options)}`;
  },
});

/** What can be done with an instance now. */
export interface Available {
  readonly event: string;
  readonly allowed: boolean;
  readonly code?: string;
  readonly blockers: readonly Blocker[];
  /** The state it would lead to. */
  readonly to?: string;
  /** Arguments without which policies and guards cannot be judged. */
  readonly needs: readonly string[];
}

/** Named values as they were recorded: entities are `Uid`, `decimal` and its like `Ext`, sets arrays. */
export type Recorded = { readonly [name: string]: Value };

/** One record of an instance. */
export interface Entry {
  readonly n: number;
  readonly kind: string;
  readonly time: string;
  readonly event?: string;
  readonly from?: string;
  readonly to?: string;
  readonly decision: "none" | "allow" | "deny";
  readonly code?: string;
  readonly policies: readonly string[];
  readonly mode: string;
  readonly law?: string;
  readonly guardLaw?: string;
  readonly contractVersion?: number;
  readonly directoryVersion: number;
  readonly durability: string;
  readonly request?: string;
  /** By name, as far as their keys are there. */
  readonly parts: { readonly [part: string]: Recorded };
  /** Names of the parts whose key is gone. */
  readonly erased: readonly string[];
  readonly receipt: Receipt;
}

/** An answer among several, as the wire has it. */
export type Evaluation = { readonly allowed: unknown };

/** The answers of `can_all`. */
export function evaluationsOf(told: unknown): readonly Evaluation[] {
  return (told as { evaluations: readonly Evaluation[] }).evaluations;
}

/** The answer of `available`. */
export function availableOf(json: string): readonly Available[] {
  return (frozen(parse(json)) as { available: readonly Available[] }).available;
}

const RENAMED: Readonly<Record<string, string>> = {
  guard_law: "guardLaw",
  contract_version: "contractVersion",
  directory_version: "directoryVersion",
};

/** The answer of `history`. */
export function historyOf(json: string): readonly Entry[] {
  const { history } = parse(json) as { history: readonly Record<string, unknown>[] };
  const entry = (wire: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(wire).map(([name, value]) => [RENAMED[name] ?? name, name === "parts" ? plainly(value) : value]),
    );
  return frozen(history.map(entry)) as readonly Entry[];
}

/** A recorded value in JavaScript's words. */
function plainly(wire: unknown): unknown {
  if (Array.isArray(wire)) return wire.map(plainly);
  if (typeof wire !== "object" || wire === null) return wire;
  const { __entity: entity, __extn: extension } = wire as { __entity?: Uid; __extn?: Ext };
  if (entity !== undefined) return new Uid(entity.type, entity.id);
  if (extension !== undefined) return new Ext(extension.fn, extension.arg);
  return Object.fromEntries(Object.entries(wire).map(([name, inner]) => [name, plainly(inner)]));
}

/** Freezes what was just read, all the way down. What the wire says is null is absent. */
function frozen(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const [name, inner] of Object.entries(value)) {
    if (inner === null && !Array.isArray(value)) delete (value as Record<string, unknown>)[name];
    else frozen(inner);
  }
  return Object.freeze(value);
}
