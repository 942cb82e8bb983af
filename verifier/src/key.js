/**
 * The key that verifies a note, in its text form `name+id+base64(type || public key)`.
 * @module
 */

import { concatBytes, equalBytes, fromHex, toHex } from './bytes.js';
import { keyId } from './digest.js';
import { PUBLIC_KEY_BYTES, isPublicKey } from './ed25519.js';
import { refuse } from './refusal.js';
import { fromBase64, isKeyName, toBase64, utf8 } from './text.js';

/** The longest text form of a key. */
export const VERIFIER_KEY_BYTES_MAX = 1024;
/** The type of a plain Ed25519 signature over the text. */
export const ED25519_TYPE = 1;
/** The type of an Ed25519 signature over the text and a time: a witness's. */
export const COSIGNATURE_TYPE = 4;

/** @typedef {{ name: string, id: Uint8Array, publicKey: Uint8Array }} VerifierKey */

/**
 * @param {string} text
 * @param {number} [due] the type that the key must have
 * @returns {VerifierKey}
 */
export function parseVerifierKey(text, due = ED25519_TYPE) {
  if (utf8(text).length > VERIFIER_KEY_BYTES_MAX) refuse('verifier_key', `more than ${VERIFIER_KEY_BYTES_MAX} bytes`);
  // A name has no `+`, base64 may.
  const [name = '', idText = '', ...rest] = text.split('+');
  const id = fromHex(idText);
  const typed = fromBase64(rest.join('+'));
  if (!isKeyName(name) || id === null || id.length !== 4 || typed === null) return refuse('verifier_key', 'not of the form name+id+key');
  const [type] = typed;
  const publicKey = typed.slice(1);
  if (type !== due || publicKey.length !== PUBLIC_KEY_BYTES) refuse('verifier_key', `no Ed25519 key of type ${due}: type ${type}`);
  if (!equalBytes(id, keyId(name, due, publicKey))) refuse('verifier_key', 'the id is another key or name');
  if (!isPublicKey(publicKey)) refuse('verifier_key', 'no signature could hold under this key');
  return { name, id, publicKey };
}

/**
 * The same key under another name: a store signs all its logs with one.
 * @param {{ publicKey: Uint8Array }} key
 * @param {string} name
 * @returns {VerifierKey}
 */
export function renamed({ publicKey }, name) {
  return { name, id: keyId(name, ED25519_TYPE, publicKey), publicKey };
}

/**
 * The text form of an Ed25519 key: there is one.
 * @param {VerifierKey} key
 */
export function keyText({ name, id, publicKey }) {
  return `${name}+${toHex(id)}+${toBase64(concatBytes(Uint8Array.of(ED25519_TYPE), publicKey))}`;
}
