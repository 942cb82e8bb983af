import { HosError } from "../errors";
import type { Joined } from "../native";
import { type Driver, type Rows, type Statement } from "./driver";
import { Watch } from "./watch";
import type { Work } from "./work";
/** What a step came to. */
export interface Stepped {
    readonly allowed: boolean;
    /** Of several calls the last one's, or the first that is no. */
    readonly answer: object;
    /** Of several calls the answers before it. */
    readonly earlier: readonly object[];
    /** By this number a refusal is made evidence of. */
    readonly refusal: number | undefined;
    /** What takes a claim back. */
    readonly leave: readonly Statement[];
}
/** What of an engine a step needs. */
export interface Ground<C extends object = object> {
    readonly native: Joined;
    readonly driver: Driver<C>;
    readonly connection: C;
    readonly life: Life;
}
/** What all engines of one opening share. */
export interface Life {
    isClosed: boolean;
    /** Whether the database takes several statements in one text, as far as is known. */
    takesTexts: boolean;
}
/** A question whose answer is known in memory; nothing where the database is to be asked first. */
export declare function known(native: Joined, operation: string, json: string): Stepped | undefined;
/** Whether a step needs no transaction. */
export declare function isQuestion(operation: string): boolean;
/** One step on a connection, in the transaction that it is in. A question needs none, and often no statement either. */
export declare function step(ground: Ground, operation: string, json: string, watch?: Watch): Work<Stepped>;
/**
 * A step that must not harm the host's transaction, whatever becomes of it: it waits for no lock for long, and what fails is undone.
 * Where the database has taken the whole transaction for it (a deadlock), what the world did is undone as well, and the error says so.
 */
export declare function harmless(ground: Ground, operation: string, json: string): Work<Stepped>;
/** Whether the host's transaction stands behind an error; where it does not, what waits behind was made in it too. */
export declare function stands({ driver, connection }: Pick<Ground, "driver" | "connection">, thrown: unknown): Work<boolean>;
/** Has the engine forget a step that nobody goes on with, and says so; one that is at its end is forgotten already. */
export declare function left(native: Joined, said: string): boolean;
/** Runs statements; what the database throws becomes an error of ours. */
export declare function translated({ driver, connection }: Ground, statements: readonly Statement[], watch?: Watch): Work<Rows[]>;
/** What the database threw, as an error of ours; `other` says what failed, where it was no statement. */
export declare function troubled(driver: Driver, thrown: unknown, other?: string): HosError;
