/** A script's hold on an engine. Texts that come back are a class, a line feed, and JSON. */
export interface Handle {
    call(operation: string, call: string | Uint8Array): Promise<string>;
    callSync(operation: string, call: string | Uint8Array): string;
    bind(tenant: string, principalType: string, principalId: string, beside: string): boolean;
    can(words: string, count: number): number;
    told(number: number): string;
    said(): string;
    shut(): void;
    close(): Promise<void>;
    closeSync(): void;
}
/** An engine that judges in a host's transaction, round by round. */
export interface Joined {
    step(operation: string, inside: boolean | undefined, json: string): string;
}
/** Stands where there is no engine: whatever is asked of it, it throws why. */
export declare function absent(why: () => Error): Handle;
/** Stands between the words of a question. A word that holds it is noticed, for then they are too many. */
export declare const JOINT = "\u0001";
interface Addon {
    Handle: {
        open(options: string): Promise<Handle>;
        openSync(options: string): Handle;
    };
    Joined: {
        open(options: string): Joined;
    };
}
/** `can` failed: `said` tells how. */
export declare const SAID = -1;
/** `can` was not asked: its texts must come as JSON. */
export declare const DOUBT = -2;
/** The addon, loaded when it is first needed; once in each thread. */
export declare function addon(): Addon;
export {};
