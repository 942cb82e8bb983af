"use strict";
// Changes of who is who. They are always enforced, whatever the law's mode.
Object.defineProperty(exports, "__esModule", { value: true });
exports.Directory = void 0;
const write_1 = require("./write");
/** The words of `grant` that are no slots. */
const OWN = new Set(["id", "template"]);
/** The directory, as an actor changes it. */
class Directory {
    #change;
    /** Made with an actor. */
    constructor(change) {
        this.#change = change;
        Object.freeze(this);
    }
    /** Writes an entity with its attributes. */
    put(entity, attrs, options) {
        return this.#make("put", () => new write_1.Draft().need("uid", entity, write_1.uid).put("attrs", attrs), options);
    }
    /** Removes an entity. */
    remove(entity, options) {
        return this.#make("remove", () => new write_1.Draft().need("uid", entity, write_1.uid), options);
    }
    /** Puts an entity into a parent: a member into a role, a shop into a city. */
    join(entity, parent, options) {
        return this.#make("join", () => new write_1.Draft().need("uid", entity, write_1.uid).need("parent", parent, write_1.uid), options);
    }
    /** Takes an entity out of a parent. */
    leave(entity, parent, options) {
        return this.#make("leave", () => new write_1.Draft().need("uid", entity, write_1.uid).need("parent", parent, write_1.uid), options);
    }
    /** Makes a policy of one of the law's templates, under an id by which it can be revoked. */
    grant(id, template, slots, options) {
        return this.#make("grant", () => new write_1.Draft().need("id", id).need("template", template).options(slots, OWN), options);
    }
    /** Takes a grant back. */
    revoke(id, options) {
        return this.#make("revoke", () => new write_1.Draft().need("id", id), options);
    }
    #make(kind, draft, options) {
        return this.#change(() => `{${JSON.stringify(kind)}:${draft().json()}}`, options);
    }
}
exports.Directory = Directory;
