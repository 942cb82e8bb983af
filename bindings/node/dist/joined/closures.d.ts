import { HosError } from "../errors";
import type { Draft } from "../write";
import { type Driver } from "./driver";
import type { Work } from "./work";
/** Arguments and facts that are to be read when the claim is there. */
export type Codes = readonly (readonly [name: string, code: () => unknown])[];
export declare function codesOf(options: unknown): Codes;
/** Puts into the call what the code gives. */
export declare function filled(draft: Draft, codes: Codes): Work<void>;
/**
 * As `filled`, beside the world's own outcome. What fails there may have taken the host's transaction: whether there was one is asked
 * before, for behind the error it can no longer be told.
 */
export declare function filledBeside(driver: Driver, connection: object | undefined, draft: Draft, codes: Codes): Work<void>;
/** What asks for the whole transaction once more, among an error and what caused it. */
export declare function retryOf(driver: Driver, thrown: unknown): unknown;
/** Why there is no call to judge, as a blocker says it. */
export declare function failedOf(thrown: unknown): Pick<HosError, "code" | "message">;
