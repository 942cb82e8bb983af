import { CallError } from "./errors";
import { Uid } from "./values";
/** What a record's fields may not begin with: on the wire it marks an entity or an extension. */
export declare const MARK = "__";
/** What every call has among its words and none among its options. */
export declare const WORDS: ReadonlySet<string>;
export type Write = (value: unknown, where: string, size: Size, depth: number) => string;
/** What room is left in the call. */
type Size = {
    left: number;
};
/** A call that is being put together, field by field. */
export declare class Draft {
    #private;
    /** A draft that goes on where another one stands, which stays as it is. */
    static after(begun: Draft): Draft;
    /** Adds a field; one that is `undefined` is absent. A value that is refused is remembered and stands in for itself. */
    put(name: string, value: unknown, write?: Write): this;
    /** Adds a field without which there is no call; one that is `undefined` is refused. */
    need(name: string, value: unknown, write?: Write): this;
    /**
     * Adds a caller's options, each as its name says; a name that no call has is refused by the wire, which knows them. A name that
     * is `taken` is refused here: it has a place of its own among the call's words, even where nothing was said there. One that is
     * `others'` is none of the call's and left out.
     */
    options(options: unknown, taken?: ReadonlySet<string>, others?: ReadonlySet<string>): this;
    /** Adds what a record says: a text, or bytes. */
    payload(payload: unknown): this;
    /** Whether a field is there. */
    has(name: string): boolean;
    /** Whether the world's own outcome is in it. */
    get hasOutcome(): boolean;
    /** What was refused first. */
    get fault(): CallError | undefined;
    /**
     * The call. Where something was refused this throws it, unless the call carries the world's own outcome: that must stand
     * whatever the rest of the call is, and only the engine knows whether it may.
     */
    json(): string;
}
/** What of a caller's options would be left out without a word: what a class or a prototype has, or what is hidden. */
export declare function lost(options: object, names?: readonly string[]): string | undefined;
/** The code by which the wire refuses what stands in for this. */
export declare function standInOf(fault: CallError): string;
/** The beginning of a text, without halves of pairs. */
export declare function sound(text: string, units?: number): string;
/** An identity where one is expected, in the short form. */
export declare function uid(value: unknown, where: string, size: Size, depth: number): string;
/** The identity that a value says, if it says one by itself. */
export declare function uidOf(value: unknown, where: string): Uid | undefined;
/** Stands for a principal that could not be read. */
export declare const NOBODY: Uid;
/** An identity, found once and kept in `found`: an object that says another one later is still who it was. */
export declare function once(found: Uid[]): Write;
/** Questions that are asked at once. */
export declare function evaluations(value: unknown, where: string, size: Size, depth: number): string;
/** Calls that are made as one. Bytes stand in them as in a call of `record`. */
export declare function calls(value: unknown, where: string, size: Size, depth: number): string;
/** Any value. */
export declare function any(value: unknown, where: string, size: Size, depth: number): string;
/** Whether it is an object with nothing but fields. What cannot be looked at (a proxy that was revoked) is none. */
export declare function plain(value: unknown): value is Record<string, unknown>;
export {};
