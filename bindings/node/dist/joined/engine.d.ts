import { Answer } from "../answer";
import type { Ends } from "../directory";
import type { LawNames } from "../law";
import { type Joined } from "../native";
import { JoinedTenant } from "./actor";
import { type SqliteDatabase } from "./better-sqlite3";
import type { Driver } from "./driver";
import { type MysqlConnection, type MysqlPool } from "./mysql2";
import { type PgClient, type PgPool } from "./pg";
import { type Life } from "./rounds";
import { type Trying } from "./transaction";
import { type Era } from "./turns";
/** What is reached over a network: its answers are promises. */
export type Remote = PgClient | PgPool | MysqlConnection | MysqlPool;
/** A connection of the host's, or a pool of them. */
export type Store = Remote | SqliteDatabase;
/** How an engine that joins transactions is opened. */
export interface JoinedOptions<S extends Store = Store> {
    /** The host's own connection (`pg`, `mysql2`, `better-sqlite3`), or a pool of them. The tables are made by `hos init --store <url>`. */
    store: S;
    /** As of any engine. */
    directoryAgeMaxMs?: number;
}
/** When answers are there: at once of SQLite, and as promises of all others. */
export type When<S> = S extends SqliteDatabase ? "now" : "later";
/** A connection of this store: itself, or what comes out of it; `any` where that cannot be told by its type. */
export type ConnectionOf<S> = S extends {
    connect: {
        (): Promise<infer C>;
        (done: any): any;
    };
    totalCount: number;
} ? Known<C> : S extends {
    getConnection(): Promise<infer C>;
} ? Known<C> : S extends {
    getConnection(done: (error: any, connection: infer C) => any): any;
} ? Known<C> : S;
type Known<C> = unknown extends C ? any : C;
/** What an engine is made of. */
interface Parts {
    readonly native: Joined;
    readonly driver: Driver<any>;
    readonly store: object;
    readonly connection: object | undefined;
    /** The transaction that this is the engine of: beyond it nothing is asked. */
    readonly era?: Era | undefined;
    readonly absent: Error | undefined;
    /** Shared by all engines of one opening. */
    readonly life: Life;
}
/**
 * An engine in the transaction that the host already has. It has no connection of its own: what it asks runs on the host's, in the
 * host's transaction, and is committed or rolled back with the host's rows. Open one for each database, once; `on` gives it
 * another connection.
 */
export declare class JoinedEngine<L extends LawNames = LawNames, S extends Store = Store> {
    #private;
    /** Made by `Engine.open`. */
    constructor(parts: Parts);
    /** Why there is no engine, where `openForShadow` could open none. */
    get absent(): Error | undefined;
    /** This engine on another connection to the same database. What was read of laws and of the directory is read once for all. */
    on<C extends Store>(connection: C): JoinedEngine<L, C>;
    /** A tenant. Whether the store has it is seen by each call. */
    tenant(name: string): JoinedTenant<L, When<S>>;
    /**
     * Runs the work in a transaction: commits where it gives something, rolls back where it throws or gives an answer that refuses and
     * has no receipt. Where the database asks for it
     * (a deadlock, a row that changed), everything is done once more, so the work does nothing that a rollback does not undo.
     * Its engine is of this transaction alone; a call that the work has not awaited is refused behind its end, and none is overtaken.
     */
    transaction<T>(work: (connection: ConnectionOf<S>, engine: JoinedEngine<L, ConnectionOf<S> extends Store ? ConnectionOf<S> : S>) => Ends<When<S>, T>, trying?: Trying): Ends<When<S>, T>;
    /** Makes evidence of a refusal, after the transaction in which it was given was rolled back: in another transaction. */
    refused(answer: Answer): Ends<When<S>, Answer>;
    /** Answers nobody any more. The connection is the host's, and stays as it is. */
    close(): void;
}
/** Whether this is a connection or a pool, and no file's name. */
export declare function isStore(options: unknown): boolean;
/** Opens; nothing is read of the database yet. */
export declare function openJoined<L extends LawNames, S extends Store>(law: unknown, options: JoinedOptions<S>): JoinedEngine<L, S>;
/** Stands in where nothing could be opened. */
export declare function absentJoined<L extends LawNames, S extends Store>(options: JoinedOptions<S>, thrown: unknown): JoinedEngine<L, S>;
export {};
