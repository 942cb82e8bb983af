/**
 * Bytes: comparing, joining, hexadecimal, 64-bit integers.
 * @module
 */

const HEX = /^(?:[0-9a-f]{2})*$/;

/** The greatest integer of 64 bits without a sign. */
export const U64_MAX = 0xffff_ffff_ffff_ffffn;

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 * @returns {number} below, at or above 0: bytewise order, the shorter first where it begins the longer
 */
export function compareBytes(a, b) {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    const difference = /** @type {number} */ (a[i]) - /** @type {number} */ (b[i]);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * Nothing secret is compared in a verifier, so time may tell.
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
export function equalBytes(a, b) {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/**
 * @param {...Uint8Array} pieces
 * @returns {Uint8Array}
 */
export function concatBytes(...pieces) {
  const out = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/**
 * @param {Uint8Array} bytes
 * @returns {string} lower-case hexadecimal
 */
export function toHex(bytes) {
  let out = '';
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0');
  return out;
}

/**
 * @param {string} text lower-case hexadecimal, nothing else
 * @returns {Uint8Array | null} null where it is none
 */
export function fromHex(text) {
  if (!HEX.test(text)) return null;
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i += 1) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/**
 * Eight bytes, the highest first: how a number or a length stands beside other bytes that are hashed.
 * @param {bigint} value 0 to 2^64-1
 * @returns {Uint8Array}
 */
export function u64Bytes(value) {
  if (value < 0n || value > U64_MAX) throw new RangeError('beyond 64 bits');
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value);
  return out;
}
