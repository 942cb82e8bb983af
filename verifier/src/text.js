/**
 * Text as bytes, and the alphabets a text may be held to.
 * @module
 */

const ENCODER = new TextEncoder();
// A byte-order mark is a character like any other: stripping it would give one text two spellings.
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const TENANT = /^[a-z0-9-]{1,63}$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/;
const REQUEST = /^[A-Za-z0-9._:-]{1,64}$/;
const NOT_IN_KEY_NAME = /[\p{White_Space}\p{Cc}+]/u;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/**
 * @param {string} text without lone surrogates
 * @returns {Uint8Array}
 */
export function utf8(text) {
  return ENCODER.encode(text);
}

/**
 * @param {Uint8Array} bytes
 * @returns {string | null} null where they are not valid UTF-8
 */
export function fromUtf8(bytes) {
  try {
    return DECODER.decode(bytes);
  } catch {
    return null;
  }
}

/**
 * Standard alphabet, padded, the bits beyond the last byte zero: one spelling for any bytes.
 * @param {string} text
 * @returns {Uint8Array | null} null where it is not that spelling
 */
export function fromBase64(text) {
  if (!BASE64.test(text)) return null;
  const bare = text.replace(/=+$/, '');
  const out = new Uint8Array(Math.floor((bare.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const character of bare) {
    held = (held << 6) | DIGITS.indexOf(character);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at] = held >> bits;
      at += 1;
      held &= (1 << bits) - 1;
    }
  }
  return held === 0 ? out : null;
}

/**
 * @param {Uint8Array} bytes
 * @returns {string} standard alphabet, padded
 */
export function toBase64(bytes) {
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const held = (a << 16) | (b << 8) | c;
    const digits = [18, 12, 6, 0].map((shift) => DIGITS.charAt((held >> shift) & 63)).join('');
    out += digits.slice(0, Math.min(4, bytes.length - i + 1)).padEnd(4, '=');
  }
  return out;
}

/** @param {string} text 1 to 63 of `a-z 0-9 -` */
export function isTenant(text) {
  return TENANT.test(text);
}

/** @param {string} text 1 to 128 bytes: an ASCII letter or `_`, then letters, digits, `_` or `-` */
export function isName(text) {
  return NAME.test(text);
}

/** @param {string} text names joined by dots, 1 to 128 bytes in all */
export function isDottedName(text) {
  return text.length <= 128 && text.split('.').every(isName);
}

/** @param {string} text 1 to 64 of `A-Z a-z 0-9 . _ : -` */
export function isRequestId(text) {
  return REQUEST.test(text);
}

/** @param {string} text the name of a key in a note: not empty, no white space, control character or `+` */
export function isKeyName(text) {
  return text !== '' && !NOT_IN_KEY_NAME.test(text);
}

/**
 * Decimal without leading zeros, within 64 bits.
 * @param {string} text
 * @returns {bigint | null}
 */
export function fromDecimal(text) {
  if (!/^(?:0|[1-9][0-9]{0,19})$/.test(text)) return null;
  const value = BigInt(text);
  return value <= 0xffff_ffff_ffff_ffffn ? value : null;
}
