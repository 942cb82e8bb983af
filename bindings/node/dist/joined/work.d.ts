/** Work that comes to a `T`. */
export type Work<T> = Generator<() => unknown, T, any>;
/** Does it here and now. */
export declare function now<T>(work: Work<T>): T;
/** Does it, and waits for each part. */
export declare function later<T>(work: Work<T>): Promise<T>;
/** One at a time on each connection: the rounds of two steps must not run in between each other. */
export declare function inLane<T>(connection: object, work: () => Promise<T>): Promise<T>;
