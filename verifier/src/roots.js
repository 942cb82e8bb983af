/**
 * The universe's log as the log of all tenants' checkpoints: records that say a tenant's size and root, and who vouches by them.
 * @module
 */

import { equalBytes } from './bytes.js';
import { rootOf } from './contents.js';
import { UNIVERSE } from './logs.js';
import { Refusal, attempt, refuse } from './refusal.js';
import { vouching } from './trust.js';

/** The kind of a record of a tenant's root. */
export const CHECKPOINT_KIND = 22;
/** The stream's class, which its records' headers name. */
const STREAM = 'hos.checkpoints';
const CONTENT_SLOT = 9;

/**
 * @typedef {import('./place.js').Place} Place
 * @typedef {import('./policy.js').Policy} Policy
 * @typedef {import('./proved.js').BelievedLog} BelievedLog
 * @typedef {import('./proved.js').Proved} Proved
 * @typedef {BelievedLog & { cosigners: string[] }} CosignedLog
 */

/**
 * Whether a record is one of that stream: it need not follow another, for it says one thing whole, and the others are not this
 * reader's.
 * @param {Proved} record
 */
export function saysRoot({ header, entry }) {
  const inStream = header.n === null && entry.streamN !== null && header.event === STREAM;
  return header.kind === CHECKPOINT_KIND && header.tenant === UNIVERSE && inStream;
}

/**
 * Step 5, the last of it: whether enough witnesses vouch for the first log's checkpoint, on its own note, or on the universe's where
 * a record there says exactly this checkpoint.
 * @param {CosignedLog[]} logs
 * @param {{ at: number, record: Proved }[]} roots with their places among the cited
 * @param {Policy} policy
 * @param {Place} place
 * @returns {string[]} the witnesses that count
 */
export function checkWitnesses([first, universe], roots, policy, place) {
  if (first === undefined) throw new Error('a bundle has a log');
  const said = roots.map(({ at, record }) => place.at(`cited ${at}`, () => saysOf(record, first))).some(Boolean);
  const through = universe !== undefined && said ? universe.cosigners : [];
  return place.at('logs 0', () => vouching(policy, first.cosigners, through));
}

/**
 * Whether a record says a log's very checkpoint. Of the same size with another root it shows two histories.
 * @param {Proved} record
 * @param {BelievedLog} log
 */
function saysOf({ opened }, log) {
  const part = opened.find(({ slot }) => slot === CONTENT_SLOT);
  if (part === undefined) return refuse('roots.record', 'the content is not opened');
  const said = attempt(() => rootOf(part.plaintext));
  if (said instanceof Refusal) return refuse('roots.record', said.detail);
  if (said.tenant !== log.tenant || said.epoch !== log.epoch || said.size !== log.size) return false;
  if (!equalBytes(said.root, log.root)) refuse('roots.fork', `another root of ${log.origin} at ${log.size} entries`);
  return true;
}
