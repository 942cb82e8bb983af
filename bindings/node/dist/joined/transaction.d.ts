import type { Driver, Isolation } from "./driver";
import type { Work } from "./work";
/** How a transaction is run. */
export interface Trying {
    /** How often at most; 5 if not said. */
    tries?: number;
    /** How isolated it is; what the connection is set to if not said. Not for SQLite, which knows one isolation. */
    isolation?: Isolation;
}
/** How the caller wants it; what is no way to run one is refused, and what is misspelt too. */
export declare function tryingOf(work: unknown, trying: unknown): Trying & {
    tries: number;
};
/** What is learned of a connection. */
export interface Seen {
    isBroken: boolean;
}
/** Does work on a connection out of the pool, which goes back behind it; away, where it is broken. */
export declare function lent<T>(driver: Driver, pool: object, seen: Seen, work: (connection: object) => Work<T>): Work<T>;
/** Runs the work in a transaction: it commits where the work gives something, and rolls back where it throws or gives an answer that refuses. */
export declare function transacted<T>(driver: Driver, connection: object, work: () => unknown, trying: ReturnType<typeof tryingOf>, seen: Seen): Work<T>;
