import type { Answer } from "./answer";
/** What the world came to. */
export type World = boolean | {
    readonly allowed: boolean;
    readonly state?: string;
};
/** What a caller gets of the world's own code: a promise of a promise, else what it gave. */
export type Given<R> = R extends PromiseLike<infer T> ? Promise<T> : R;
/** The world's own code, and who looks on. */
export interface Watched<R> {
    /** Runs first and once. What it gives is given back, what it throws goes through; a promise is awaited. */
    readonly legacy: () => R;
    /**
     * What the world came to, of what `legacy` gave or threw. `undefined` or `null`, and without it: `false` and what is thrown are a
     * no, an object whose `allowed` is a boolean says it by itself, anything else is a yes.
     */
    readonly outcome?: (came: any) => World | null | undefined;
    /** Gets the law's answer, or why there is none, when it has been judged. What it throws is swallowed. */
    readonly seen?: (told: Answer | Error) => unknown;
}
/** The names of the above: they are none of the call's own. */
export declare const WATCHED: ReadonlySet<string>;
/**
 * Has the law asked with what the world came to, and told what came of it. Where it gives a promise, that is waited for. What it gives
 * is an error by which what the world did was undone: nothing is given back then as if it stood.
 */
export type Watch = (came: () => Exclude<World, boolean>, tell: (told: Answer | Error) => void) => Looked | Promise<Looked>;
type Looked = Error | undefined | void;
/** An error that has taken the host's transaction with it, and with that what the world did in it. */
export declare function undone<T extends object>(failed: T): T;
/** Whether it is one. */
export declare function isUndone(thrown: unknown): thrown is Error;
/** Runs the world's own code, watched. */
export declare function shadowed<R>(options: Watched<R>, watch: Watch): Given<R>;
/** A promise that nobody waits for is no unhandled rejection. */
export declare function forget(said: unknown): void;
export {};
