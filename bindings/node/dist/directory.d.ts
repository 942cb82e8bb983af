import type { Writing } from "./actor";
import type { Answer } from "./answer";
import type { UidLike, Values } from "./values";
/** When something is there: now, or later, which is a promise. */
export type Ends<M extends "now" | "later", T> = M extends "now" ? T : Promise<T>;
/** Has a change made. Its JSON is asked for where what is wrong with it may be thrown. */
type Change<M extends "now" | "later"> = (json: () => string, options: Writing | undefined) => Ends<M, Answer>;
/** The directory, as an actor changes it. */
export declare class Directory<M extends "now" | "later" = "later"> {
    #private;
    /** Made with an actor. */
    constructor(change: Change<M>);
    /** Writes an entity with its attributes. */
    put(entity: UidLike, attrs?: Values, options?: Writing): Ends<M, Answer>;
    /** Removes an entity. */
    remove(entity: UidLike, options?: Writing): Ends<M, Answer>;
    /** Puts an entity into a parent: a member into a role, a shop into a city. */
    join(entity: UidLike, parent: UidLike, options?: Writing): Ends<M, Answer>;
    /** Takes an entity out of a parent. */
    leave(entity: UidLike, parent: UidLike, options?: Writing): Ends<M, Answer>;
    /** Makes a policy of one of the law's templates, under an id by which it can be revoked. */
    grant(id: string, template: string, slots: {
        principal?: UidLike;
        resource?: UidLike;
    }, options?: Writing): Ends<M, Answer>;
    /** Takes a grant back. */
    revoke(id: string, options?: Writing): Ends<M, Answer>;
}
export {};
