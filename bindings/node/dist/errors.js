"use strict";
// Where there is no answer there is an error; where the answer is no and the caller wanted it thrown, `Denied`.
Object.defineProperty(exports, "__esModule", { value: true });
exports.Denied = exports.InternalError = exports.AbsentError = exports.OutcomeUnknownError = exports.RetryError = exports.StoreError = exports.LawError = exports.ClosedError = exports.CallError = exports.HosError = void 0;
exports.bare = bare;
exports.isA = isA;
exports.refusal = refusal;
exports.failure = failure;
/** There is no answer. `code` says why, and the message begins with it; nothing was stored unless the status is `unknown`. */
class HosError extends Error {
    /** The refusal code, `hos.…`. */
    code;
    /** The class of the code, which a caller can act on without knowing every code. */
    status;
    /** What is wrong with the law's files; empty but for `hos.law_invalid`. */
    faults;
    constructor(status, code, message, options = {}) {
        super(worded(code, message, options.faults ?? []), "cause" in options ? { cause: options.cause } : undefined);
        this.status = status;
        this.code = code;
        this.faults = Object.freeze([...(options.faults ?? [])]);
    }
    static {
        this.prototype.name = "HosError";
    }
}
exports.HosError = HosError;
/** How many of a law's faults a message names; `faults` has them all. */
const NAMED_MAX = 3;
/** An error's message: the code, what is wrong, and the first faults, each on its line. */
function worded(code, message, faults) {
    const named = faults.slice(0, NAMED_MAX).map((fault) => {
        const place = fault.line > 0 ? `${fault.file}:${fault.line}` : fault.file;
        return `\n${place} ${fault.code}: ${fault.message}`;
    });
    if (faults.length > NAMED_MAX)
        named.push(`\nand ${faults.length - NAMED_MAX} more`);
    return `${message === "" ? code : `${code}: ${message}`}${named.join("")}`;
}
/** A message without the code that it begins with, for where the code stands beside it. */
function bare({ code, message }) {
    return message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
}
/** The call is not of its form. Mend the caller. */
class CallError extends HosError {
}
exports.CallError = CallError;
/** The engine is not open here: it was closed. */
class ClosedError extends HosError {
}
exports.ClosedError = ClosedError;
/** The law does not load, is not the active one, or asks for what the call lacks. */
class LawError extends HosError {
}
exports.LawError = LawError;
/** The store, the key or the machine failed; nothing was stored. */
class StoreError extends HosError {
}
exports.StoreError = StoreError;
/** Nothing was stored, and the same call may be made again. */
class RetryError extends HosError {
}
exports.RetryError = RetryError;
/** Whether it was stored is not known; the same call under the same `once` resolves it. */
class OutcomeUnknownError extends HosError {
}
exports.OutcomeUnknownError = OutcomeUnknownError;
/** What the call names is not there. */
class AbsentError extends HosError {
}
exports.AbsentError = AbsentError;
/** A fault inside. It is never a yes. */
class InternalError extends HosError {
}
exports.InternalError = InternalError;
const CLASSES = {
    call: CallError,
    closed: ClosedError,
    law: LawError,
    store: StoreError,
    retry: RetryError,
    unknown: OutcomeUnknownError,
    absent: AbsentError,
    internal: InternalError,
};
for (const kind of Object.values(CLASSES)) {
    Object.defineProperty(kind.prototype, "name", { value: kind.name, configurable: true, writable: true });
}
/** The answer is no: thrown by `authorize` and `apply` alone. It is no `HosError`, for there is an answer. */
class Denied extends Error {
    /** The answer that said no. */
    answer;
    /** The first reason's code; absent where the world's own outcome was the no. */
    code;
    constructor(answer) {
        const first = answer.blockers[0];
        const why = first === undefined ? "" : `: ${first.code}${first.detail === "" ? "" : ` (${first.detail})`}`;
        super(`denied${why}`);
        this.answer = answer;
        this.code = answer.code;
    }
    static {
        this.prototype.name = "Denied";
    }
}
exports.Denied = Denied;
/** Whether it is an instance of this. What cannot be looked at (a proxy may throw when it is) is none. */
function isA(value, kind) {
    try {
        return value instanceof kind;
    }
    catch {
        return false;
    }
}
/** What the language itself refuses, before there is a call. */
function refusal(code, message, cause) {
    return new CallError("call", code, message, cause === undefined ? {} : { cause });
}
/** The error of a call that ended in this class, from its JSON. */
function failure(status, json) {
    let error = {};
    try {
        error = JSON.parse(json).error ?? {};
    }
    catch {
        // What cannot be read is a fault inside, below.
    }
    const kind = Object.hasOwn(CLASSES, status) ? CLASSES[status] : undefined;
    if (kind === undefined || typeof error.code !== "string" || typeof error.message !== "string") {
        return new InternalError("internal", "hos.internal", "the engine's word could not be read");
    }
    const faults = Array.isArray(error.faults) ? error.faults.map((fault) => Object.freeze(fault)) : [];
    return new kind(status, error.code, error.message, { faults });
}
