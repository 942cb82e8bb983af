/**
 * Parts against the header that commits to them.
 *
 * A verifier gets openings: salt and plaintext as they were committed to. How a store keeps them, sealed under whose key, is the
 * store's business: a commitment does not know keys.
 * @module
 */

import { equalBytes } from './bytes.js';
import { SALT_BYTES, commitment } from './digest.js';
import { comparePlaces } from './header.js';
import { Refusal, attempt, refuse } from './refusal.js';

/** The longest plaintext of a part. */
export const PLAINTEXT_BYTES_MAX = 4_194_304;

/**
 * @typedef {import('./header.js').ListedPart} ListedPart
 * @typedef {import('./refusal.js').Code} Code
 * @typedef {{ slot: number, index: number, salt: Uint8Array, plaintext: Uint8Array }} Opening
 * @typedef {{ slot: number, index: number, absent: 'erased' | 'withheld' }} Absence says why a part is not shown; the
 *   storekeeper's word, for key ids are not committed to
 * @typedef {Opening | Absence} Shown
 * @typedef {{ slot: number, index: number, code: Code }} PartFailure
 * @typedef {{ held: Opening[], erased: number, withheld: number, failures: PartFailure[] }} PartsReport
 */

/**
 * Refuses an opening that is not what the commitment says.
 * @param {{ salt: Uint8Array, plaintext: Uint8Array }} opening
 * @param {Uint8Array} committed
 */
export function checkOpening({ salt, plaintext }, committed) {
  if (salt.length !== SALT_BYTES) refuse('mismatch', `a salt of ${salt.length} bytes`);
  if (plaintext.length > PLAINTEXT_BYTES_MAX) refuse('too_large', `a plaintext of ${plaintext.length} bytes`);
  if (!equalBytes(commitment(salt, plaintext), committed)) refuse('mismatch', 'the part is not what the header commits to');
}

/**
 * Holds what was shown of a record against the list in its header.
 * @param {ListedPart[]} listed ascending, as a decoded header has them
 * @param {Shown[] | null} shown null: the parts of this record are withheld altogether
 * @returns {PartsReport} failures ascending by slot and index
 */
export function checkParts(listed, shown) {
  /** @type {PartsReport} */
  const report = { held: [], erased: 0, withheld: 0, failures: [] };
  if (shown === null) {
    report.withheld = listed.length;
    return report;
  }
  const fail = (/** @type {{ slot: number, index: number }} */ { slot, index }, /** @type {Code} */ code) =>
    report.failures.push({ slot, index, code });
  const wanted = new Map(listed.map((part) => [placeOf(part), part]));
  for (const part of [...shown].sort(comparePlaces)) {
    const place = placeOf(part);
    const promised = wanted.get(place);
    // Taken once: a second part at one place is one that the header does not list.
    wanted.delete(place);
    if (promised === undefined) fail(part, 'unlisted');
    else if ('absent' in part) report[part.absent] += 1;
    else {
      const refusal = attempt(() => checkOpening(part, promised.commitment));
      if (refusal instanceof Refusal) fail(part, refusal.code);
      else report.held.push(part);
    }
  }
  for (const part of wanted.values()) fail(part, 'missing');
  report.failures.sort(comparePlaces);
  return report;
}

/** @param {{ slot: number, index: number }} part */
function placeOf({ slot, index }) {
  return `${slot}.${index}`;
}
