import { type CallError } from "./errors";
import type { LawNames } from "./law";
import type { SqliteDatabase } from "./joined/better-sqlite3";
import { type JoinedEngine, type JoinedOptions, type Remote, type Store } from "./joined/engine";
import { Tenant } from "./tenant";
/** How an engine is opened. */
export interface Options {
    /** The store's file. It is made by `hos init`, not here. */
    store: string;
    /** Who signs: a key file, a signer's socket, or a program; `<store>.key` if none is said. */
    keyFile?: string;
    signerSocket?: string;
    signerCommand?: string;
    /** The file outside the store that keeps the newest checkpoints. */
    mark?: string;
    /** Whether a seal is made in the commit (receipts are complete) or by a worker. */
    seal?: "inline" | "worker";
    /** How long to wait for another process, in milliseconds; 10000 if not said, at most 3600000. */
    busyTimeoutMs?: number;
    /** How old the directory that `can` judges under may be, in milliseconds: other processes' changes are seen within it. 500 if not said;
     * 0: every `can` asks the store first. At most 60000. */
    directoryAgeMaxMs?: number;
}
/** How one that joins the host's own transactions is: by its connection, with a law or without. */
type Words<S extends Store> = [law: string, options: JoinedOptions<S>] | [options: JoinedOptions<S>];
/** Who asks: the words that `can` binds, and whether they can be bound. */
export interface Asker {
    readonly tenant: unknown;
    readonly type: string;
    readonly id: string;
    readonly beside: string;
    swift: boolean;
}
/** A call as JSON, and what was refused of it here: that is thrown in place of what the wire says about its stand-in. */
export interface Ready {
    readonly json: string;
    readonly fault: CallError | undefined;
}
/**
 * An open store. Used for the life of the process; every worker thread opens its own by the same options, and the last one that
 * is closed lets go of the file.
 */
export declare class Engine<L extends LawNames = LawNames> {
    #private;
    /** Why there is no engine, where `openForShadow` could open none. */
    readonly absent: Error | undefined;
    private constructor();
    /**
     * Opens a store under the law in a directory, which must be the store's active law, or without one under the active law. Where the
     * store is a connection of yours (pg, mysql2, better-sqlite3) or a pool, the engine joins its transactions.
     */
    static open<L extends LawNames = LawNames>(law: string, options: Options): Promise<Engine<L>>;
    static open<L extends LawNames = LawNames>(options: Options): Promise<Engine<L>>;
    static open<L extends LawNames, S extends Store>(...words: Words<S>): Promise<JoinedEngine<L, S>>;
    static open<L extends LawNames = LawNames>(...words: Words<SqliteDatabase>): Promise<JoinedEngine<L, SqliteDatabase>>;
    static open<L extends LawNames = LawNames>(...words: Words<Remote>): Promise<JoinedEngine<L, Remote>>;
    /** As `open`, here and now; it may wait for the disk. */
    static openSync<L extends LawNames = LawNames>(law: string, options: Options): Engine<L>;
    static openSync<L extends LawNames = LawNames>(options: Options): Engine<L>;
    static openSync<L extends LawNames, S extends Store>(...words: Words<S>): JoinedEngine<L, S>;
    static openSync<L extends LawNames = LawNames>(...words: Words<SqliteDatabase>): JoinedEngine<L, SqliteDatabase>;
    static openSync<L extends LawNames = LawNames>(...words: Words<Remote>): JoinedEngine<L, Remote>;
    /**
     * Opens as `open` does, for code whose own answers stand (`shadow` of an actor): its promise is never rejected. Where nothing can
     * be opened it gives an engine that stands in: its `shadow` calls run the world's code and no more, all else throws `absent`.
     */
    static openForShadow<L extends LawNames = LawNames>(law: string, options: Options): Promise<Engine<L>>;
    static openForShadow<L extends LawNames = LawNames>(options: Options): Promise<Engine<L>>;
    static openForShadow<L extends LawNames, S extends Store>(...words: Words<S>): Promise<JoinedEngine<L, S>>;
    static openForShadow<L extends LawNames = LawNames>(...words: Words<SqliteDatabase>): Promise<JoinedEngine<L, SqliteDatabase>>;
    static openForShadow<L extends LawNames = LawNames>(...words: Words<Remote>): Promise<JoinedEngine<L, Remote>>;
    /** As `openForShadow`, here and now; it may wait for the disk. */
    static openForShadowSync<L extends LawNames = LawNames>(law: string, options: Options): Engine<L>;
    static openForShadowSync<L extends LawNames = LawNames>(options: Options): Engine<L>;
    static openForShadowSync<L extends LawNames, S extends Store>(...words: Words<S>): JoinedEngine<L, S>;
    static openForShadowSync<L extends LawNames = LawNames>(...words: Words<SqliteDatabase>): JoinedEngine<L, SqliteDatabase>;
    static openForShadowSync<L extends LawNames = LawNames>(...words: Words<Remote>): JoinedEngine<L, Remote>;
    /** A tenant. Whether the store has it is seen by each call. */
    tenant(name: string): Tenant<L>;
    /**
     * Makes a call in the wire's own words: an operation's name, and an object, JSON, or bytes of JSON. Gives the wire's object;
     * throws where that is an error.
     */
    call(operation: string, call: object | string | Uint8Array): Promise<Record<string, unknown>>;
    /**
     * Closes: at once for whoever asks from now on; calls that are under way end as they would have. The promise is kept when they
     * have, and this script's hold on the file is gone. What the law has not judged yet of `shadow` calls it still judges, unless the
     * store fails. An engine that is closed can be closed again.
     */
    close(): Promise<void>;
    /** As `close`, without waiting for calls that are under way, or for the law's judgements; it may wait for the disk. */
    closeSync(): void;
}
export interface Engine<L extends LawNames> extends Disposable, AsyncDisposable {
}
export {};
