// Code of the host's that reads what a call is told, and what its failure means to a call that carries the world's own outcome.

import { HosError, RetryError, bare, isA } from "../errors";
import { error } from "../lane";
import { forget, undone } from "../shadow";
import type { Draft } from "../write";
import { type Driver, causes, fieldOf } from "./driver";
import { stands, troubled } from "./rounds";
import type { Work } from "./work";

/** Arguments and facts that are to be read when the claim is there. */
export type Codes = readonly (readonly [name: string, code: () => unknown])[];

export function codesOf(options: unknown): Codes {
  if (typeof options !== "object" || options === null) return [];
  const read = (name: string): unknown => {
    try {
      return (options as Record<string, unknown>)[name];
    } catch {
      // What cannot be read is refused where it is put into the call.
      return undefined;
    }
  };
  const found = ["facts", "args"].map((name): [string, unknown] => [name, read(name)]);
  return found.filter(([, code]) => typeof code === "function") as [string, () => unknown][];
}

/** Puts into the call what the code gives. */
export function* filled(draft: Draft, codes: Codes): Work<void> {
  for (const [name, code] of codes) {
    const given: unknown = yield code;
    // Where nothing is awaited a promise is no value; nor is it an unhandled rejection.
    forget(given);
    draft.put(name, given);
  }
}

/**
 * As `filled`, beside the world's own outcome. What fails there may have taken the host's transaction: whether there was one is asked
 * before, for behind the error it can no longer be told.
 */
export function* filledBeside(driver: Driver, connection: object | undefined, draft: Draft, codes: Codes): Work<void> {
  if (codes.length === 0) return;
  const inside = yield* isInside(driver, connection);
  try {
    yield* filled(draft, codes);
  } catch (thrown) {
    if (connection === undefined || inside === false || (yield* stands({ driver, connection }, thrown))) throw thrown;
    const asking = retryOf(driver, thrown);
    throw undone(asking === undefined ? error(thrown) : troubled(driver, asking));
  }
}

function* isInside(driver: Driver, connection: object | undefined): Work<unknown> {
  try {
    return connection === undefined ? false : yield () => driver.inside(connection);
  } catch {
    return undefined;
  }
}

/** What asks for the whole transaction once more, among an error and what caused it. */
export function retryOf(driver: Driver, thrown: unknown): unknown {
  return causes(thrown).find((at) => isA(at, RetryError) || driver.trouble(at).trouble === "retry");
}

/** Why there is no call to judge, as a blocker says it. */
export function failedOf(thrown: unknown): Pick<HosError, "code" | "message"> {
  const [name, why] = ["name", "message"].map((field) => fieldOf(error(thrown), field));
  const failed = isA(thrown, HosError);
  const message = `the closure for arguments failed: ${name}: ${failed ? bare(thrown) : why}`;
  return { code: failed ? thrown.code : "hos.call_malformed", message };
}
