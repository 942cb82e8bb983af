"use strict";
// A tenant, and what can be asked without being anybody.
Object.defineProperty(exports, "__esModule", { value: true });
exports.Tenant = void 0;
const actor_1 = require("./actor");
const answer_1 = require("./answer");
const errors_1 = require("./errors");
const write_1 = require("./write");
/** A tenant of an engine. */
class Tenant {
    #engine;
    /** Its name. */
    name;
    /** Made by `Engine.tenant`. */
    constructor(engine, name) {
        this.#engine = engine;
        this.name = name;
        Object.freeze(this);
    }
    /** Who acts here: bound once, asked often. */
    as(principal, options) {
        return new actor_1.Actor(this.#engine, this, principal, options);
    }
    /** An instance's records, oldest first. */
    async history(contract, id, page) {
        const draft = new write_1.Draft().need("tenant", this.name).need("contract", contract).need("id", id).options(page, write_1.WORDS);
        const [, json] = await this.#engine._ask("history", { json: draft.json(), fault: undefined });
        return (0, answer_1.historyOf)(json);
    }
    /** What the law tells an end user of a refusal's code. Here and now; it may look at the store first, as `can` does. */
    message(code, language) {
        const draft = new write_1.Draft().need("tenant", this.name).need("code", code).need("language", language);
        const [, json] = this.#engine._askSync("message", { json: draft.json(), fault: undefined });
        const { message } = JSON.parse(json);
        if (typeof message !== "string")
            throw new errors_1.InternalError("internal", "hos.internal", "the law's message could not be read");
        return message;
    }
}
exports.Tenant = Tenant;
