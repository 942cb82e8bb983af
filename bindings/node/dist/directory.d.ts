import type { Writing } from "./actor";
import type { Answer } from "./answer";
import type { UidLike, Values } from "./values";
type Change = (json: string, options: Writing | undefined) => Promise<Answer>;
/** The directory, as an actor changes it. */
export declare class Directory {
    #private;
    /** Made with an actor. */
    constructor(change: Change);
    /** Writes an entity with its attributes. */
    put(entity: UidLike, attrs?: Values, options?: Writing): Promise<Answer>;
    /** Removes an entity. */
    remove(entity: UidLike, options?: Writing): Promise<Answer>;
    /** Puts an entity into a parent: a member into a role, a shop into a city. */
    join(entity: UidLike, parent: UidLike, options?: Writing): Promise<Answer>;
    /** Takes an entity out of a parent. */
    leave(entity: UidLike, parent: UidLike, options?: Writing): Promise<Answer>;
    /** Makes a policy of one of the law's templates, under an id by which it can be revoked. */
    grant(id: string, template: string, slots: {
        principal?: UidLike;
        resource?: UidLike;
    }, options?: Writing): Promise<Answer>;
    /** Takes a grant back. */
    revoke(id: string, options?: Writing): Promise<Answer>;
}
export {};
