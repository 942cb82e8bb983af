"use strict";
// JSON of the engine as JavaScript has it: whole numbers of 64 bits stay exact, as `number` where it can hold them and as
// `bigint` where it cannot.
Object.defineProperty(exports, "__esModule", { value: true });
exports.parse = parse;
/** Reads what the engine wrote. */
function parse(json) {
    // Below 2^53 no number has sixteen digits; sixteen in a text cost time and nothing else.
    return /\d{16}/.test(json) ? new Reader(json).value() : JSON.parse(json);
}
/** A whole number, exactly. */
function whole(digits) {
    const value = Number(digits);
    return Number.isSafeInteger(value) ? value : BigInt(digits);
}
/** Reads JSON that is known to be sound and has no floats, as the engine writes it. */
class Reader {
    #text;
    #at = 0;
    constructor(text) {
        this.#text = text;
    }
    value() {
        switch (this.#next()) {
            case "{":
                // `fromEntries` makes own fields, whatever they are called.
                return Object.fromEntries(this.#items("}", () => [this.#string(this.#next()), this.#after(":")]));
            case "[":
                return this.#items("]", () => this.value());
            case '"':
                return this.#string('"');
            case "t":
                this.#at += 4;
                return true;
            case "f":
                this.#at += 5;
                return false;
            case "n":
                this.#at += 4;
                return null;
            default:
                return this.#number();
        }
    }
    #next() {
        while (/\s/.test(this.#text.charAt(this.#at)))
            this.#at += 1;
        return this.#text.charAt(this.#at);
    }
    #after(sign) {
        if (this.#next() !== sign)
            throw new SyntaxError(`no JSON at ${this.#at}`);
        this.#at += 1;
        return this.value();
    }
    #items(end, item) {
        const items = [];
        this.#at += 1;
        while (this.#next() !== end) {
            if (items.length > 0) {
                if (this.#next() !== ",")
                    throw new SyntaxError(`no JSON at ${this.#at}`);
                this.#at += 1;
                this.#next();
            }
            items.push(item());
        }
        this.#at += 1;
        return items;
    }
    #string(first) {
        if (first !== '"')
            throw new SyntaxError(`no JSON at ${this.#at}`);
        const start = this.#at;
        let end = start + 1;
        while (end < this.#text.length && this.#text.charAt(end) !== '"')
            end += this.#text.charAt(end) === "\\" ? 2 : 1;
        this.#at = end + 1;
        return JSON.parse(this.#text.slice(start, end + 1));
    }
    #number() {
        const start = this.#at;
        while (/[-0-9]/.test(this.#text.charAt(this.#at)))
            this.#at += 1;
        const digits = this.#text.slice(start, this.#at);
        if (!/^-?\d+$/.test(digits))
            throw new SyntaxError(`no JSON at ${start}`);
        return whole(digits);
    }
}
