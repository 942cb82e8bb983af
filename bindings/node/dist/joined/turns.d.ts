import { CallError } from "../errors";
/** The time of one transaction on a connection. Another is another object. */
export interface Era {
    /** How many calls are under way in it whose end somebody has to await. */
    calls: number;
}
/** What a call is made in that is made now. */
export declare function eraOf(connection: object): Era;
/** What was made until now is over: said before a transaction is ended or begun, and where one is seen to have ended. */
export declare function endEra(connection: object): void;
/** Throws where the transaction has ended that a call was made in. */
export declare function stands(connection: object, era: Era): void;
/** The transaction of a call has ended. */
export declare function over(): CallError;
/** One at a time on each connection: the rounds of two steps must not run in between each other. */
export declare function inLane<T>(connection: object, work: () => Promise<T>): Promise<T>;
/** Waits for the steps that wait or run; `undefined` where there are none. */
export declare function quiet(connection: object): Promise<unknown> | undefined;
