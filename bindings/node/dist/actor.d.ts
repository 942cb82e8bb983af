import { Answer, type Available, type Entry } from "./answer";
import { Directory } from "./directory";
import type { Engine } from "./engine";
import type { LawNames, Text } from "./law";
import { type Given as GivenBack, type Watched, type World } from "./shadow";
import type { Page, Tenant } from "./tenant";
import { Uid, type UidLike, type Values } from "./values";
/** How somebody acts. */
export interface As {
    /** The language of messages: `en`, `tr`, .. */
    language?: string;
    /** The caller's own request id. It stands in records, so nothing personal; at most 64 of `A-Z a-z 0-9 . _ : -`. */
    request?: string;
}
/** An entity that comes with a call. */
export interface Given {
    readonly uid: UidLike;
    readonly attrs?: Values;
    readonly parents?: readonly UidLike[];
}
/** What every call may have besides. */
export interface Besides {
    /** Context beyond an event's arguments. */
    context?: Values;
    /** Entities that the directory does not hold. */
    given?: readonly Given[];
    /** The world's own outcome, for the modes `off` and `shadow`; `true` or `false` where there is no state to tell. */
    legacy?: World;
    /** This call's request id, in place of the actor's. */
    request?: string;
}
/** A question among several. What it says of `context` and `given` stands in place of what is said for all. */
export interface Question<A = string> {
    readonly action: A;
    readonly resource: UidLike;
    readonly context?: Values;
    readonly given?: readonly Given[];
}
/** What a call that writes may have besides. */
export interface Writing extends Besides {
    /** A key under which the call is carried out once: the second time it gets the first one's receipt. */
    once?: string;
}
/** A row of an older log, in the old world's words; `at` as in `2024-03-01T10:00:00Z`. */
export interface LogRow {
    at: string;
    to: string;
    from?: string;
    event?: string;
    actor?: string;
    detail?: string;
    /** The row's own key in that log. */
    key?: string;
}
/** Somebody who acts in a tenant. */
export declare class Actor<L extends LawNames = LawNames> {
    #private;
    /** The tenant. */
    readonly tenant: Tenant<L>;
    /** Who acts, made of what was given. Where that could not be read it has neither type nor id, and every call says so. */
    readonly principal: Uid;
    /** Changes of who is who. */
    readonly directory: Directory;
    /** Made by `Tenant.as`. */
    constructor(engine: Engine<L>, tenant: Tenant<L>, principal: unknown, options?: As);
    /** May they do this to that? An answer: look at its `allowed`. Here and now, in microseconds. */
    can(action: L["action"], resource: UidLike, besides?: Besides): Answer;
    /** Several questions, 1 to 1000, answered over one law and one directory, in their order. */
    canAll(questions: readonly Question<L["action"]>[], besides?: Omit<Besides, "legacy">): readonly Answer[];
    /** As `can`, but throws `Denied` where the answer is no. */
    authorize(action: L["action"], resource: UidLike, besides?: Besides): Answer;
    /** The birth of an instance. */
    begin<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["begin"]>>(contract: C, id: string, event: E, options?: Writing & {
        facts?: L["contract"][C]["facts"];
        args?: L["contract"][C]["begin"][E];
    }): Promise<Answer>;
    /** An event or an override of an instance. A refusal is an answer: look at its `allowed`. */
    transition<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(contract: C, id: string, event: E, options?: Writing & {
        args?: L["contract"][C]["event"][E];
        reason?: string;
    }): Promise<Answer>;
    /** As `transition`, but throws `Denied` where the answer is no. */
    apply<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(contract: C, id: string, event: E, options?: Writing & {
        args?: L["contract"][C]["event"][E];
        reason?: string;
    }): Promise<Answer>;
    /**
     * An event that the world's own code carries out, while the law watches.
     *
     *     const r = await pazar.shadow("order", "o-17", "pay", { legacy: () => old.pay(order) });
     *
     * `legacy` runs first and once. What it gives is given back and what it throws goes through, whatever becomes of the law, which
     * judges after it, in the background. The other options are read when `legacy` has ended.
     */
    shadow<R, C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(contract: C, id: string, event: E, options: Watched<R> & Omit<Writing, "legacy"> & {
        args?: L["contract"][C]["event"][E];
        reason?: string;
    }): GivenBack<R>;
    /** As `shadow`, of a birth. */
    shadowBegin<R, C extends Text<L["contract"]>, E extends Text<L["contract"][C]["begin"]>>(contract: C, id: string, event: E, options: Watched<R> & Omit<Writing, "legacy"> & {
        facts?: L["contract"][C]["facts"];
        args?: L["contract"][C]["begin"][E];
    }): GivenBack<R>;
    /** As `shadow`, of a question: `pazar.shadowCan("order.view", order, { legacy: () => old.mayView(order) })`. */
    shadowCan<R>(action: L["action"], resource: UidLike, options: Watched<R> & Omit<Besides, "legacy">): GivenBack<R>;
    /** A free record in a stream: a text, or bytes. */
    record(stream: string, payload: string | Uint8Array, options?: Writing & {
        subject?: UidLike;
    }): Promise<Answer>;
    /** An existing row taken in as it is. */
    adopt<C extends Text<L["contract"]>>(contract: C, id: string, state: L["contract"][C]["state"], options?: Writing & {
        facts?: L["contract"][C]["facts"];
    }): Promise<Answer>;
    /** What an older log tells of an instance, the oldest row first. Nothing of it is judged, and the instance stays as it is. */
    legacy(contract: Text<L["contract"]>, id: string, entries: readonly LogRow[], options?: Writing): Promise<Answer>;
    /** What they can do with an instance now. */
    available(contract: Text<L["contract"]>, id: string, besides?: Besides): Promise<readonly Available[]>;
    /** An instance's records, oldest first. */
    history(contract: Text<L["contract"]>, id: string, page?: Page): Promise<readonly Entry[]>;
}
