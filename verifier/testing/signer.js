/**
 * Signs notes as logs and witnesses do, under fixed seeds.
 * @module
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, toHex, u64Bytes } from '../src/bytes.js';
import { keyId } from '../src/digest.js';
import { COSIGNATURE_TYPE, ED25519_TYPE } from '../src/key.js';
import { toBase64, utf8 } from '../src/text.js';

/** @param {number} byte */
export function seedOf(byte) {
  return new Uint8Array(32).fill(byte);
}

/** Who signs under a name. */
export class Signer {
  /**
   * @param {string} name
   * @param {Uint8Array} seed
   * @param {number} [type]
   */
  constructor(name, seed, type = ED25519_TYPE) {
    this.name = name;
    this.seed = seed;
    this.type = type;
    this.publicKey = ed25519.getPublicKey(seed);
    this.id = keyId(name, type, this.publicKey);
  }

  /** The key in its text form. */
  get vkey() {
    return `${this.name}+${toHex(this.id)}+${toBase64(concatBytes(Uint8Array.of(this.type), this.publicKey))}`;
  }

  /**
   * A line of a note.
   * @param {string} text of the note
   * @param {bigint} [time] of a cosignature
   */
  line(text, time = 1_783_000_000n) {
    const witness = this.type === COSIGNATURE_TYPE;
    const message = utf8(witness ? `cosignature/v1\ntime ${time}\n${text}` : text);
    return this.lineOf(concatBytes(witness ? u64Bytes(time) : new Uint8Array(), ed25519.sign(message, this.seed)));
  }

  /** @param {Uint8Array} signature whatever it is */
  lineOf(signature) {
    return `— ${this.name} ${toBase64(concatBytes(this.id, signature))}\n`;
  }
}

/**
 * @param {string} origin
 * @param {bigint | number} size
 * @param {Uint8Array} root
 */
export function checkpointText(origin, size, root) {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/**
 * @param {string} text
 * @param {...Signer} signers
 */
export function noteOf(text, ...signers) {
  return `${text}\n${signers.map((signer) => signer.line(text)).join('')}`;
}

/**
 * Numbers that look like chance and are the same each time (xorshift).
 * @param {number} seed not 0
 */
export function dice(seed) {
  let state = seed >>> 0;
  return (/** @type {number} */ below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
