/**
 * A map with integer keys, asked field by field in ascending order: how headers, entries and receipts are read.
 *
 * The order of the questions is the order of the checks: a field is judged before the one behind it is looked at.
 * @module
 */

import { Reader } from './cbor.js';
import { refuse } from './refusal.js';

/** The fields of one map. */
export class Fields {
  #left;
  /** @type {bigint | null} the key that was read and is not yet answered for */
  #waiting = null;
  #last = -1n;

  /** @param {Uint8Array} bytes the map and nothing else */
  constructor(bytes) {
    this.reader = new Reader(bytes);
    this.#left = this.reader.map();
  }

  /**
   * Whether the field is there; if so, the reader stands before its value.
   * @param {number} key above all that were asked before
   */
  has(key) {
    const next = this.#next();
    if (next === null || next > BigInt(key)) return false;
    if (next < BigInt(key)) refuse('unknown_field', `field ${next}`);
    this.#waiting = null;
    return true;
  }

  /**
   * Refuses where the field is not there.
   * @param {number} key
   * @returns {Reader} before the value
   */
  need(key) {
    if (!this.has(key)) refuse('missing_field', `field ${key}`);
    return this.reader;
  }

  /**
   * @template T
   * @param {number} key
   * @param {(reader: Reader) => T} read
   * @returns {T | null} null where the field is not there
   */
  optional(key, read) {
    return this.has(key) ? read(this.reader) : null;
  }

  /** Version and suite, fields 1 and 2 of everything: both 1. */
  versionAndSuite() {
    const version = this.need(1).uint();
    if (version !== 1n) refuse('version', `version ${version}`);
    const suite = this.need(2).uint();
    if (suite !== 1n) refuse('suite', `suite ${suite}`);
  }

  /** Refuses fields that nobody asked for, and bytes left over. */
  end() {
    const next = this.#next();
    if (next !== null) refuse('unknown_field', `field ${next}`);
    this.reader.end();
  }

  #next() {
    if (this.#waiting === null && this.#left > 0) {
      const key = this.reader.uint();
      if (key <= this.#last) refuse('not_canonical', `field ${key} behind field ${this.#last}`);
      this.#left -= 1;
      this.#last = key;
      this.#waiting = key;
    }
    return this.#waiting;
  }
}

/**
 * An integer without a sign that its field's bits hold.
 * @param {Reader} reader
 * @param {8 | 16 | 32} bits
 * @returns {number}
 */
export function uintOf(reader, bits) {
  const value = reader.uint();
  if (value >> BigInt(bits) !== 0n) refuse('not_canonical', `${value} in a field of ${bits} bits`);
  return Number(value);
}

/**
 * A number of a list that is known: at most `max`. Of a field of fewer bits than 64, what the bits do not hold is no number of
 * the list that is unknown, it is no integer of the field.
 * @param {Reader} reader
 * @param {number} max
 * @param {string} what
 * @param {{ min?: number, bits?: 8 | 16 }} [bounds]
 * @returns {number}
 */
export function numberUpTo(reader, max, what, { min = 0, bits } = {}) {
  const value = bits === undefined ? reader.uint() : BigInt(uintOf(reader, bits));
  if (value > BigInt(max) || value < BigInt(min)) refuse('unknown_number', `${what} ${value}`);
  return Number(value);
}

/** The last instant that can be claimed, in milliseconds. */
const TIME_MAX = 9_214_646_399_999n;

/**
 * A claimed instant in milliseconds since 1970.
 * @param {Reader} reader
 * @returns {number}
 */
export function timeOf(reader) {
  const time = reader.uint();
  if (time > TIME_MAX) refuse('time', `${time} ms`);
  return Number(time);
}

/**
 * A text of an alphabet.
 * @param {Reader} reader
 * @param {(text: string) => boolean} alphabet
 * @param {string} what
 */
export function textOf(reader, alphabet, what) {
  const text = reader.text();
  if (!alphabet(text)) refuse('malformed', `${what} ${JSON.stringify(text)}`);
  return text;
}
