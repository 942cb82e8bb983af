/**
 * An item of a bundle that holds: its entry stands in the log that the checkpoint vouches for, and what is shown of its parts is
 * what its header commits to.
 * @module
 */

import { equalBytes } from './bytes.js';
import { leafHash, recordHash } from './digest.js';
import { decodeEntry } from './entry.js';
import { decodeHeader } from './header.js';
import { checkOpening } from './parts.js';
import { inclusionFault } from './proof.js';
import { Refusal, attempt, refuse, within } from './refusal.js';

/**
 * @typedef {import('./bundle.js').BundleItem} BundleItem
 * @typedef {{ store: Uint8Array, epoch: bigint, tenant: string, origin: string, size: bigint, root: Uint8Array,
 *   keys: import('./key.js').VerifierKey[] }} BelievedLog a log as a checkpoint that is believed says it is, and the keys that signed that
 * @typedef {{ log: number, entry: import('./entry.js').Entry, header: import('./header.js').Header, record: Uint8Array,
 *   opened: import('./bundle.js').Opened[], withheld: import('./bundle.js').Withheld[] }} Proved a record that holds
 */

/**
 * @param {BundleItem} item
 * @param {BelievedLog} log
 * @param {number} number of the log in the bundle
 * @returns {Proved}
 */
export function proveItem(item, log, number) {
  const entry = within('entry', () => decodeEntry(item.entry));
  // A store that went on from an older copy has earlier epochs in the same log.
  if (!equalBytes(entry.store, log.store) || entry.epoch > log.epoch || entry.tenant !== log.tenant) {
    refuse('foreign', 'the entry is of another log');
  }
  if (entry.disputed !== null) refuse('disputed', `the sealer disputes it: ${entry.disputed}`);
  const header = within('header', () => decodeHeader(entry.header));
  if (!equalBytes(header.store, entry.store) || header.tenant !== entry.tenant) {
    refuse('foreign', 'the header names another store or tenant');
  }
  const { size, root } = log;
  const fault = inclusionFault({ index: entry.seq, size, leaf: leafHash(item.entry), root, proof: item.proof });
  if (fault !== null) refuse(`inclusion.${fault}`, `entry ${entry.seq} of ${size}`);
  checkShown(header.parts, item);
  return { log: number, entry, header, record: recordHash(entry.header), opened: item.opened, withheld: item.withheld };
}

/**
 * Opened and withheld together name exactly the parts that the header lists, each once.
 * @param {import('./header.js').ListedPart[]} listed
 * @param {BundleItem} item
 */
function checkShown(listed, { opened, withheld }) {
  const wanted = new Map(listed.map((part) => [placeOf(part), part.commitment]));
  const shown = [...opened, ...withheld];
  const unlisted = shown.find((part) => !wanted.has(placeOf(part)));
  if (unlisted !== undefined) refuse('part.unlisted', `slot ${unlisted.slot}, index ${unlisted.index}`);
  const places = new Set(shown.map(placeOf));
  const missing = listed.find((part) => !places.has(placeOf(part)));
  if (missing !== undefined) refuse('part.missing', `slot ${missing.slot}, index ${missing.index}`);
  if (shown.length > places.size) refuse('part.twice', 'a part is both opened and withheld');
  for (const part of opened) {
    const held = attempt(() => checkOpening(part, /** @type {Uint8Array} */ (wanted.get(placeOf(part)))));
    if (held instanceof Refusal) refuse('part.mismatch', `slot ${part.slot}, index ${part.index}: ${held.detail}`);
  }
}

/** @param {{ slot: number, index: number }} part */
function placeOf({ slot, index }) {
  return slot * 256 + index;
}
