"use strict";
// What a call's values are made of: identities, and the four values that JavaScript has no word for.
Object.defineProperty(exports, "__esModule", { value: true });
exports.Ext = exports.Uid = void 0;
exports.shown = shown;
const errors_1 = require("./errors");
const ESCAPES = { '"': '"', "\\": "\\", n: "\n", r: "\r", t: "\t", 0: "\0" };
/** An entity's identity: its type with the namespace, and its id. */
class Uid {
    type;
    id;
    constructor(type, id) {
        if (typeof type !== "string" || typeof id !== "string") {
            throw (0, errors_1.refusal)("hos.call_malformed", "a Uid's type and id are texts");
        }
        this.type = type;
        this.id = id;
        Object.freeze(this);
    }
    /** Reads Cedar's own form, `Pazar::Account::"ayse"`; its escapes are `\"`, `\\`, `\n`, `\r`, `\t`, `\0`. */
    static parse(text) {
        const wrong = () => (0, errors_1.refusal)("hos.id_invalid", `no entity: ${shown(text)}; write Type::"id"`);
        if (typeof text !== "string")
            throw wrong();
        const at = text.indexOf('::"');
        if (at < 0 || text.length < at + 4 || !text.endsWith('"'))
            throw wrong();
        const inner = text.slice(at + 3, -1);
        // Nothing is left over where every quote and backslash belongs to an escape.
        if (/["\\]/.test(inner.replace(/\\["\\nrt0]/g, "")))
            throw wrong();
        return new Uid(text.slice(0, at), inner.replace(/\\(["\\nrt0])/g, (_, letter) => ESCAPES[letter] ?? ""));
    }
    /** Whether both name the same entity. */
    equals(other) {
        return other instanceof Uid && this.type === other.type && this.id === other.id;
    }
    /** Cedar's own form. */
    toString() {
        const letters = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0" };
        return `${this.type}::"${this.id.replace(/["\\\n\r\t\0]/g, (letter) => letters[letter] ?? letter)}"`;
    }
}
exports.Uid = Uid;
/** A `decimal`, `datetime`, `duration` or `ip`, in Cedar's own text for it. */
class Ext {
    fn;
    arg;
    constructor(fn, arg) {
        this.fn = fn;
        this.arg = arg;
        Object.freeze(this);
    }
    /** `Ext.decimal("19.90")`: four digits after the point at most. */
    static decimal(text) {
        return new Ext("decimal", text);
    }
    /** `Ext.datetime("2026-03-01T12:00:00Z")`, or a `Date`. */
    static datetime(when) {
        if (!(when instanceof Date))
            return new Ext("datetime", when);
        if (Number.isNaN(when.getTime()))
            throw (0, errors_1.refusal)("hos.value_invalid", "an invalid Date is no value here");
        return new Ext("datetime", when.toISOString());
    }
    /** `Ext.duration("1h30m")`. */
    static duration(text) {
        return new Ext("duration", text);
    }
    /** `Ext.ip("10.0.0.0/8")`. */
    static ip(text) {
        return new Ext("ip", text);
    }
    toString() {
        return `${this.fn}("${this.arg}")`;
    }
}
exports.Ext = Ext;
/** A text as it is shown in messages: short, and on one line. */
function shown(what) {
    if (typeof what !== "string")
        return typeof what;
    return JSON.stringify(what.length > 80 ? `${what.slice(0, 80)}…` : what).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "?");
}
