// How the addon tells what came of a call: the class of the end, a line feed, and JSON.

import { CallError, HosError, InternalError, bare, failure } from "./errors";
import { sound, standInOf } from "./write";

/** How much of a fault's words stands in a blocker. */
const SAID_MAX = 1_000;

/** A class and JSON, as the addon tells them. */
export function split(said: string): [status: string, json: string] {
  const at = said.indexOf("\n");
  return at < 0 ? ["internal", "{}"] : [said.slice(0, at), said.slice(at + 1)];
}

/** The answer; what is no answer is thrown. `fault`: what was wrong with the call, in whose place something else stood. */
export function answered(said: string, fault: CallError | undefined): [allowed: boolean, json: string] {
  const [status, json] = split(said);
  if (status === "allowed" || status === "refused") return [status === "allowed", fault === undefined ? json : named(json, fault)];
  const failed = failure(status, json);
  // The place that we know is of more use than the one that stood in for it.
  throw fault !== undefined && failed instanceof CallError ? fault : failed;
}

/** The world's own outcome, with what was wrong in its blocker: the engine speaks of what stood there instead. */
function named(json: string, fault: CallError): string {
  type Told = { code?: string; blockers?: { code: string; detail: string; message?: string }[] };
  const told = JSON.parse(json) as Told;
  const blocker = told.blockers?.[0];
  if (blocker?.code !== standInOf(fault)) return json;
  blocker.detail = sound(bare(fault), SAID_MAX);
  if (blocker.code !== fault.code) {
    told.code = blocker.code = fault.code;
    // It is that of the other code.
    delete blocker.message;
  }
  return JSON.stringify(told);
}

/** Throws what the addon threw, as an error of ours. */
export function rethrown(thrown: unknown): never {
  if (!(thrown instanceof Error) || thrown instanceof HosError) throw thrown;
  const [status, json] = split(thrown.message);
  throw thrown.message.includes("\n") ? failure(status, json) : new InternalError("internal", "hos.internal", thrown.message, { cause: thrown });
}

/** Runs what throws as the addon does. */
export function told<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    return rethrown(thrown);
  }
}
