"use strict";
// What came of a call. Everything here is read-only.
Object.defineProperty(exports, "__esModule", { value: true });
exports.Answer = exports.Told = void 0;
exports.evaluationsOf = evaluationsOf;
exports.availableOf = availableOf;
exports.historyOf = historyOf;
const node_util_1 = require("node:util");
const read_1 = require("./read");
const values_1 = require("./values");
/** An answer's text, read when more than a plain yes is looked at. Many answers of `can` share one. */
class Told {
    /** Whether the answer is yes. */
    allowed;
    #json;
    #fields;
    /** Of its text, or of what was read of it already. */
    constructor(allowed, told) {
        this.allowed = allowed;
        this.#json = typeof told === "string" ? told : "";
        if (typeof told === "object")
            this.#fields = frozen(told);
    }
    /** A text without that word has no code, and need not be read for it: most of what is a yes. */
    get code() {
        return this.#fields === undefined && !this.#json.includes('"code"') ? undefined : this.fields.code;
    }
    get fields() {
        this.#fields ??= frozen((0, read_1.parse)(this.#json));
        return this.#fields;
    }
}
exports.Told = Told;
/**
 * What came of a call. **Only `allowed` is a yes**: an answer is an object, and every object is true in a condition. Comparing
 * or calculating with one throws.
 */
class Answer {
    /** What the caller must heed: the law's word where it is enforced, the world's own in `off` and `shadow`. */
    allowed;
    #told;
    #words;
    #language;
    /** Made by an actor's calls. */
    constructor(told, words, language) {
        // Properties of its own, by which a comparison of two answers or a clone tells a yes from a no; the rest is `toJSON`'s.
        this.allowed = told.allowed;
        const { code } = told;
        if (code !== undefined)
            this.code = code;
        this.#told = told;
        this.#words = words;
        this.#language = language;
        Object.freeze(this);
    }
    /** Everything the law has against it, in order of precedence. */
    get blockers() {
        return this.#told.fields.blockers;
    }
    /** What the policies said, where they were asked. */
    get effect() {
        return this.#told.fields.effect;
    }
    /** Ids of the policies and grants that decided. */
    get policies() {
        return this.#told.fields.policies;
    }
    /** Policies that could not be evaluated. */
    get errors() {
        return this.#told.fields.errors;
    }
    get mode() {
        return this.#told.fields.mode;
    }
    /** In shadow: law and world differ. */
    get divergence() {
        return this.#told.fields.divergence;
    }
    /** What a candidate law says, where it says something else. */
    get candidate() {
        return this.#told.fields.candidate;
    }
    /** The hash of the law whose policies were asked. */
    get law() {
        return this.#told.fields.law;
    }
    /** The directory version judged under; 0 if none was. */
    get directoryVersion() {
        return this.#told.fields.directory_version;
    }
    /** The instance's state before. */
    get from() {
        return this.#told.fields.from;
    }
    /** The instance's state after; of a refused call the present one. */
    get to() {
        return this.#told.fields.to;
    }
    /** The instance's version after. */
    get version() {
        return this.#told.fields.version;
    }
    /** Deadlines that fired before the call was judged. */
    get fired() {
        return this.#told.fields.fired;
    }
    /** This is the first answer's receipt once more: the call's `once` was used before. */
    get again() {
        return this.#told.fields.again;
    }
    /** Where the evidence lies, where something was recorded. */
    get receipt() {
        return this.#told.fields.receipt;
    }
    /**
     * The law's message for an end user about why not: in this language, else the actor's, else English. `undefined` where the law
     * has nothing against the call. It may look at the store first, as `can` does; an engine that was closed answers no more.
     */
    message(language = this.#language ?? "en") {
        const first = this.blockers[0];
        if (first === undefined)
            return undefined;
        if (first.message !== undefined && language === this.#language)
            return first.message;
        return this.#words(first.code, language);
    }
    /** The answer as the wire has it, whole: what is stored, and what is posted to another thread. */
    toJSON() {
        return this.#told.fields;
    }
    [Symbol.toPrimitive](hint) {
        if (hint === "string")
            return this.allowed ? "allowed" : `refused: ${this.code ?? "by the world's own outcome"}`;
        throw new TypeError("an Answer is no condition and no number: look at `.allowed`");
    }
}
exports.Answer = Answer;
// As it is shown by `console.log`, by the names that it has here; defined here, so that the types need none of Node's.
Object.defineProperty(Answer.prototype, node_util_1.inspect.custom, {
    value(_depth, options) {
        const fields = Object.entries(this.toJSON()).map(([name, value]) => [RENAMED[name] ?? name, value]);
        return `Answer ${(0, node_util_1.inspect)(Object.fromEntries(fields), options)}`;
    },
});
/** The answers of `can_all`. */
function evaluationsOf(told) {
    return told.evaluations;
}
/** The answer of `available`. */
function availableOf(json) {
    return frozen((0, read_1.parse)(json)).available;
}
const RENAMED = {
    guard_law: "guardLaw",
    contract_version: "contractVersion",
    directory_version: "directoryVersion",
};
/** The answer of `history`. */
function historyOf(json) {
    const { history } = (0, read_1.parse)(json);
    const entry = (wire) => Object.fromEntries(Object.entries(wire).map(([name, value]) => [RENAMED[name] ?? name, name === "parts" ? plainly(value) : value]));
    return frozen(history.map(entry));
}
/** A recorded value in JavaScript's words. */
function plainly(wire) {
    if (Array.isArray(wire))
        return wire.map(plainly);
    if (typeof wire !== "object" || wire === null)
        return wire;
    const { __entity: entity, __extn: extension } = wire;
    if (entity !== undefined)
        return new values_1.Uid(entity.type, entity.id);
    if (extension !== undefined)
        return new values_1.Ext(extension.fn, extension.arg);
    return Object.fromEntries(Object.entries(wire).map(([name, inner]) => [name, plainly(inner)]));
}
/** Freezes what was just read, all the way down. What the wire says is null is absent. */
function frozen(value) {
    if (typeof value !== "object" || value === null || Object.isFrozen(value))
        return value;
    for (const [name, inner] of Object.entries(value)) {
        if (inner === null && !Array.isArray(value))
            delete value[name];
        else
            frozen(inner);
    }
    return Object.freeze(value);
}
