import type { Answer } from "./answer";
/** The stable class of an error: the C ABI's, in small letters. */
export type Status = "call" | "closed" | "law" | "store" | "retry" | "unknown" | "absent" | "internal";
/** A fault of a law's file. Lines and columns count from 1; 0 is the whole file. */
export interface Fault {
    readonly code: string;
    readonly severity: "error" | "warning" | "note";
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly message: string;
    readonly hint?: string;
}
/** There is no answer. `code` says why, and the message begins with it; nothing was stored unless the status is `unknown`. */
export declare class HosError extends Error {
    /** The refusal code, `hos.…`. */
    readonly code: string;
    /** The class of the code, which a caller can act on without knowing every code. */
    readonly status: Status;
    /** What is wrong with the law's files; empty but for `hos.law_invalid`. */
    readonly faults: readonly Fault[];
    constructor(status: Status, code: string, message: string, options?: {
        faults?: readonly Fault[];
        cause?: unknown;
    });
}
/** A message without the code that it begins with, for where the code stands beside it. */
export declare function bare({ code, message }: Pick<HosError, "code" | "message">): string;
/** The call is not of its form. Mend the caller. */
export declare class CallError extends HosError {
}
/** The engine is not open here: it was closed. */
export declare class ClosedError extends HosError {
}
/** The law does not load, is not the active one, or asks for what the call lacks. */
export declare class LawError extends HosError {
}
/** The store, the key or the machine failed; nothing was stored. */
export declare class StoreError extends HosError {
}
/** Nothing was stored, and the same call may be made again. */
export declare class RetryError extends HosError {
}
/** Whether it was stored is not known; the same call under the same `once` resolves it. */
export declare class OutcomeUnknownError extends HosError {
}
/** What the call names is not there. */
export declare class AbsentError extends HosError {
}
/** A fault inside. It is never a yes. */
export declare class InternalError extends HosError {
}
/** The answer is no: thrown by `authorize` and `apply` alone. It is no `HosError`, for there is an answer. */
export declare class Denied extends Error {
    /** The answer that said no. */
    readonly answer: Answer;
    /** The first reason's code; absent where the world's own outcome was the no. */
    readonly code: string | undefined;
    constructor(answer: Answer);
}
/** Whether it is an instance of this. What cannot be looked at (a proxy may throw when it is) is none. */
export declare function isA<T>(value: unknown, kind: abstract new (...words: any[]) => T): value is T;
/** What the language itself refuses, before there is a call. */
export declare function refusal(code: string, message: string, cause?: unknown): CallError;
/** The error of a call that ended in this class, from its JSON. */
export declare function failure(status: string, json: string): HosError;
