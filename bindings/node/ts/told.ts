// How the addon tells what came of a call: the class of the end, a line feed, and JSON.

import { CallError, HosError, InternalError, failure } from "./errors";

/** A class and JSON, as the addon tells them. */
export function split(said: string): [status: string, json: string] {
  const at = said.indexOf("\n");
  return at < 0 ? ["internal", "{}"] : [said.slice(0, at), said.slice(at + 1)];
}

/** The answer; what is no answer is thrown. */
export function answered(said: string, fault: HosError | undefined): [allowed: boolean, json: string] {
  const [status, json] = split(said);
  if (status === "allowed" || status === "refused") return [status === "allowed", json];
  const failed = failure(status, json);
  // The place that we know is of more use than the one that stood in for it.
  throw fault !== undefined && failed instanceof CallError ? fault : failed;
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
