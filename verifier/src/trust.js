/**
 * When a checkpoint is believed: a log key of the trust file signed it, and enough of its witnesses did.
 * @module
 */

import { concatBytes, equalBytes } from './bytes.js';
import { parseCheckpoint } from './checkpoint.js';
import { SIGNATURE_BYTES, holds } from './ed25519.js';
import { checkSigned, parseNote } from './note.js';
import { quorumMet } from './policy.js';
import { Refusal, attempt, refuse, within } from './refusal.js';
import { fromUtf8, utf8 } from './text.js';

const TIME_BYTES = 8;

/**
 * @typedef {import('./checkpoint.js').Checkpoint} Checkpoint
 * @typedef {import('./key.js').VerifierKey} VerifierKey
 * @typedef {import('./note.js').Note} Note
 * @typedef {import('./policy.js').Policy} Policy
 * @typedef {{ checkpoint: Checkpoint, key: VerifierKey, keys: VerifierKey[] }} Signed the log keys that signed, `key` the first of them
 * @typedef {Signed & { cosigners: string[] }} Cosigned and the witnesses that did, by their names in octets
 * @typedef {Signed & { witnesses: string[] }} Belief and the names of the witnesses that vouch, as the trust file lists them
 */

/**
 * @param {Policy} policy
 * @param {Uint8Array} bytes the whole note
 * @returns {Belief}
 */
export function believe(policy, bytes) {
  const { cosigners, ...signed } = openSigned(policy, bytes);
  return { ...signed, witnesses: vouching(policy, cosigners) };
}

/**
 * A checkpoint that a key of the trust file signed, and who cosigned it; whether they are enough is another question.
 * @param {Policy} policy
 * @param {Uint8Array} bytes the whole note
 * @returns {Cosigned}
 */
export function openSigned(policy, bytes) {
  const note = within('checkpoint', () => parseNote(bytes));
  const [origin = ''] = note.text.split('\n');
  const known = keysOfLog(policy, origin);
  if (known.length === 0) refuse('trust.unknown_log', origin);
  const keys = within('checkpoint', () => signersOf(note, known));
  const checkpoint = within('checkpoint', () => parseCheckpoint(note.text));
  return { checkpoint, key: keys[0], keys, cosigners: cosignersOf(policy, note) };
}

/**
 * Refuses unless enough witnesses vouch, in one place or another.
 * @param {Policy} policy
 * @param {...string[]} cosigners by their names in octets
 * @returns {string[]} their names, in the order of the trust file
 */
export function vouching(policy, ...cosigners) {
  const all = new Set(cosigners.flat());
  if (!quorumMet(policy, all)) refuse('trust.quorum', `witnesses that vouch: ${all.size}`);
  return policy.witnesses.filter(({ name }) => all.has(name)).map(({ name }) => fromUtf8(octets(name)) ?? name);
}

/**
 * The keys that the trust file names for a log: it may have had several.
 * @param {Policy} policy
 * @param {string} origin the name of its keys
 */
export function keysOfLog({ logs }, origin) {
  return logs.filter(({ name }) => name === origin);
}

/**
 * Those of a log's keys that signed a note. One that has not signed is no fault, one that has signed falsely is.
 * @param {Note} note
 * @param {VerifierKey[]} known one at least
 * @returns {[VerifierKey, ...VerifierKey[]]}
 */
export function signersOf(note, known) {
  const outcomes = known.map((key) => attempt(() => checkSigned(note, key)));
  const refusals = outcomes.filter((outcome) => outcome instanceof Refusal);
  const worst = refusals.find(({ code }) => code !== 'unsigned') ?? (refusals.length === known.length ? refusals[0] : undefined);
  if (worst !== undefined) throw worst;
  return /** @type {[VerifierKey]} */ (known.filter((_, i) => !(outcomes[i] instanceof Refusal)));
}

/**
 * The witnesses whose cosignature holds; one that does not makes the note false.
 * @param {Policy} policy
 * @param {Note} note
 * @returns {string[]} their names in the trust file, in its order
 */
export function cosignersOf({ witnesses }, { text, signatures }) {
  return witnesses.flatMap(({ name, key }) => {
    const own = signatures.filter((line) => line.name === key.name && equalBytes(line.id, key.id));
    if (!own.every(({ signature }) => cosignatureHolds(key, text, signature))) {
      refuse('checkpoint.signature', `a cosignature of ${key.name} does not hold`);
    }
    return own.length > 0 ? [name] : [];
  });
}

/**
 * A cosignature/v1: a time, and a signature over it and the text.
 * @param {VerifierKey} key
 * @param {string} text of the note
 * @param {Uint8Array} cosignature
 */
function cosignatureHolds(key, text, cosignature) {
  if (cosignature.length !== TIME_BYTES + SIGNATURE_BYTES) return false;
  const time = new DataView(cosignature.buffer, cosignature.byteOffset).getBigUint64(0);
  if (time >= 2n ** 63n) return false;
  const message = concatBytes(utf8(`cosignature/v1\ntime ${time}\n`), utf8(text));
  return holds(key.publicKey, message, cosignature.subarray(TIME_BYTES));
}

/** @param {string} name octets as characters */
function octets(name) {
  return Uint8Array.from(name, (octet) => octet.charCodeAt(0));
}
