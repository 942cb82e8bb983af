/**
 * The signature rule: A, R and S canonically encoded, neither A nor R of small order, the equation without the cofactor.
 *
 * Libraries differ in all of this, so only the arithmetic of the curve is theirs, and the rule is written out here. Signatures
 * are held one by one; a batch could let the cofactor in again.
 * @module
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from './bytes.js';

/** How many bytes a public key has. */
export const PUBLIC_KEY_BYTES = 32;
/** How many bytes a signature has. */
export const SIGNATURE_BYTES = 64;

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;

/** @typedef {InstanceType<typeof Point>} CurvePoint */

/**
 * @param {Uint8Array} publicKey
 * @returns {boolean} whether any signature could hold under this key
 */
export function isPublicKey(publicKey) {
  return point(publicKey) !== null;
}

/**
 * @param {Uint8Array} publicKey
 * @param {Uint8Array} message
 * @param {Uint8Array} signature
 * @returns {boolean}
 */
export function holds(publicKey, message, signature) {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const encodedR = signature.subarray(0, 32);
  const A = point(publicKey);
  const R = point(encodedR);
  const S = littleEndian(signature.subarray(32));
  if (A === null || R === null || S >= ORDER) return false;
  const k = littleEndian(sha512(concatBytes(encodedR, publicKey, message))) % ORDER;
  return Point.BASE.multiplyUnsafe(S).equals(R.add(A.multiplyUnsafe(k)));
}

/**
 * @param {Uint8Array} bytes
 * @returns {CurvePoint | null} null where they are no point, a point's other spelling, or a point of small order
 */
function point(bytes) {
  if (bytes.length !== 32) return null;
  let decoded;
  try {
    // false: not the laxer rule of ZIP 215. What is at or beyond the field, and a sign of zero, are refused.
    decoded = Point.fromBytes(bytes, false);
  } catch {
    return null;
  }
  return decoded.isSmallOrder() ? null : decoded;
}

/** @param {Uint8Array} bytes */
function littleEndian(bytes) {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(/** @type {number} */ (bytes[i]));
  return value;
}
