/**
 * Deterministic CBOR (RFC 8949, 4.2), read item by item. There is one spelling of everything, and nothing else is read: no tags,
 * floats, null, undefined or other simple values, no indefinite lengths, no integer or length that could be shorter.
 *
 * The reader never looks back and never allocates by a length it was told: a length is held against the bytes that are left.
 * @module
 */

import { compareBytes } from './bytes.js';
import { refuse } from './refusal.js';
import { fromUtf8 } from './text.js';

/** Major types. */
export const MAJOR = Object.freeze({ UINT: 0, NEGATIVE: 1, BYTES: 2, TEXT: 3, ARRAY: 4, MAP: 5, TAG: 6, SIMPLE: 7 });

const FALSE = 0xf4;
const TRUE = 0xf5;
const TYPES = ['an unsigned integer', 'a negative integer', 'bytes', 'text', 'an array', 'a map', 'a tag', 'a simple value'];

/** Reads one item after the other. Every refusal is `not_canonical`. */
export class Reader {
  #bytes;
  #view;
  #at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes are before the next item. */
  get at() {
    return this.#at;
  }

  /** How many bytes are left. */
  get left() {
    return this.#bytes.length - this.#at;
  }

  /**
   * The bytes read since a place, not copied.
   * @param {number} start
   */
  since(start) {
    return this.#bytes.subarray(start, this.#at);
  }

  /** The major type of the next item; nothing is consumed. */
  peek() {
    if (this.left < 1) this.#refuse('the bytes end where an item should begin');
    return this.#view.getUint8(this.#at) >> 5;
  }

  /** @returns {bigint} 0 to 2^64-1 */
  uint() {
    return BigInt(this.#head(MAJOR.UINT));
  }

  /** @returns {bigint} -2^64 to 2^64-1: all that CBOR's two integer types hold */
  int() {
    return this.peek() === MAJOR.NEGATIVE ? -1n - BigInt(this.#head(MAJOR.NEGATIVE)) : this.uint();
  }

  /** @returns {boolean} */
  bool() {
    this.#expect(MAJOR.SIMPLE);
    const byte = this.#view.getUint8(this.#at);
    if (byte !== FALSE && byte !== TRUE) this.#refuse('a float or simple value other than true and false');
    this.#at += 1;
    return byte === TRUE;
  }

  /** @returns {Uint8Array} a copy */
  bytes() {
    return this.view().slice();
  }

  /** @returns {Uint8Array} not copied */
  view() {
    return this.#take(this.#head(MAJOR.BYTES));
  }

  /**
   * @param {number} length
   * @returns {Uint8Array}
   */
  bytesOf(length) {
    return this.viewOf(length).slice();
  }

  /**
   * @param {number} length
   * @returns {Uint8Array} not copied
   */
  viewOf(length) {
    const bytes = this.view();
    if (bytes.length !== length) this.#refuse(`${bytes.length} bytes where ${length} are due`);
    return bytes;
  }

  /** @returns {string} */
  text() {
    return fromUtf8(this.#take(this.#head(MAJOR.TEXT))) ?? this.#refuse('text that is not UTF-8');
  }

  /** @returns {number} how many items follow; each has a byte at least */
  array() {
    return this.#count(this.#head(MAJOR.ARRAY), 1);
  }

  /** @param {number} count how many items there must be */
  arrayOf(count) {
    const found = this.array();
    if (found !== count) this.#refuse(`an array of ${found} where ${count} are due`);
  }

  /** @returns {number} how many pairs follow; each has two bytes at least */
  map() {
    return this.#count(this.#head(MAJOR.MAP), 2);
  }

  /**
   * Items in the strictly ascending bytewise order of their encodings.
   * @template T
   * @param {number} count
   * @param {() => T} key reads what is compared
   * @param {(key: T) => void} rest reads what stands behind it
   */
  ascending(count, key, rest) {
    let previous = null;
    for (let i = 0; i < count; i += 1) {
      const start = this.#at;
      const read = key();
      const encoding = this.since(start);
      if (previous !== null && compareBytes(previous, encoding) >= 0) this.#refuse('out of order, or twice');
      previous = encoding;
      rest(read);
    }
  }

  /** Refuses bytes that are left over. */
  end() {
    if (this.left > 0) this.#refuse(`${this.left} bytes left over`);
  }

  /** @param {number} major */
  #expect(major) {
    const found = this.peek();
    if (found !== major) this.#refuse(`${TYPES[found]} where ${TYPES[major]} is due`);
  }

  /**
   * The argument of an item's head: a number where it surely is exact, else a bigint.
   * @param {number} major
   * @returns {number | bigint}
   */
  #head(major) {
    this.#expect(major);
    const info = this.#view.getUint8(this.#at) & 31;
    if (info < 24) {
      this.#at += 1;
      return info;
    }
    if (info > 27) this.#refuse(info === 31 ? 'an indefinite length' : 'a reserved length');
    const width = 1 << (info - 24);
    if (this.left < 1 + width) this.#refuse('the bytes end within a head');
    const from = this.#at + 1;
    const [value, least] = this.#argument(from, width);
    if (value < least) this.#refuse('an integer or length that could be shorter');
    this.#at = from + width;
    return value;
  }

  /**
   * @param {number} from
   * @param {number} width
   * @returns {[number | bigint, number | bigint]} the argument, and the least one that needs this width
   */
  #argument(from, width) {
    switch (width) {
      case 1:
        return [this.#view.getUint8(from), 24];
      case 2:
        return [this.#view.getUint16(from), 0x100];
      case 4:
        return [this.#view.getUint32(from), 0x1_0000];
      default:
        return [this.#view.getBigUint64(from), 0x1_0000_0000n];
    }
  }

  /** @param {number | bigint} length */
  #take(length) {
    if (length > this.left) this.#refuse(`${length} bytes are claimed, ${this.left} are left`);
    const start = this.#at;
    this.#at += Number(length);
    return this.since(start);
  }

  /**
   * @param {number | bigint} count
   * @param {number} least bytes of each
   */
  #count(count, least) {
    if (BigInt(count) * BigInt(least) > BigInt(this.left)) this.#refuse(`${count} items are claimed, ${this.left} bytes are left`);
    return Number(count);
  }

  /**
   * @param {string} what
   * @returns {never}
   */
  #refuse(what) {
    return refuse('not_canonical', `${what}, at byte ${this.#at}`);
  }
}
