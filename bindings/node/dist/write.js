"use strict";
// A call as JSON. JavaScript can hold what a call may not (floats, null, half a surrogate pair, an object inside itself): it is
// refused here, with the code that the wire has for it and the place where it stands.
Object.defineProperty(exports, "__esModule", { value: true });
exports.NOBODY = exports.Draft = exports.WORDS = exports.MARK = void 0;
exports.lost = lost;
exports.standInOf = standInOf;
exports.sound = sound;
exports.uid = uid;
exports.uidOf = uidOf;
exports.once = once;
exports.evaluations = evaluations;
exports.calls = calls;
exports.any = any;
exports.plain = plain;
const errors_1 = require("./errors");
const values_1 = require("./values");
/** The largest call, in bytes of JSON; a text has at least as many bytes as units. */
const CALL_BYTES_MAX = 1 << 20;
/** How deep a call's JSON may nest. */
const NESTING_MAX = 40;
/** Matches half a surrogate pair: with the flag `u` whole pairs are one character. */
const HALF = /\p{Surrogate}/u;
/** What a record's fields may not begin with: on the wire it marks an entity or an extension. */
exports.MARK = "__";
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** What stands in the place of a value that was refused: no JSON of a call, wherever it stands, and refused with the same code. */
const PLACEHOLDERS = {
    "hos.value_invalid": "null",
    "hos.call_too_large": "[".repeat(NESTING_MAX + 1) + "]".repeat(NESTING_MAX + 1),
};
const MALFORMED = '"\\ud800"';
/** The field, which no call has, for what is refused and can have no stand-in under its own name. */
const STRAY = "refused";
/** What every call has among its words and none among its options. */
exports.WORDS = new Set("tenant principal language action resource evaluations calls contract id event state stream payload payload_hex change code entries".split(" "));
/** What may stand among a call's options. The world's own outcome is none of these: it counts wherever an object has it. */
const OPTIONS = "context given once request facts args reason subject".split(" ");
/** A call that is being put together, field by field. */
class Draft {
    #json = "";
    #size = { left: CALL_BYTES_MAX };
    #fault;
    #world = false;
    #names = [];
    /** A draft that goes on where another one stands, which stays as it is. */
    static after(begun) {
        const draft = new Draft();
        draft.#json = begun.#json;
        draft.#size = { ...begun.#size };
        draft.#fault = begun.#fault;
        draft.#world = begun.#world;
        draft.#names = [...begun.#names];
        return draft;
    }
    /** Adds a field; one that is `undefined` is absent. A value that is refused is remembered and stands in for itself. */
    put(name, value, write = writerOf(name)) {
        return this.#put(name, () => value, write);
    }
    /** Adds a field without which there is no call; one that is `undefined` is refused. */
    need(name, value, write = writerOf(name)) {
        const read = () => {
            if (value === undefined)
                throw (0, errors_1.refusal)("hos.call_malformed", `\`${name}\` is not given`);
            return value;
        };
        return this.#put(name, read, write);
    }
    /**
     * Adds a caller's options, each as its name says; a name that no call has is refused by the wire, which knows them. A name that
     * is `taken` is refused here: it has a place of its own among the call's words, even where nothing was said there. One that is
     * `others'` is none of the call's and left out.
     */
    options(options, taken, others) {
        if (options === undefined)
            return this;
        if (typeof options !== "object" || options === null) {
            throw (0, errors_1.refusal)("hos.call_malformed", `options are an object, not ${kind(options)}`);
        }
        const read = (name) => options[name];
        for (const name of this.#namesOf(options)) {
            if (others?.has(name) !== true)
                this.#put(name, () => read(name), writerOf(name), taken?.has(name));
        }
        return this;
    }
    /** Adds what a record says: a text, or bytes. */
    payload(payload) {
        return (0, errors_1.isA)(payload, Uint8Array) ? this.put("payload_hex", payload) : this.need("payload", payload);
    }
    /** Whether a field is there. */
    has(name) {
        return this.#names.includes(name);
    }
    /** The world's own outcome counts wherever an object has it, and also where nothing else of the object can be found out. */
    #namesOf(options) {
        try {
            const names = Object.keys(options);
            const why = lost(options, names);
            if (why !== undefined)
                this.#refuse((0, errors_1.refusal)("hos.call_malformed", why));
            return names.includes("legacy") || !("legacy" in options) ? names : [...names, "legacy"];
        }
        catch (cause) {
            this.#refuse(unreadable("options", cause));
            return ["legacy"];
        }
    }
    // The value is read here, for what throws meanwhile is as good as a value that is refused.
    #put(name, read, write, taken = false) {
        const before = this.#size.left;
        let value;
        try {
            value = read();
            if (value === undefined)
                return this;
            weigh(name.length, name, this.#size);
            if (taken)
                throw (0, errors_1.refusal)("hos.call_malformed", `\`${name}\` is no option: it has its own place in the call`);
            if (HALF.test(name))
                throw (0, errors_1.refusal)("hos.call_malformed", `${(0, values_1.shown)(name)} is no option: it holds half a surrogate pair`);
            const json = write(value, name, this.#size, 1);
            if (name === "legacy")
                this.#world = true;
            return this.#add(name, json);
        }
        catch (thrown) {
            // What is not taken takes no room: the fields after it must be read where the world's own answer stands.
            this.#size.left = before;
            this.#refuse((0, errors_1.isA)(thrown, errors_1.CallError) ? thrown : unreadable(name, thrown));
            if (taken)
                return this;
            // What cannot be said beside the world's own outcome leaves that as it is.
            const allowed = name === "legacy" ? outcome(value) : undefined;
            if (allowed !== undefined) {
                this.#world = true;
                return this.#add(name, `{"allowed":${allowed}}`);
            }
            // What remains of an action tells which mode of the law is meant; where nothing does, it is that of all that have none of their own.
            return name === "action" ? this.#add(name, JSON.stringify(typeof value === "string" ? sound(value) : "")) : this;
        }
    }
    /** Remembers what was refused first, and puts a stand-in into the call: by it the wire refuses the call with the same code. */
    #refuse(fault) {
        this.#fault ??= fault;
        return this.has(STRAY) ? this : this.#add(STRAY, PLACEHOLDERS[fault.code] ?? MALFORMED);
    }
    #add(name, json) {
        this.#json += `${this.#json === "" ? "{" : ","}${JSON.stringify(name)}:${json}`;
        this.#names.push(name);
        return this;
    }
    /** Whether the world's own outcome is in it. */
    get hasOutcome() {
        return this.#world;
    }
    /** What was refused first. */
    get fault() {
        return this.#fault;
    }
    /**
     * The call. Where something was refused this throws it, unless the call carries the world's own outcome: that must stand
     * whatever the rest of the call is, and only the engine knows whether it may.
     */
    json() {
        if (this.#fault !== undefined && !this.#world)
            throw this.#fault;
        return this.#json === "" ? "{}" : `${this.#json}}`;
    }
}
exports.Draft = Draft;
/** What of a caller's options would be left out without a word: what a class or a prototype has, or what is hidden. */
function lost(options, names = Object.keys(options)) {
    const hidden = OPTIONS.find((word) => word in options && !names.includes(word));
    const name = hidden ?? (plain(options) ? undefined : inherited(options));
    return name === undefined ? undefined : `${(0, values_1.shown)(name)} of the options is inherited or hidden: an option is a field of their own`;
}
/** A name that an object has of its prototypes, but for what all objects have. */
function inherited(value) {
    for (let at = Object.getPrototypeOf(value); at !== null && !isRoot(at); at = Object.getPrototypeOf(at)) {
        const found = Object.getOwnPropertyNames(at).find((name) => name !== "constructor" && name !== "legacy");
        if (found !== undefined)
            return found;
    }
    return undefined;
}
/** The code by which the wire refuses what stands in for this. */
function standInOf(fault) {
    return Object.hasOwn(PLACEHOLDERS, fault.code) ? fault.code : "hos.call_malformed";
}
/** The world's own outcome: a boolean is one without a state. */
function world(value, where, size, depth) {
    return any(typeof value === "boolean" ? { allowed: value } : value, where, size, depth);
}
/** What the world answered, where that much can be read of it. */
function outcome(legacy) {
    if (typeof legacy === "boolean")
        return legacy;
    try {
        const { allowed } = legacy;
        return typeof allowed === "boolean" ? allowed : undefined;
    }
    catch {
        return undefined;
    }
}
/** The beginning of a text, without halves of pairs. */
function sound(text, units = 200) {
    return text.slice(0, units).replace(/\p{Surrogate}/gu, "\ufffd");
}
function writerOf(name) {
    switch (name) {
        case "principal":
        case "resource":
        case "subject":
        case "uid":
        case "parent":
            return uid;
        case "given":
            return entities;
        case "legacy":
            return world;
        case "action":
        case "language":
            return word;
        case "payload_hex":
            return hex;
        default:
            return any;
    }
}
/** A text which the engine reads also in a call that it refuses: another value there would keep it from reading that at all. */
function word(value, where, size, depth) {
    const json = any(value, where, size, depth);
    if (typeof value !== "string")
        throw (0, errors_1.refusal)("hos.call_malformed", `\`${where}\` is a text, not ${kind(value)}`);
    return json;
}
/** Bytes in hexadecimal digits. They are weighed first: of too many no text can be made. */
function hex(value, where, size, depth) {
    if (!(0, errors_1.isA)(value, Uint8Array))
        return any(value, where, size, depth);
    weigh(2 * value.byteLength, where, size);
    return `"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}"`;
}
/** An identity where one is expected, in the short form. */
function uid(value, where, size, depth) {
    const found = uidOf(value, where);
    if (found === undefined)
        return any(value, where, size, depth);
    return `{"type":${text(found.type, `${where}.type`, size)},"id":${text(found.id, `${where}.id`, size)}}`;
}
/** The identity that a value says, if it says one by itself. */
function uidOf(value, where) {
    if (value instanceof values_1.Uid)
        return whole(value, where);
    if (typeof value === "string")
        return parsed(value, where);
    if (typeof value !== "object" || value === null || typeof value.hosUid !== "function")
        return undefined;
    const said = value.hosUid();
    if (said instanceof values_1.Uid)
        return whole(said, where);
    if (typeof said === "string")
        return parsed(said, where);
    throw (0, errors_1.refusal)("hos.call_malformed", `\`${where}\`: hosUid() gives a Uid or a text, not ${kind(said)}`);
}
/** Stands for a principal that could not be read. */
exports.NOBODY = new values_1.Uid("", "");
/** An identity, found once and kept in `found`: an object that says another one later is still who it was. */
function once(found) {
    return (value, where, size, depth) => {
        const said = uidOf(value, where);
        const given = said === undefined && plain(value) ? { ...value } : value;
        const who = said ?? (plain(given) ? pairOf(given) : undefined);
        if (who === undefined)
            return any(given, where, size, depth);
        found.push(who);
        return uid(who, where, size, depth);
    };
}
/** An identity as its type and its id, and nothing besides. */
function pairOf({ type, id, ...others }) {
    if (typeof type !== "string" || typeof id !== "string" || Object.values(others).some((other) => other !== undefined))
        return undefined;
    return new values_1.Uid(type, id);
}
// Whatever has `Uid.prototype` is an instance of it; only what the constructor made is sure to be whole.
function whole({ type, id }, where) {
    if (typeof type !== "string" || typeof id !== "string") {
        throw (0, errors_1.refusal)("hos.call_malformed", `\`${where}\`: a Uid's type and id are texts; make one with new Uid(type, id)`);
    }
    return new values_1.Uid(type, id);
}
function parsed(value, where) {
    if (value.length > CALL_BYTES_MAX)
        throw tooLarge(where);
    try {
        return values_1.Uid.parse(value);
    }
    catch {
        throw (0, errors_1.refusal)("hos.id_invalid", `\`${where}\` is no entity: ${(0, values_1.shown)(value)}; write Type::"id"`);
    }
}
/** Entities that come with a call. */
function entities(value, where, size, depth) {
    if (!Array.isArray(value))
        return any(value, where, size, depth);
    return list(value, where, size, depth, (item, place) => {
        if (!plain(item))
            return any(item, place, size, depth + 1);
        return fields(Object.entries(item), place, size, depth + 1, (name, inner, at) => {
            if (name === "uid")
                return uid(inner, at, size, depth + 2);
            if (name !== "parents" || !Array.isArray(inner))
                return any(inner, at, size, depth + 2);
            return list(inner, at, size, depth + 2, (parent, of) => uid(parent, of, size, depth + 3));
        });
    });
}
/** Questions that are asked at once. */
function evaluations(value, where, size, depth) {
    return several(value, where, size, depth, (field) => field);
}
/** Calls that are made as one. Bytes stand in them as in a call of `record`. */
function calls(value, where, size, depth) {
    return several(value, where, size, depth, ([name, inner]) => {
        return [name === "payload" && (0, errors_1.isA)(inner, Uint8Array) ? "payload_hex" : name, inner];
    });
}
function several(value, where, size, depth, said) {
    if (!Array.isArray(value))
        return any(value, where, size, depth);
    return list(value, where, size, depth, (item, place) => {
        if (!plain(item))
            return any(item, place, size, depth + 1);
        return fields(Object.entries(item).map(said), place, size, depth + 1, (name, inner, at) => writerOf(name)(inner, at, size, depth + 2));
    });
}
/** Any value. */
function any(value, where, size, depth) {
    switch (typeof value) {
        case "string":
            return text(value, where, size);
        case "boolean":
            return room(value ? "true" : "false", where, size);
        case "number":
            if (!Number.isSafeInteger(value))
                throw invalid(where, number(value));
            return room(value === 0 ? "0" : String(value), where, size);
        case "bigint":
            if (value < INT64_MIN || value > INT64_MAX)
                throw invalid(where, "an integer beyond 64 bits is no value here");
            return room(String(value), where, size);
        case "object":
            return object(value, where, size, depth);
        default:
            throw invalid(where, `${kind(value)} is no value here`);
    }
}
function number(value) {
    if (Number.isInteger(value)) {
        const whole = BigInt(value);
        if (whole < INT64_MIN || whole > INT64_MAX)
            return "an integer beyond 64 bits is no value here";
        return `${value} is not exact as a number: write a bigint, if ${whole}n is meant`;
    }
    return `${Number.isFinite(value) ? "a float" : String(value)} is no value here: write money in its smallest unit, or Ext.decimal("1.50")`;
}
function object(value, where, size, depth) {
    if (value === null)
        throw invalid(where, "null is no value here: leave the field out");
    if (depth > NESTING_MAX) {
        throw (0, errors_1.refusal)("hos.call_too_large", `\`${short(where)}\` nests more than ${NESTING_MAX} deep, or contains itself`);
    }
    const each = (item, place) => any(item, place, size, depth + 1);
    if (Array.isArray(value))
        return list(value, where, size, depth, each);
    if (value instanceof values_1.Ext)
        return `{"__extn":{"fn":${any(value.fn, where, size, depth)},"arg":${any(value.arg, where, size, depth)}}}`;
    if (value instanceof Date) {
        if (Number.isNaN(value.getTime()))
            throw invalid(where, "an invalid Date is no value here");
        return object(values_1.Ext.datetime(value), where, size, depth);
    }
    if (value instanceof Set)
        return list([...value], where, size, depth, each);
    const entity = uidOf(value, where);
    if (entity !== undefined)
        return `{"__entity":${uid(entity, where, size, depth)}}`;
    if (value instanceof Map) {
        if (![...value.keys()].every((name) => typeof name === "string"))
            throw invalid(where, "a Map whose keys are not all texts is no value here");
        return fields([...value], where, size, depth, (_, inner, place) => each(inner, place));
    }
    if (!plain(value))
        throw invalid(where, `${kind(value)} is no value here: give its fields, or a method hosUid()`);
    return fields(Object.entries(value), where, size, depth, (_, inner, place) => each(inner, place));
}
function list(items, where, size, depth, write) {
    if (depth > NESTING_MAX)
        throw (0, errors_1.refusal)("hos.call_too_large", `\`${short(where)}\` nests more than ${NESTING_MAX} deep`);
    let json = room("[", where, size);
    // By number: an array with holes has `undefined` there, which is no value.
    for (let at = 0; at < items.length; at += 1) {
        json += `${at === 0 ? "" : ","}${write(items[at], `${where}[${at}]`)}`;
        room(",", where, size);
    }
    return `${json}]`;
}
function fields(entries, where, size, depth, write) {
    if (depth > NESTING_MAX)
        throw (0, errors_1.refusal)("hos.call_too_large", `\`${short(where)}\` nests more than ${NESTING_MAX} deep`);
    let json = room("{", where, size);
    for (const [name, value] of entries) {
        if (value === undefined)
            continue;
        if (name.startsWith(exports.MARK)) {
            // A record that came from outside must not turn into anybody's identity.
            const why = `no field's name begins with ${exports.MARK}; an entity is a Uid, the others an Ext`;
            throw (0, errors_1.refusal)("hos.call_malformed", `\`${short(where)}\`: ${why}`);
        }
        json += `${json === "{" ? "" : ","}${text(name, where, size)}:${write(name, value, `${where}.${name}`)}`;
    }
    return `${json}}`;
}
function text(value, where, size) {
    // The length comes first: a text of ten megabytes is not read through to be refused.
    room(value, where, size);
    if (HALF.test(value)) {
        throw (0, errors_1.refusal)("hos.call_malformed", `\`${short(where)}\` holds half a surrogate pair, which is no text`);
    }
    return JSON.stringify(value);
}
function room(json, where, size) {
    weigh(json.length, where, size);
    return json;
}
/** Takes so much of what room is left; before anything is made of what takes it. */
function weigh(units, where, size) {
    size.left -= units;
    if (size.left < 0)
        throw tooLarge(where);
}
function tooLarge(where) {
    return (0, errors_1.refusal)("hos.call_too_large", `the call has more than ${CALL_BYTES_MAX} bytes at \`${short(where)}\``);
}
/** Whether it is an object with nothing but fields. What cannot be looked at (a proxy that was revoked) is none. */
function plain(value) {
    if (typeof value !== "object" || value === null)
        return false;
    try {
        const prototype = Object.getPrototypeOf(value);
        return prototype === null || isRoot(prototype);
    }
    catch {
        return false;
    }
}
/** Whether it is what all objects inherit from. An object of another context (`vm`, a test runner's) has another `Object.prototype`. */
function isRoot(prototype) {
    return prototype === Object.prototype || (Object.getPrototypeOf(prototype) === null && "hasOwnProperty" in prototype);
}
function invalid(where, why) {
    return (0, errors_1.refusal)("hos.value_invalid", `\`${short(where)}\`: ${why}`);
}
function unreadable(where, cause) {
    return (0, errors_1.refusal)("hos.value_invalid", `\`${short(where)}\` could not be read`, cause);
}
function short(where) {
    const inner = (0, values_1.shown)(where).slice(1, -1);
    return inner.length > 120 ? `${inner.slice(0, 120)}…` : inner;
}
function kind(value) {
    if (value === null)
        return "null";
    if (typeof value === "function")
        return "a function";
    if (Array.isArray(value))
        return "an array";
    if (typeof value === "object") {
        const name = value.constructor?.name;
        return typeof name === "string" && name !== "" ? `an instance of ${(0, values_1.shown)(name).slice(1, -1)}` : "an object";
    }
    return typeof value === "undefined" ? "undefined" : `a ${typeof value}`;
}
