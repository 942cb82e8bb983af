/** What is to be done next. */
export interface Part {
    (): unknown;
    /** Whether it is done whatever became of the rest: it puts back what is not the transaction's. */
    isAlways?: boolean;
}
/** Work that comes to a `T`. */
export type Work<T> = Generator<Part, T, any>;
/** A part that is done whatever became of the rest. */
export declare function always(part: () => unknown): Part;
/** Does it here and now. */
export declare function now<T>(work: Work<T>): T;
/** Does it, and waits for each part; `first` is asked before each and may throw. */
export declare function later<T>(work: Work<T>, first?: () => void): Promise<T>;
