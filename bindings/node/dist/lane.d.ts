/** The judgements of one engine. Nothing that happens here is thrown. */
export declare class Lane<T extends {
    readonly code: string | undefined;
}> {
    #private;
    /** Has something asked when its turn comes, and told what came of it. Neither is done before this has returned. */
    push(ask: () => Promise<T>, tell: (told: T | Error) => void, bytes: number): void;
    /** Whether anything waits, or is being asked. */
    get isBusy(): boolean;
    /** Kept when nothing waits any more. Once a store fails meanwhile, the rest is told so and not asked. */
    idle(): Promise<void>;
}
/** What was thrown, as an error. */
export declare function error(thrown: unknown): Error;
