import { Actor, type As } from "./actor";
import { type Entry } from "./answer";
import type { Engine } from "./engine";
import type { LawNames, Text } from "./law";
import type { UidLike } from "./values";
/** Which records `history` tells. */
export interface Page {
    /** The first record's place; 0 if not said. */
    from?: number;
    /** How many, at most 1000. */
    limit?: number;
}
/** A tenant of an engine. */
export declare class Tenant<L extends LawNames = LawNames> {
    #private;
    /** Its name. */
    readonly name: string;
    /** Made by `Engine.tenant`. */
    constructor(engine: Engine<L>, name: string);
    /** Who acts here: bound once, asked often. */
    as(principal: UidLike, options?: As): Actor<L>;
    /** An instance's records, oldest first. */
    history(contract: Text<L["contract"]>, id: string, page?: Page): Promise<readonly Entry[]>;
    /** What the law tells an end user of a refusal's code. Here and now; it may look at the store first, as `can` does. */
    message(code: string, language: string): string;
}
