"use strict";
// Who acts in a tenant, and everything they can ask for.
Object.defineProperty(exports, "__esModule", { value: true });
exports.Actor = void 0;
const answer_1 = require("./answer");
const directory_1 = require("./directory");
const errors_1 = require("./errors");
const native_1 = require("./native");
const read_1 = require("./read");
const shadow_1 = require("./shadow");
const values_1 = require("./values");
const write_1 = require("./write");
/** Somebody who acts in a tenant. */
class Actor {
    #engine;
    #as;
    #begun;
    #asker;
    #words = (code, language) => this.tenant.message(code, language);
    /** The tenant. */
    tenant;
    /** Who acts, made of what was given. Where that could not be read it has neither type nor id, and every call says so. */
    principal;
    /** Changes of who is who. */
    directory;
    /** Made by `Tenant.as`. */
    constructor(engine, tenant, principal, options = {}) {
        if (!(0, write_1.plain)(options))
            throw (0, errors_1.refusal)("hos.call_malformed", "as(principal, { language, request }) takes an object");
        for (const name of Object.keys(options)) {
            if (name !== "language" && name !== "request") {
                throw (0, errors_1.refusal)("hos.call_malformed", `as(..) has no option \`${name}\`; it has \`language\` and \`request\``);
            }
        }
        this.#engine = engine;
        this.tenant = tenant;
        this.#as = { ...options };
        const found = [];
        this.#begun = new write_1.Draft().need("tenant", tenant.name).need("principal", principal, (0, write_1.once)(found)).put("language", this.#as.language);
        this.principal = found[0] ?? write_1.NOBODY;
        this.#asker = asker(tenant.name, found[0], this.#as);
        this.directory = new directory_1.Directory(async (change, besides) => {
            const json = change();
            return this.#ask("directory", this.#draft(besides).put("change", json, raw));
        });
        Object.freeze(this);
    }
    /** May they do this to that? An answer: look at its `allowed`. Here and now, in microseconds. */
    can(action, resource, besides) {
        const told = this.#swiftly(action, resource, besides) ?? this.#slowly(action, resource, besides);
        return new answer_1.Answer(told, this.#words, this.#as.language);
    }
    /** Several questions, 1 to 1000, answered over one law and one directory, in their order. */
    canAll(questions, besides) {
        const draft = this.#draft(besides).need("evaluations", questions, write_1.evaluations);
        const [, json] = this.#engine._askSync("can_all", ready(draft));
        const answer = (one) => new answer_1.Answer(new answer_1.Told(one.allowed === true, one), this.#words, this.#as.language);
        return (0, answer_1.evaluationsOf)((0, read_1.parse)(json)).map(answer);
    }
    /** As `can`, but throws `Denied` where the answer is no. */
    authorize(action, resource, besides) {
        return yes(this.can(action, resource, besides));
    }
    /** The birth of an instance. */
    async begin(contract, id, event, options) {
        return this.#ask("begin", this.#draft(options).need("contract", contract).need("id", id).need("event", event));
    }
    /** An event or an override of an instance. A refusal is an answer: look at its `allowed`. */
    async transition(contract, id, event, options) {
        return this.#ask("transition", this.#draft(options).need("contract", contract).need("id", id).need("event", event));
    }
    /** As `transition`, but throws `Denied` where the answer is no. */
    async apply(contract, id, event, options) {
        return yes(await this.transition(contract, id, event, options));
    }
    /**
     * An event that the world's own code carries out, while the law watches.
     *
     *     const r = await pazar.shadow("order", "o-17", "pay", { legacy: () => old.pay(order) });
     *
     * `legacy` runs first and once. What it gives is given back and what it throws goes through, whatever becomes of the law, which
     * judges after it, in the background. The other options are read when `legacy` has ended.
     */
    shadow(contract, id, event, options) {
        return this.#shadowed("transition", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
    }
    /** As `shadow`, of a birth. */
    shadowBegin(contract, id, event, options) {
        return this.#shadowed("begin", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
    }
    /** As `shadow`, of a question: `pazar.shadowCan("order.view", order, { legacy: () => old.mayView(order) })`. */
    shadowCan(action, resource, options) {
        return this.#shadowed("can", options, (draft) => draft.need("action", action).need("resource", resource, write_1.uid));
    }
    /** A free record in a stream: a text, or bytes. */
    async record(stream, payload, options) {
        return this.#ask("record", this.#draft(options).need("stream", stream).payload(payload));
    }
    /** An existing row taken in as it is. */
    async adopt(contract, id, state, options) {
        return this.#ask("adopt", this.#draft(options).need("contract", contract).need("id", id).need("state", state));
    }
    /** What an older log tells of an instance, the oldest row first. Nothing of it is judged, and the instance stays as it is. */
    async legacy(contract, id, entries, options) {
        return this.#ask("legacy", this.#draft(options).need("contract", contract).need("id", id).need("entries", entries));
    }
    /** What they can do with an instance now. */
    async available(contract, id, besides) {
        const draft = this.#draft(besides).need("contract", contract).need("id", id);
        const [, json] = await this.#engine._ask("available", ready(draft));
        return (0, answer_1.availableOf)(json);
    }
    /** An instance's records, oldest first. */
    async history(contract, id, page) {
        return this.tenant.history(contract, id, page);
    }
    #swiftly(action, resource, besides) {
        const who = this.#asker;
        if (who === undefined || typeof action !== "string" || !(0, errors_1.isA)(resource, values_1.Uid))
            return undefined;
        const { type, id } = resource;
        if (typeof type !== "string" || typeof id !== "string")
            return undefined;
        const words = action + native_1.JOINT + type + native_1.JOINT + id;
        if (besides === undefined)
            return this.#engine._can(who, words, 3);
        const context = scalarsOf(besides);
        return context === undefined ? undefined : this.#engine._can(who, words + context.words, 3 + context.count);
    }
    #slowly(action, resource, besides) {
        const draft = this.#draft(besides).need("action", action).need("resource", resource, write_1.uid);
        const [allowed, json] = this.#engine._askSync("can", ready(draft));
        return new answer_1.Told(allowed, json);
    }
    async #ask(operation, draft) {
        const [allowed, json] = await this.#engine._ask(operation, ready(draft));
        return new answer_1.Answer(new answer_1.Told(allowed, json), this.#words, this.#as.language);
    }
    #shadowed(operation, options, words) {
        return (0, shadow_1.shadowed)(options, (came, tell) => {
            const draft = words(this.#draft(options, shadow_1.WATCHED).put("legacy", came()));
            const answer = (allowed, json) => new answer_1.Answer(new answer_1.Told(allowed, json), this.#words, this.#as.language);
            this.#engine._watch(operation, ready(draft), answer, tell);
        });
    }
    #draft(options, others) {
        const draft = write_1.Draft.after(this.#begun).options(options, write_1.WORDS, others);
        return draft.has("request") ? draft : draft.put("request", this.#as.request);
    }
}
exports.Actor = Actor;
function ready(draft) {
    return { json: draft.json(), fault: draft.fault };
}
function yes(answer) {
    if (answer.allowed !== true)
        throw new errors_1.Denied(answer);
    return answer;
}
/** JSON that a draft of its own has made. */
function raw(value) {
    return value;
}
/** The words that can be bound; none where they are not what they should be, which the wire then says. */
function asker(tenant, who, as) {
    if (who === undefined || typeof tenant !== "string")
        return undefined;
    try {
        const beside = new write_1.Draft().put("language", as.language).put("request", as.request).json();
        return { tenant, type: who.type, id: who.id, beside: beside === "{}" ? "" : beside, swift: true };
    }
    catch {
        return undefined;
    }
}
/** A context of a few scalars and nothing besides, as words; none where it holds more, or where reading it throws. */
function scalarsOf(besides) {
    try {
        return wordsOf(besides);
    }
    catch {
        return undefined;
    }
}
/** As words: a name and a scalar by turns, whose first letter says its type. */
function wordsOf(besides) {
    // The world's own outcome comes as JSON, also where it is no field that is gone through.
    if (!(0, write_1.plain)(besides) || besides.legacy !== undefined || (0, write_1.lost)(besides) !== undefined)
        return undefined;
    let words = "";
    let count = 0;
    for (const name in besides) {
        const context = besides[name];
        if (context === undefined)
            continue;
        if (name !== "context" || !(0, write_1.plain)(context))
            return undefined;
        for (const key of Object.keys(context)) {
            const value = context[key];
            if (value === undefined)
                continue;
            const word = scalar(value);
            if (word === undefined || key.startsWith(write_1.MARK) || (count += 2) > 16)
                return undefined;
            words += native_1.JOINT + key + native_1.JOINT + word;
        }
    }
    return { words, count };
}
function scalar(value) {
    switch (typeof value) {
        case "string":
            return `s${value}`;
        case "number":
            return Number.isSafeInteger(value) ? `n${value === 0 ? 0 : value}` : undefined;
        case "boolean":
            return value ? "btrue" : "bfalse";
        default:
            return undefined;
    }
}
