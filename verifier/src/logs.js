/**
 * The logs of a bundle: which they are, who vouches for them, and whether a checkpoint that was kept says otherwise.
 * @module
 */

import { equalBytes, fromHex } from './bytes.js';
import { originOf, parseCheckpoint } from './checkpoint.js';
import { keyText, renamed } from './key.js';
import { parseNote } from './note.js';
import { refuse, within } from './refusal.js';
import { fromDecimal, isTenant, utf8 } from './text.js';
import { cosignersOf, keysOfLog, openSigned, signersOf } from './trust.js';

/** The tenant of a store's accounts. */
export const UNIVERSE = 'universe';
const ORIGIN = /^hos\/([0-9a-f]{32})\/([^/]+)\/([0-9]+)$/;

/**
 * @typedef {import('./bundle.js').Bundle} Bundle
 * @typedef {import('./place.js').Place} Place
 * @typedef {import('./policy.js').Policy} Policy
 * @typedef {import('./proved.js').BelievedLog} BelievedLog
 * @typedef {import('./roots.js').CosignedLog} CosignedLog
 * @typedef {import('./trust.js').Signed} Signed
 */

/**
 * Step 3: the logs, and who cosigned their checkpoints.
 * @param {Bundle} bundle
 * @param {Policy} policy
 * @param {Place} place
 */
export function believeLogs({ logs: [first, second], keys }, policy, place) {
  if (first === undefined) throw new Error('a bundle has a log');
  const { cosigners, ...signed } = place.at('logs 0', () => openSigned(policy, utf8(first.note)));
  const log = place.at('logs 0', () => {
    const named = originParts(signed.checkpoint.origin);
    if (named === null || named.tenant !== first.tenant) return refuse('log.origin', `${signed.checkpoint.origin} for ${first.tenant}`);
    return { ...named, ...signed.checkpoint, keys: signed.keys, cosigners };
  });
  /** @type {CosignedLog[]} */
  const logs = [log];
  if (second !== undefined) logs.push(place.at('logs 1', () => believeUniverse(second, log, policy)));
  place.at('keys', () => {
    const { size } = signed.checkpoint;
    const vkeys = signed.keys.map(keyText);
    const due = keys.some((key) => key.log === 0 && vkeys.includes(key.vkey) && key.from <= size && (key.to === 0n || key.to >= size));
    if (!due) refuse('key.range', `the signing key is not listed for ${size} entries`);
  });
  return { signed, logs };
}

/**
 * The universe's log is the same operator's: believed by its own origin, under any key that the trust file names for the first log,
 * for an idle log still stands under the key from before a change.
 * @param {{ tenant: string, note: string }} second
 * @param {BelievedLog} first
 * @param {Policy} policy
 * @returns {CosignedLog}
 */
function believeUniverse({ tenant, note: text }, first, policy) {
  if (tenant !== UNIVERSE || first.tenant === UNIVERSE) refuse('log.origin', 'the second log is the universe of another');
  const { store, epoch } = first;
  const origin = originOf({ store, tenant, epoch });
  if (text.split('\n')[0] !== origin) refuse('log.origin', `not ${origin}`);
  const note = within('checkpoint', () => parseNote(utf8(text)));
  const known = keysOfLog(policy, first.origin).map((key) => renamed(key, origin));
  const keys = within('checkpoint', () => signersOf(note, known));
  const checkpoint = within('checkpoint', () => parseCheckpoint(note.text));
  return { store, epoch, tenant, ...checkpoint, keys, cosigners: cosignersOf(policy, note) };
}

/**
 * Whether a checkpoint that the verifier kept vouches for the bundle's: one of the same size and root. One of another size says
 * nothing; one of the same size and another root shows two histories, unless it is of an earlier epoch, for what that was of may be lost.
 * It is of the same log, signed by a key that the trust file names for it: it may be from before a change of key. Witnesses it needs none,
 * for the reader is one.
 * @param {Policy} policy
 * @param {Signed} signed
 * @param {Uint8Array} kept
 */
export function vouches(policy, { checkpoint }, kept) {
  const said = within('checkpoint', () => {
    const note = parseNote(kept);
    const name = nameOf(note.text, checkpoint.origin);
    // A key is named once: those of the log's own name count under the names that it had before.
    const renames = name === checkpoint.origin ? [] : keysOfLog(policy, checkpoint.origin).map((key) => renamed(key, name));
    signersOf(note, [...keysOfLog(policy, name), ...renames]);
    const parsed = parseCheckpoint(note.text);
    if (parsed.origin !== name) refuse('origin', parsed.origin);
    return parsed;
  });
  if (said.size !== checkpoint.size) return false;
  const same = equalBytes(said.root, checkpoint.root);
  if (!same && said.origin === checkpoint.origin) refuse('trust.fork', 'a checkpoint that was kept has another root');
  return same;
}

/**
 * The name under which a note must be signed to be the log's: the log's own, or the one that it had in an earlier epoch, where the note
 * says so.
 * @param {string} text of the note
 * @param {string} origin of the log
 */
function nameOf(text, origin) {
  const [said = ''] = text.split('\n');
  const [then, now] = [originParts(said), originParts(origin)];
  if (then === null || now === null || then.tenant !== now.tenant || !equalBytes(then.store, now.store)) return origin;
  if (then.epoch > now.epoch) refuse('origin', said);
  return said;
}

/**
 * @param {string} origin
 * @returns {{ store: Uint8Array, tenant: string, epoch: bigint } | null}
 */
function originParts(origin) {
  const [, hex = '', tenant = '', epochText = ''] = ORIGIN.exec(origin) ?? [];
  const store = fromHex(hex);
  const epoch = fromDecimal(epochText);
  return store === null || epoch === null || !isTenant(tenant) ? null : { store, tenant, epoch };
}
