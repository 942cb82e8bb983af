import type { Work } from "./work";
/** A parameter, as the engine says it. */
export type Param = null | number | bigint | string | {
    readonly b: string;
};
/** A statement. Of one that does not read nobody wants rows. */
export interface Statement {
    readonly sql: string;
    readonly params: readonly Param[];
    readonly reads?: boolean;
}
/** A column: texts and bytes go to the engine in base64. */
export type Cell = null | number | bigint | string | Uint8Array;
export type Rows = readonly (readonly Cell[])[];
/** What an error of the database means. */
export type Trouble = "retry" | "missing" | "read_only" | "other";
/** What may be asked for of a transaction; else it is what the connection is set to. */
export type Isolation = "read committed" | "repeatable read" | "serializable";
/** What sets the savepoint of a call in shadow, and what takes it away. */
export declare const SAVEPOINT = "SAVEPOINT hos_in_shadow";
export declare const RELEASE = "RELEASE SAVEPOINT hos_in_shadow";
/** The savepoint behind the beginning of a transaction of ours, where one is its mark. */
export declare const BEGUN = "hos_begun";
/** How several statements go out as one text, so that they cost one exchange. */
export interface Texts<C extends object = object> {
    /** Several statements as one text. */
    whole(statements: readonly string[]): string;
    /** Runs a text, and gives the rows of its last result that has columns; none where texts are not taken, and nothing stands of it then. */
    run(connection: C, text: string): Promise<Rows | undefined>;
    /** By what a step knows that it is in a transaction, and in the one that it began in. */
    readonly guard: Guard;
    /** Whether the connection would have to be asked whether it is in a transaction: the first text asks then. */
    readonly isBlind: boolean;
    /** What goes before the first statement of a call in shadow and behind its last, and before each of its texts. */
    readonly head: readonly string[];
    readonly tail: readonly string[];
    readonly prefix: string;
}
/** Statements that fail where the transaction of a step is not there, so that nothing behind them in a text is run. */
export interface Guard {
    /** Before a step's first text: fails where there is none, and marks the one that there is. */
    readonly first: readonly string[];
    /** The mark alone, before what is run statement by statement, and again behind `still`. */
    readonly marks: readonly string[];
    /** Before what comes later: fails where the mark is gone with its transaction, and takes it away. */
    readonly still: readonly string[];
    /** Whether it is one of these that failed. */
    isMet(thrown: unknown): boolean;
}
/** What each kind of connection has. What it does comes as a promise, but where the connection answers at once. */
export interface Driver<C extends object = object> {
    readonly dialect: "postgres" | "mysql" | "sqlite";
    /** How it writes parameters. */
    readonly places: "dollar" | "question";
    /** Whether it answers at once. */
    readonly isNow: boolean;
    /** The connection that is behind this object, if it is one of these. */
    connection(store: object): C | undefined;
    /** Whether this object is a pool of these. */
    isPool(store: object): boolean;
    /** Why a connection, as it is set, cannot be asked; nothing where it can. */
    unfit?(connection: C): string | undefined;
    /** Takes a connection out of a pool; it is to be given back, or away where it is broken. */
    take?(pool: object): Promise<Taken>;
    /** Whether it is in a transaction; `undefined` where it cannot tell. */
    inside(connection: C): unknown;
    /** Whether one has begun, where `inside` counts one that the next statement begins by itself. */
    begun?(connection: C): Promise<boolean>;
    /** Sees to it that a transaction which what is read next begins by itself is known, and writes nothing: whether there will be one. */
    reads?(connection: C): Promise<boolean>;
    /** Whether it is known by what came last that it is in none any more. */
    hasEnded(connection: C): boolean;
    /** Whether the transaction stands behind an error, or the error has taken all of it. */
    stands(connection: C, thrown: unknown): unknown;
    /** Runs a statement and gives its rows. */
    run(connection: C, statement: Statement): unknown;
    /** Runs statements in one go, where the connection can; none after one that fails has any effect. */
    runAll?(connection: C, statements: readonly Statement[]): Promise<Rows[]> | undefined;
    /** How it takes several statements in one text, where it does. */
    readonly texts?: Texts<C>;
    /** Lets no statement wait for long, where `head` does not, and gives how the host's own setting is brought back. */
    bound?(connection: C): Work<() => Work<void>>;
    /** Begins a transaction, and leaves a mark in it. */
    begin(connection: C, isolation: Isolation | undefined): Work<void>;
    /** Whether it is there still, and not another one; `commit` asks what this cannot tell without an exchange more than that one. */
    isOurs(connection: C): unknown;
    /** Commits what `begin` began; nothing, and gives `false`, where it is not there. Throws where it could not be committed. */
    commit(connection: C): Work<boolean>;
    /** What an error means, and its name. Its message is not quoted, for it may hold a row's values; it stands in `cause`. */
    trouble(thrown: unknown): {
        readonly trouble: Trouble;
        readonly name: string;
    };
    /** Whether the server said so. A commit that fails otherwise (a time that ran out, a connection that is lost) may have happened. */
    isSaid(thrown: unknown): boolean;
}
/** A connection out of a pool. */
export interface Taken {
    readonly connection: object;
    giveBack(isBroken: boolean): void;
}
/** A statement without parameters. */
export declare function plainly(sql: string, reads?: boolean): Statement;
/** Bytes of a parameter, and texts and numbers as they are. */
export declare function valueOf(param: Param): null | number | bigint | string | Uint8Array;
/** A field of an error, where it is a text or a number. */
export declare function fieldOf(thrown: unknown, name: string): string;
/** An error and what caused it: what runs a host's statements may put the database's own error into one of its own. */
export declare function causes(thrown: unknown): unknown[];
