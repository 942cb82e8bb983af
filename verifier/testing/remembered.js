/**
 * What was said of a signature is said again: stands in for `src/ed25519.js` where {@link import('./remember.mjs')} puts it.
 * @module
 */

import * as rule from '../src/ed25519.js';

const MANY = 50_000;
/** @type {Map<string, boolean>} */
const keys = new Map();
/** @type {Map<string, boolean>} */
const signatures = new Map();

export const { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } = rule;

/** @param {Uint8Array} publicKey */
export function isPublicKey(publicKey) {
  return remembered(keys, written(publicKey), () => rule.isPublicKey(publicKey));
}

/**
 * Each is told apart by all of what it is made of, lengths included.
 * @param {Uint8Array} publicKey
 * @param {Uint8Array} message
 * @param {Uint8Array} signature
 */
export function holds(publicKey, message, signature) {
  const name = `${publicKey.length} ${signature.length} ${written(publicKey)}${written(signature)}${written(message)}`;
  return remembered(signatures, name, () => rule.holds(publicKey, message, signature));
}

/** @param {Uint8Array} bytes */
function written(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/**
 * @param {Map<string, boolean>} known
 * @param {string} name
 * @param {() => boolean} say
 */
function remembered(known, name, say) {
  let said = known.get(name);
  if (said === undefined) {
    if (known.size >= MANY) known.clear();
    said = say();
    known.set(name, said);
  }
  return said;
}
