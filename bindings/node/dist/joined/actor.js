"use strict";
// Who acts in a tenant, in the transactions of the host's own connection.
Object.defineProperty(exports, "__esModule", { value: true });
exports.JoinedActor = exports.JoinedTenant = void 0;
const answer_1 = require("../answer");
const directory_1 = require("../directory");
const errors_1 = require("../errors");
const lane_1 = require("../lane");
const shadow_1 = require("../shadow");
const write_1 = require("../write");
const closures_1 = require("./closures");
const driver_1 = require("./driver");
const several_1 = require("./several");
/** A tenant of an engine that joins transactions. */
class JoinedTenant {
    #engine;
    /** Its name. */
    name;
    /** Made by `JoinedEngine.tenant`. */
    constructor(engine, name) {
        this.#engine = engine;
        this.name = name;
        Object.freeze(this);
    }
    /** Who acts here: bound once, asked often. */
    as(principal, options) {
        return new JoinedActor(this.#engine, this.name, principal, options);
    }
    /** What the law tells an end user of a refusal's code. Of the law that the first call has read. */
    message(code, language) {
        return this.#engine._message(this.name, code, language);
    }
}
exports.JoinedTenant = JoinedTenant;
/** Somebody who acts in a tenant, in the host's transaction. */
class JoinedActor {
    #engine;
    #tenant;
    #as;
    #begun;
    /** Who acts, made of what was given. Where that could not be read it has neither type nor id, and every call says so. */
    principal;
    /** Changes of who is who. */
    directory;
    /** Made by `JoinedTenant.as`. */
    constructor(engine, tenant, principal, options = {}) {
        this.#engine = engine;
        this.#tenant = tenant;
        this.#as = asOf(options);
        const found = [];
        this.#begun = new write_1.Draft().need("tenant", tenant).need("principal", principal, (0, write_1.once)(found)).put("language", this.#as.language);
        this.principal = found[0] ?? write_1.NOBODY;
        this.directory = new directory_1.Directory((change, besides) => this.#ask("directory", besides, (draft) => draft.put("change", change(), String)));
        Object.freeze(this);
    }
    /** May they do this to that? An answer: look at its `allowed`. It reads on the connection, or on one of the pool's, and needs no transaction. */
    can(action, resource, besides) {
        return this.#ask("can", besides, (draft) => draft.need("action", action).need("resource", resource, write_1.uid));
    }
    /** Several questions, 1 to 1000, answered over one law and one directory, in their order. */
    canAll(questions, besides) {
        return this.#engine._called(true, true, (era) => this.#askedAll(era, questions, besides));
    }
    /** As `can`, but throws `Denied` where the answer is no. */
    authorize(action, resource, besides) {
        return this.#ask("can", besides, (draft) => draft.need("action", action).need("resource", resource, write_1.uid), yes);
    }
    /** The birth of an instance. */
    begin(contract, id, event, options) {
        return this.#ask("begin", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
    }
    /** An event or an override of an instance. A refusal is an answer: look at its `allowed`, and roll back. */
    transition(contract, id, event, options) {
        return this.#ask("transition", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
    }
    /** As `transition`, but throws `Denied` where the answer is no. */
    apply(contract, id, event, options) {
        return this.#ask("transition", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event), yes);
    }
    /** A free record in a stream: a text, or bytes. Its place in the stream is given when it is sealed. */
    record(stream, payload, options) {
        return this.#ask("record", options, (draft) => draft.need("stream", stream).payload(payload));
    }
    /** An existing row taken in as it is. */
    adopt(contract, id, state, options) {
        return this.#ask("adopt", options, (draft) => draft.need("contract", contract).need("id", id).need("state", state));
    }
    /** What an older log tells of an instance, the oldest row first. Nothing of it is judged, and the instance stays as it is. */
    legacy(contract, id, entries, options) {
        return this.#ask("legacy", options, (draft) => draft.need("contract", contract).need("id", id).need("entries", entries));
    }
    /**
     * Several calls, 1 to 16, judged in their order as one: all of it is written, or nothing; in the exchanges of one. No two are about
     * the same instance, or under the same once-key: each is judged on what was there before the first. Gives as many answers as calls,
     * all of them yes; or those up to the first no, which is the last.
     */
    all(calls, besides) {
        return this.#engine._called(false, true, (era) => this.#made(era, calls, besides));
    }
    /**
     * An event that the world's own code carries out, while the law watches. `legacy` runs first and once; what it gives is given back
     * and what it throws goes through. The call is put down in the same transaction, and judged by `hos work`. Where an error took that
     * transaction, what `legacy` did in it is undone, and the error is thrown.
     */
    shadow(contract, id, event, options) {
        return this.#shadowed("transition", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
    }
    /** As `shadow`, of a birth. */
    shadowBegin(contract, id, event, options) {
        return this.#shadowed("begin", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
    }
    /** As `shadow`, of a question, which is judged at once. */
    shadowCan(action, resource, options) {
        return this.#shadowed("can", options, (draft) => draft.need("action", action).need("resource", resource, write_1.uid));
    }
    #ask(operation, options, words, then = (answer) => answer) {
        // A call that carries the world's own outcome never stands in the way of the host's transaction.
        const isCounted = !hasLegacy(options);
        return this.#engine._called(operation === "can", isCounted, (era) => this.#asked(era, operation, options, words, then));
    }
    *#asked(era, operation, options, words, then) {
        const codes = (0, closures_1.codesOf)(options);
        const draft = words(this.#draft(options, new Set(codes.map(([name]) => name))));
        if (draft.hasOutcome)
            return then(this.#answer(yield* this.#beside(era, operation, draft, codes)));
        const claimed = codes.length === 0 ? undefined : yield* this.#claim(era, operation, draft);
        let stepped;
        try {
            yield* (0, closures_1.filled)(draft, codes);
            const json = draft.json();
            stepped = yield () => this.#engine._step(era, operation, json);
        }
        catch (thrown) {
            if (claimed !== undefined && !FAILED.has((0, driver_1.fieldOf)(thrown, "status")))
                yield () => this.#engine._leave(era, claimed);
            throw thrown;
        }
        return then(this.#answer(stepped));
    }
    *#askedAll(era, questions, besides) {
        const json = this.#draft(besides, new Set()).need("evaluations", questions, write_1.evaluations).json();
        const stepped = (yield () => this.#engine._step(era, "can_all", json));
        return (0, answer_1.evaluationsOf)(stepped.answer).map((one) => this.#answer({ ...stepped, allowed: one.allowed === true, answer: one }));
    }
    *#made(era, calls, besides) {
        const json = this.#draft(besides, new Set()).need("calls", calls, write_1.calls).json();
        const stepped = (yield () => this.#engine._step(era, "all", json));
        const earlier = stepped.earlier.map((answer) => this.#answer({ ...stepped, allowed: true, answer, refusal: undefined }));
        return (0, several_1.together)([...earlier, this.#answer(stepped)]);
    }
    /** A call that carries the world's own outcome, which stands where the call fails, if the law leaves it that. */
    *#beside(era, operation, draft, codes) {
        // Nothing is claimed: the world has acted already.
        try {
            yield* this.#engine._filled(draft, codes);
        }
        catch (thrown) {
            return yield* this.#stood(operation, draft, (0, closures_1.failedOf)(thrown), thrown);
        }
        const json = draft.json();
        try {
            return (yield () => this.#engine._step(era, operation, json, true));
        }
        catch (thrown) {
            // The place that we know is of more use than the one that stood in for it.
            const failed = (0, errors_1.isA)(thrown, errors_1.CallError) ? (draft.fault ?? thrown) : thrown;
            return yield* this.#stood(operation, draft, failed, failed);
        }
    }
    *#stood(operation, draft, failed, thrown) {
        if ((0, shadow_1.isUndone)(thrown))
            throw thrown;
        const stood = yield* this.#engine._instead(operation, draft.json(), failed);
        if (stood === undefined)
            throw thrown;
        return stood;
    }
    *#claim(era, operation, draft) {
        const json = write_1.Draft.after(draft).put("operation", operation).json();
        return (yield () => this.#engine._step(era, "claim", json));
    }
    #shadowed(operation, options, words) {
        // Its transaction is the one of now, however long the world's own code takes.
        const era = this.#engine._era(operation === "can");
        const watched = () => (0, shadow_1.shadowed)(options, (came, tell) => {
            const seen = (work) => this.#engine._run(work);
            const told = seen(() => this.#watched(era, operation, options, words, came));
            if (!(told instanceof Promise))
                return tell(told);
            return told.then(tell, (thrown) => {
                tell((0, lane_1.error)(thrown));
                return (0, shadow_1.isUndone)(thrown) ? thrown : undefined;
            });
        });
        return (this.#engine._isNow ? watched() : (async () => watched())());
    }
    *#watched(era, operation, options, words, came) {
        const codes = (0, closures_1.codesOf)(options);
        const draft = words(this.#draft(options, new Set([...shadow_1.WATCHED, ...codes.map(([name]) => name)]))).put("legacy", came());
        return this.#answer(yield* this.#beside(era, operation, draft, codes));
    }
    #answer(stepped) {
        return this.#engine._answer(stepped, this.#tenant, this.#as.language);
    }
    #draft(options, others) {
        const draft = write_1.Draft.after(this.#begun).options(options, write_1.WORDS, others);
        return draft.has("request") ? draft : draft.put("request", this.#as.request);
    }
}
exports.JoinedActor = JoinedActor;
/** Errors behind which the database runs no more statements of this transaction, or must not. */
const FAILED = new Set(["store", "retry", "unknown", "internal"]);
function hasLegacy(options) {
    try {
        return options?.legacy !== undefined;
    }
    catch {
        return false;
    }
}
function asOf(options) {
    if (!(0, write_1.plain)(options))
        throw (0, errors_1.refusal)("hos.call_malformed", "as(principal, { language, request }) takes an object");
    for (const name of Object.keys(options)) {
        if (name !== "language" && name !== "request") {
            throw (0, errors_1.refusal)("hos.call_malformed", `as(..) has no option \`${name}\`; it has \`language\` and \`request\``);
        }
    }
    return { ...options };
}
function yes(answer) {
    if (answer.allowed !== true)
        throw new errors_1.Denied(answer);
    return answer;
}
