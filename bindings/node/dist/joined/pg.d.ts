import { type Driver } from "./driver";
/** A `Client` or a `PoolClient` of `pg`. */
export interface PgClient {
    query(...words: any[]): any;
    escapeIdentifier(text: string): string;
}
/** A `Pool` of `pg`. */
export interface PgPool {
    connect(...words: any[]): any;
    readonly totalCount: number;
    readonly idleCount: number;
}
interface Client extends PgClient {
    /** Whether statements go out before the ones before them were answered. */
    readonly pipeline?: boolean;
    /** `I` idle, `T` in a transaction, `E` in one that has failed. Older clients do not tell. */
    getTransactionStatus?(): string | null;
    /** The client that is written in C, where it is that one. */
    readonly native?: object;
    /** Whether columns come as the server's own bytes; no statement can ask for another form then. */
    readonly binary?: unknown;
    release?(error?: boolean): void;
    on?(event: "error", heard: () => void): unknown;
    off?(event: "error", heard: () => void): unknown;
}
export declare const pg: Driver<Client>;
export {};
