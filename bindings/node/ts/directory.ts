// Changes of who is who. They are always enforced, whatever the law's mode.

import type { Writing } from "./actor";
import type { Answer } from "./answer";
import type { UidLike, Values } from "./values";
import { Draft, uid } from "./write";

type Change = (json: string, options: Writing | undefined) => Promise<Answer>;

/** The words of `grant` that are no slots. */
const OWN: ReadonlySet<string> = new Set(["id", "template"]);

/** The directory, as an actor changes it. */
export class Directory {
  #change: Change;

  /** Made with an actor. */
  constructor(change: Change) {
    this.#change = change;
    Object.freeze(this);
  }

  /** Writes an entity with its attributes. */
  async put(entity: UidLike, attrs?: Values, options?: Writing): Promise<Answer> {
    return this.#make("put", new Draft().need("uid", entity, uid).put("attrs", attrs), options);
  }

  /** Removes an entity. */
  async remove(entity: UidLike, options?: Writing): Promise<Answer> {
    return this.#make("remove", new Draft().need("uid", entity, uid), options);
  }

  /** Puts an entity into a parent: a member into a role, a shop into a city. */
  async join(entity: UidLike, parent: UidLike, options?: Writing): Promise<Answer> {
    return this.#make("join", new Draft().need("uid", entity, uid).need("parent", parent, uid), options);
  }

  /** Takes an entity out of a parent. */
  async leave(entity: UidLike, parent: UidLike, options?: Writing): Promise<Answer> {
    return this.#make("leave", new Draft().need("uid", entity, uid).need("parent", parent, uid), options);
  }

  /** Makes a policy of one of the law's templates, under an id by which it can be revoked. */
  async grant(
    id: string,
    template: string,
    slots: { principal?: UidLike; resource?: UidLike },
    options?: Writing,
  ): Promise<Answer> {
    return this.#make("grant", new Draft().need("id", id).need("template", template).options(slots, OWN), options);
  }

  /** Takes a grant back. */
  async revoke(id: string, options?: Writing): Promise<Answer> {
    return this.#make("revoke", new Draft().need("id", id), options);
  }

  async #make(kind: string, draft: Draft, options: Writing | undefined): Promise<Answer> {
    return this.#change(`{${JSON.stringify(kind)}:${draft.json()}}`, options);
  }
}
