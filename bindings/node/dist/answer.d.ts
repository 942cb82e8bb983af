import { type Value } from "./values";
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
export declare class Told {
    #private;
    /** Whether the answer is yes. */
    readonly allowed: boolean;
    /** Of its text, or of what was read of it already. */
    constructor(allowed: boolean, told: string | object);
    /** A text without that word has no code, and need not be read for it: most of what is a yes. */
    get code(): string | undefined;
    get fields(): Fields;
}
/** Says what the law tells an end user of a code. */
export type Words = (code: string, language: string) => string;
/**
 * What came of a call. **Only `allowed` is a yes**: an answer is an object, and every object is true in a condition. Comparing
 * or calculating with one throws.
 */
export declare class Answer {
    #private;
    /** What the caller must heed: the law's word where it is enforced, the world's own in `off` and `shadow`. */
    readonly allowed: boolean;
    /** The first reason's code, where the law refuses. */
    readonly code: string | undefined;
    /** Made by an actor's calls. */
    constructor(told: Told, words: Words, language: string | undefined);
    /** Everything the law has against it, in order of precedence. */
    get blockers(): readonly Blocker[];
    /** What the policies said, where they were asked. */
    get effect(): "allow" | "forbidden" | "forbid_error" | "not_permitted" | undefined;
    /** Ids of the policies and grants that decided. */
    get policies(): readonly string[];
    /** Policies that could not be evaluated. */
    get errors(): readonly PolicyError[];
    get mode(): Mode;
    /** In shadow: law and world differ. */
    get divergence(): boolean;
    /** What a candidate law says, where it says something else. */
    get candidate(): Candidate | undefined;
    /** The hash of the law whose policies were asked. */
    get law(): string;
    /** The directory version judged under; 0 if none was. */
    get directoryVersion(): number;
    /** The instance's state before. */
    get from(): string | undefined;
    /** The instance's state after; of a refused call the present one. */
    get to(): string | undefined;
    /** The instance's version after. */
    get version(): number | undefined;
    /** Deadlines that fired before the call was judged. */
    get fired(): readonly string[];
    /** This is the first answer's receipt once more: the call's `once` was used before. */
    get again(): boolean;
    /** Where the evidence lies, where something was recorded. */
    get receipt(): Receipt | undefined;
    /**
     * The law's message for an end user about why not: in this language, else the actor's, else English. `undefined` where the law
     * has nothing against the call. It may look at the store first, as `can` does; an engine that was closed answers no more.
     */
    message(language?: string): string | undefined;
    /** The answer as the wire has it, whole: what is stored, and what is posted to another thread. */
    toJSON(): object;
    [Symbol.toPrimitive](hint: string): string;
}
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
export type Recorded = {
    readonly [name: string]: Value;
};
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
    readonly parts: {
        readonly [part: string]: Recorded;
    };
    /** Names of the parts whose key is gone. */
    readonly erased: readonly string[];
    readonly receipt: Receipt;
}
/** An answer among several, as the wire has it. */
export type Evaluation = {
    readonly allowed: unknown;
};
/** The answers of `can_all`. */
export declare function evaluationsOf(told: unknown): readonly Evaluation[];
/** The answer of `available`. */
export declare function availableOf(json: string): readonly Available[];
/** The answer of `history`. */
export declare function historyOf(json: string): readonly Entry[];
export {};
