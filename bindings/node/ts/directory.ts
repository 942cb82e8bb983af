// Changes of who is who. They are always enforced, whatever the law's mode.

import type { Writing } from "./actor";
import type { Answer } from "./answer";
import type { UidLike, Values } from "./values";
import { Draft, uid } from "./write";

/** When something is there: now, or later, which is a promise. */
export type Ends<M extends "now" | "later", T> = M extends "now" ? T : Promise<T>;

/** Has a change made. Its JSON is asked for where what is wrong with it may be thrown. */
type Change<M extends "now" | "later"> = (json: () => string, options: Writing | undefined) => Ends<M, Answer>;

/** The words of `grant` that are no slots. */
const OWN: ReadonlySet<string> = new Set(["id", "template"]);

/** The directory, as an actor changes it. */
export class Directory<M extends "now" | "later" = "later"> {
  #change: Change<M>;

  /** Made with an actor. */
  constructor(change: Change<M>) {
    this.#change = change;
    Object.freeze(this);
  }

  /** Writes an entity with its attributes. */
  put(entity: UidLike, attrs?: Values, options?: Writing): Ends<M, Answer> {
    return this.#make("put", () => new Draft().need("uid", entity, uid).put("attrs", attrs), options);
  }

  /** Removes an entity. */
  remove(entity: UidLike, options?: Writing): Ends<M, Answer> {
    return this.#make("remove", () => new Draft().need("uid", entity, uid), options);
  }

  /** Puts an entity into a parent: a member into a role, a shop into a city. */
  join(entity: UidLike, parent: UidLike, options?: Writing): Ends<M, Answer> {
    return this.#make("join", () => new Draft().need("uid", entity, uid).need("parent", parent, uid), options);
  }

  /** Takes an entity out of a parent. */
  leave(entity: UidLike, parent: UidLike, options?: Writing): Ends<M, Answer> {
    return this.#make("leave", () => new Draft().need("uid", entity, uid).need("parent", parent, uid), options);
  }

  /** Makes a policy of one of the law's templates, under an id by which it can be revoked. */
  grant(
    id: string,
    template: string,
    slots: { principal?: UidLike; resource?: UidLike },
    options?: Writing,
  ): Ends<M, Answer> {
    return this.#make("grant", () => new Draft().need("id", id).need("template", template).options(slots, OWN), options);
  }

  /** Takes a grant back. */
  revoke(id: string, options?: Writing): Ends<M, Answer> {
    return this.#make("revoke", () => new Draft().need("id", id), options);
  }

  #make(kind: string, draft: () => Draft, options: Writing | undefined): Ends<M, Answer> {
    return this.#change(() => `{${JSON.stringify(kind)}:${draft().json()}}`, options);
  }
}
