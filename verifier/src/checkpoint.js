/**
 * Checkpoints: a signed note that says which tree, how large, with which root.
 * @module
 */

import { toHex } from './bytes.js';
import { HASH_BYTES } from './digest.js';
import { checkSigned, parseNote } from './note.js';
import { refuse } from './refusal.js';
import { fromBase64, fromDecimal } from './text.js';

/** @typedef {{ origin: string, size: bigint, root: Uint8Array, extensions: string[] }} Checkpoint */

/**
 * The origin of a log, and the name of the key that signs for it.
 * @param {{ store: Uint8Array, tenant: string, epoch: bigint }} log
 */
export function originOf({ store, tenant, epoch }) {
  return `hos/${toHex(store)}/${tenant}/${epoch}`;
}

/**
 * A checkpoint of this origin that this key's holder vouches for; anything else is refused.
 * @param {Uint8Array} bytes the whole note
 * @param {import('./key.js').VerifierKey} key
 * @param {string} [origin]
 * @returns {Checkpoint}
 */
export function openCheckpoint(bytes, key, origin = key.name) {
  const note = parseNote(bytes);
  checkSigned(note, key);
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== origin) refuse('origin', `of ${JSON.stringify(checkpoint.origin)}`);
  return checkpoint;
}

/**
 * @param {string} text of a note, its last newline included
 * @returns {Checkpoint}
 */
export function parseCheckpoint(text) {
  const lines = text.split('\n');
  if (lines.pop() !== '') refuse('checkpoint', 'the last line is not ended');
  const [origin = '', sizeText = '', rootText = '', ...extensions] = lines;
  const size = fromDecimal(sizeText);
  const root = fromBase64(rootText);
  if (origin === '' || extensions.includes('')) refuse('checkpoint', 'an empty line');
  if (size === null) return refuse('checkpoint', `the size ${JSON.stringify(sizeText)}`);
  if (root === null || root.length !== HASH_BYTES) return refuse('checkpoint', `the root ${JSON.stringify(rootText)}`);
  return { origin, size, root, extensions };
}
