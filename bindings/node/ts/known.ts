// Answers of `can` whose text was fetched already. A number of the addon's means one answer for as long as its engine is open,
// and is odd where the answer is yes. So a text is only ever given for the number by which it was fetched, and says the same.

import { Told } from "./answer";
import { InternalError } from "./errors";

/** How many answers are kept: as many as the addon remembers. */
const KNOWN_MAX = 32;

/** The answers of one engine. */
export class Known {
  #kept: { readonly number: number; readonly told: Told }[] = [];

  /** The answer of this number, where its text was fetched and is still kept. */
  get(number: number): Told | undefined {
    const kept = this.#kept[placeOf(number)];
    return kept !== undefined && kept.number === number ? kept.told : undefined;
  }

  /** Keeps an answer's text. */
  keep(number: number, allowed: boolean, json: string): Told {
    const yes = number % 2 === 1;
    if (allowed !== yes) throw new InternalError("internal", "hos.internal", "an answer's text and its number differ");
    const told = new Told(yes, json);
    this.#kept[placeOf(number)] = { number, told };
    return told;
  }
}

function placeOf(number: number): number {
  return Math.floor(number / 2) % KNOWN_MAX;
}
