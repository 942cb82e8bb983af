// Where there is no answer there is an error; where the answer is no and the caller wanted it thrown, `Denied`.

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
export class HosError extends Error {
  /** The refusal code, `hos.…`. */
  readonly code: string;
  /** The class of the code, which a caller can act on without knowing every code. */
  readonly status: Status;
  /** What is wrong with the law's files; empty but for `hos.law_invalid`. */
  readonly faults: readonly Fault[];

  constructor(status: Status, code: string, message: string, options: { faults?: readonly Fault[]; cause?: unknown } = {}) {
    super(worded(code, message, options.faults ?? []), "cause" in options ? { cause: options.cause } : undefined);
    this.status = status;
    this.code = code;
    this.faults = Object.freeze([...(options.faults ?? [])]);
  }

  static {
    this.prototype.name = "HosError";
  }
}

/** How many of a law's faults a message names; `faults` has them all. */
const NAMED_MAX = 3;

/** An error's message: the code, what is wrong, and the first faults, each on its line. */
function worded(code: string, message: string, faults: readonly Fault[]): string {
  const named = faults.slice(0, NAMED_MAX).map((fault) => {
    const place = fault.line > 0 ? `${fault.file}:${fault.line}` : fault.file;
    return `\n${place} ${fault.code}: ${fault.message}`;
  });
  if (faults.length > NAMED_MAX) named.push(`\nand ${faults.length - NAMED_MAX} more`);
  return `${message === "" ? code : `${code}: ${message}`}${named.join("")}`;
}

/** A message without the code that it begins with, for where the code stands beside it. */
export function bare({ code, message }: Pick<HosError, "code" | "message">): string {
  return message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
}

/** The call is not of its form. Mend the caller. */
export class CallError extends HosError {}
/** The engine is not open here: it was closed. */
export class ClosedError extends HosError {}
/** The law does not load, is not the active one, or asks for what the call lacks. */
export class LawError extends HosError {}
/** The store, the key or the machine failed; nothing was stored. */
export class StoreError extends HosError {}
/** Nothing was stored, and the same call may be made again. */
export class RetryError extends HosError {}
/** Whether it was stored is not known; the same call under the same `once` resolves it. */
export class OutcomeUnknownError extends HosError {}
/** What the call names is not there. */
export class AbsentError extends HosError {}
/** A fault inside. It is never a yes. */
export class InternalError extends HosError {}

const CLASSES: Readonly<Record<Status, typeof HosError>> = {
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
export class Denied extends Error {
  /** The answer that said no. */
  readonly answer: Answer;
  /** The first reason's code; absent where the world's own outcome was the no. */
  readonly code: string | undefined;

  constructor(answer: Answer) {
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

/** Whether it is an instance of this. What cannot be looked at (a proxy may throw when it is) is none. */
export function isA<T>(value: unknown, kind: abstract new (...words: any[]) => T): value is T {
  try {
    return value instanceof kind;
  } catch {
    return false;
  }
}

/** What the language itself refuses, before there is a call. */
export function refusal(code: string, message: string, cause?: unknown): CallError {
  return new CallError("call", code, message, cause === undefined ? {} : { cause });
}

/** The error of a call that ended in this class, from its JSON. */
export function failure(status: string, json: string): HosError {
  let error: { code?: unknown; message?: unknown; faults?: unknown } = {};
  try {
    error = (JSON.parse(json) as { error?: typeof error }).error ?? {};
  } catch {
    // What cannot be read is a fault inside, below.
  }
  const kind = Object.hasOwn(CLASSES, status) ? CLASSES[status as Status] : undefined;
  if (kind === undefined || typeof error.code !== "string" || typeof error.message !== "string") {
    return new InternalError("internal", "hos.internal", "the engine's word could not be read");
  }
  const faults = Array.isArray(error.faults) ? (error.faults as Fault[]).map((fault) => Object.freeze(fault)) : [];
  return new kind(status as Status, error.code, error.message, { faults });
}
