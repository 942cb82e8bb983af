// Several calls that are made as one.

import type { Given } from "../actor";
import type { Answer } from "../answer";
import type { ContractNames, LawNames, Text } from "../law";
import type { UidLike, Values } from "../values";

/** A call among several. Its parts are called as those of the actor's method of that name. */
export type Call<L extends LawNames = LawNames> = { [C in Text<L["contract"]>]: CallOf<C, L["contract"][C]> }[Text<L["contract"]>] | Note;

/** What each may have besides. What it says of `context` and `given` stands in place of what is said for all. */
interface One {
  readonly context?: Values;
  readonly given?: readonly Given[];
  readonly once?: string;
}

type CallOf<C, N extends ContractNames> = Begin<C, N> | Transition<C, N> | Adopt<C, N>;

type Begin<C, N extends ContractNames> = {
  [E in Text<N["begin"]>]: One & {
    readonly operation: "begin";
    readonly contract: C;
    readonly id: string;
    readonly event: E;
    readonly facts?: N["facts"];
    readonly args?: N["begin"][E];
  };
}[Text<N["begin"]>];

type Transition<C, N extends ContractNames> = {
  [E in Text<N["event"]>]: One & {
    readonly operation: "transition";
    readonly contract: C;
    readonly id: string;
    readonly event: E;
    readonly args?: N["event"][E];
    readonly reason?: string;
  };
}[Text<N["event"]>];

type Adopt<C, N extends ContractNames> = One & {
  readonly operation: "adopt";
  readonly contract: C;
  readonly id: string;
  readonly state: N["state"];
  readonly facts?: N["facts"];
};

type Note = One & {
  readonly operation: "record";
  readonly stream: string;
  readonly payload: string | Uint8Array;
  readonly subject?: UidLike;
};

const lists = new WeakSet<object>();

/** The answers of calls that were made as one. */
export function together(answers: readonly Answer[]): readonly Answer[] {
  lists.add(answers);
  return answers;
}

/** What tells whether something was written: of several calls that were made as one the last answer. */
export function lastOf(given: unknown): unknown {
  return Array.isArray(given) && lists.has(given) ? given.at(-1) : given;
}
