import type { Driver, Isolation } from "./driver";
import type { Work } from "./work";
/** How a transaction is run. */
export interface Trying {
    /** How often at most; 5 if not said. */
    tries?: number;
    /** How isolated it is; what the connection is set to if not said. Not for SQLite, which knows one isolation. */
    isolation?: Isolation;
}
/** Runs the work in a transaction: it commits where the work gives something, and rolls back where it throws or gives an answer that refuses. */
export declare function transacted<T>(driver: Driver, connection: object, work: () => unknown, trying: Trying, seen: {
    isBroken: boolean;
}): Work<T>;
