import { CallError } from "./errors";
/** A class and JSON, as the addon tells them. */
export declare function split(said: string): [status: string, json: string];
/** The answer; what is no answer is thrown. `fault`: what was wrong with the call, in whose place something else stood. */
export declare function answered(said: string, fault: CallError | undefined): [allowed: boolean, json: string];
/** Throws what the addon threw, as an error of ours. */
export declare function rethrown(thrown: unknown): never;
/** Runs what throws as the addon does. */
export declare function told<T>(work: () => T): T;
