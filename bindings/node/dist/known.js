"use strict";
// Answers of `can` whose text was fetched already. A number of the addon's means one answer for as long as its engine is open,
// and is odd where the answer is yes. So a text is only ever given for the number by which it was fetched, and says the same.
Object.defineProperty(exports, "__esModule", { value: true });
exports.Known = void 0;
const answer_1 = require("./answer");
const errors_1 = require("./errors");
/** How many answers are kept: as many as the addon remembers. */
const KNOWN_MAX = 32;
/** The answers of one engine. */
class Known {
    #kept = [];
    /** The answer of this number, where its text was fetched and is still kept. */
    get(number) {
        const kept = this.#kept[placeOf(number)];
        return kept !== undefined && kept.number === number ? kept.told : undefined;
    }
    /** Keeps an answer's text. */
    keep(number, allowed, json) {
        const yes = number % 2 === 1;
        if (allowed !== yes)
            throw new errors_1.InternalError("internal", "hos.internal", "an answer's text and its number differ");
        const told = new answer_1.Told(yes, json);
        this.#kept[placeOf(number)] = { number, told };
        return told;
    }
}
exports.Known = Known;
function placeOf(number) {
    return Math.floor(number / 2) % KNOWN_MAX;
}
