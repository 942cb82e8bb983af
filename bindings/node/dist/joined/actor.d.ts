import type { As, Besides, LogRow, Question, Writing } from "../actor";
import { type Answer } from "../answer";
import { Directory, type Ends } from "../directory";
import type { LawNames, Text } from "../law";
import { type Given as GivenBack, type Watched } from "../shadow";
import type { Uid, UidLike } from "../values";
import type { JoinedEngine } from "./engine";
import { type Call } from "./several";
type When = "now" | "later";
/**
 * Values, or code that reads them when what the call is about is claimed: until the transaction ends nobody else moves it. With
 * SQLite the code answers at once. What it throws goes through; but where the call carries the world's own outcome and the law is not
 * enforced, that outcome is the answer and says in a blocker what was thrown. An error that has taken the host's transaction (a
 * deadlock) has undone what the world did, and is thrown in any mode.
 */
export type Told<M extends When, V> = V | (() => M extends "now" ? V : V | Promise<V>);
/** A tenant of an engine that joins transactions. */
export declare class JoinedTenant<L extends LawNames = LawNames, M extends When = When> {
    #private;
    /** Its name. */
    readonly name: string;
    /** Made by `JoinedEngine.tenant`. */
    constructor(engine: JoinedEngine<L, any>, name: string);
    /** Who acts here: bound once, asked often. */
    as(principal: UidLike, options?: As): JoinedActor<L, M>;
    /** What the law tells an end user of a refusal's code. Of the law that the first call has read. */
    message(code: string, language: string): string;
}
/** Somebody who acts in a tenant, in the host's transaction. */
export declare class JoinedActor<L extends LawNames = LawNames, M extends When = When> {
    #private;
    /** Who acts, made of what was given. Where that could not be read it has neither type nor id, and every call says so. */
    readonly principal: Uid;
    /** Changes of who is who. */
    readonly directory: Directory<M>;
    /** Made by `JoinedTenant.as`. */
    constructor(engine: JoinedEngine<L, any>, tenant: string, principal: unknown, options?: As);
    /** May they do this to that? An answer: look at its `allowed`. It reads on the connection, or on one of the pool's, and needs no transaction. */
    can(action: L["action"], resource: UidLike, besides?: Besides): Ends<M, Answer>;
    /** Several questions, 1 to 1000, answered over one law and one directory, in their order. */
    canAll(questions: readonly Question<L["action"]>[], besides?: Omit<Besides, "legacy">): Ends<M, readonly Answer[]>;
    /** As `can`, but throws `Denied` where the answer is no. */
    authorize(action: L["action"], resource: UidLike, besides?: Besides): Ends<M, Answer>;
    /** The birth of an instance. */
    begin<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["begin"]>>(contract: C, id: string, event: E, options?: Writing & {
        facts?: Told<M, L["contract"][C]["facts"]>;
        args?: Told<M, L["contract"][C]["begin"][E]>;
    }): Ends<M, Answer>;
    /** An event or an override of an instance. A refusal is an answer: look at its `allowed`, and roll back. */
    transition<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(contract: C, id: string, event: E, options?: Writing & {
        args?: Told<M, L["contract"][C]["event"][E]>;
        reason?: string;
    }): Ends<M, Answer>;
    /** As `transition`, but throws `Denied` where the answer is no. */
    apply<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(contract: C, id: string, event: E, options?: Writing & {
        args?: Told<M, L["contract"][C]["event"][E]>;
        reason?: string;
    }): Ends<M, Answer>;
    /** A free record in a stream: a text, or bytes. Its place in the stream is given when it is sealed. */
    record(stream: string, payload: string | Uint8Array, options?: Writing & {
        subject?: UidLike;
    }): Ends<M, Answer>;
    /** An existing row taken in as it is. */
    adopt<C extends Text<L["contract"]>>(contract: C, id: string, state: L["contract"][C]["state"], options?: Writing & {
        facts?: Told<M, L["contract"][C]["facts"]>;
    }): Ends<M, Answer>;
    /** What an older log tells of an instance, the oldest row first. Nothing of it is judged, and the instance stays as it is. */
    legacy(contract: Text<L["contract"]>, id: string, entries: readonly LogRow[], options?: Writing): Ends<M, Answer>;
    /**
     * Several calls, 1 to 16, judged in their order as one: all of it is written, or nothing; in the exchanges of one. No two are about
     * the same instance, or under the same once-key: each is judged on what was there before the first. Gives as many answers as calls,
     * all of them yes; or those up to the first no, which is the last.
     */
    all(calls: readonly Call<L>[], besides?: Omit<Besides, "legacy">): Ends<M, readonly Answer[]>;
    /**
     * An event that the world's own code carries out, while the law watches. `legacy` runs first and once; what it gives is given back
     * and what it throws goes through. The call is put down in the same transaction, and judged by `hos work`. Where an error took that
     * transaction, what `legacy` did in it is undone, and the error is thrown.
     */
    shadow<R, C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(contract: C, id: string, event: E, options: Watched<R> & Omit<Writing, "legacy"> & {
        args?: Told<M, L["contract"][C]["event"][E]>;
        reason?: string;
    }): Shadowed<M, R>;
    /** As `shadow`, of a birth. */
    shadowBegin<R, C extends Text<L["contract"]>, E extends Text<L["contract"][C]["begin"]>>(contract: C, id: string, event: E, options: Watched<R> & Omit<Writing, "legacy"> & {
        facts?: Told<M, L["contract"][C]["facts"]>;
        args?: Told<M, L["contract"][C]["begin"][E]>;
    }): Shadowed<M, R>;
    /** As `shadow`, of a question, which is judged at once. */
    shadowCan<R>(action: L["action"], resource: UidLike, options: Watched<R> & Omit<Besides, "legacy">): Shadowed<M, R>;
}
/** What a caller gets of the world's own code: itself at once, or a promise of it. */
export type Shadowed<M extends When, R> = M extends "now" ? GivenBack<R> : Promise<Awaited<R>>;
export {};
