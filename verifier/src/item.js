/**
 * Any item of deterministic CBOR as a JavaScript value, for what has no reader of its own.
 * @module
 */

import { MAJOR, Reader } from './cbor.js';
import { refuse } from './refusal.js';

/** How deep arrays and maps may stand in each other. */
export const DEPTH_MAX = 64;

/** @typedef {bigint | boolean | string | Uint8Array | any[] | Map<any, any>} Item an array's members, a map's keys and values are items again */

/**
 * Reads bytes that are one item and nothing else.
 * @param {Uint8Array} bytes
 * @returns {Item}
 */
export function decodeItem(bytes) {
  const reader = new Reader(bytes);
  const item = readItem(reader);
  reader.end();
  return item;
}

/**
 * @param {Reader} reader
 * @param {number} [depth]
 * @returns {Item}
 */
export function readItem(reader, depth = 0) {
  switch (reader.peek()) {
    case MAJOR.UINT:
    case MAJOR.NEGATIVE:
      return reader.int();
    case MAJOR.BYTES:
      return reader.bytes();
    case MAJOR.TEXT:
      return reader.text();
    case MAJOR.ARRAY:
      return readArray(reader, deeper(depth));
    case MAJOR.MAP:
      return readMap(reader, deeper(depth));
    case MAJOR.SIMPLE:
      return reader.bool();
    default:
      return refuse('not_canonical', `a tag, at byte ${reader.at}`);
  }
}

/** @param {number} depth */
function deeper(depth) {
  if (depth >= DEPTH_MAX) refuse('not_canonical', `more than ${DEPTH_MAX} deep`);
  return depth + 1;
}

/**
 * @param {Reader} reader
 * @param {number} depth
 */
function readArray(reader, depth) {
  /** @type {Item[]} */
  const items = [];
  for (let left = reader.array(); left > 0; left -= 1) items.push(readItem(reader, depth));
  return items;
}

/**
 * Keys are distinct by their order, also where JavaScript would not tell them apart (byte strings, arrays).
 * @param {Reader} reader
 * @param {number} depth
 */
function readMap(reader, depth) {
  /** @type {Map<Item, Item>} */
  const pairs = new Map();
  reader.ascending(
    reader.map(),
    () => readItem(reader, depth),
    (key) => pairs.set(key, readItem(reader, depth)),
  );
  return pairs;
}

/**
 * Refuses bytes that are not one item of the one spelling, without making anything of it.
 * @param {Uint8Array} bytes
 * @param {number} depthMax how deep arrays and maps may stand in each other
 */
export function checkItem(bytes, depthMax) {
  const reader = new Reader(bytes);
  skipItem(reader, depthMax);
  reader.end();
}

/**
 * @param {Reader} reader
 * @param {number} left how many arrays and maps may yet open
 */
function skipItem(reader, left) {
  const major = reader.peek();
  if (major === MAJOR.BYTES) reader.view();
  else if (major === MAJOR.TEXT) reader.text();
  else if (major === MAJOR.UINT || major === MAJOR.NEGATIVE) reader.int();
  else if (major === MAJOR.SIMPLE) reader.bool();
  else if (major === MAJOR.TAG) refuse('not_canonical', `a tag, at byte ${reader.at}`);
  else if (left === 0) refuse('not_canonical', `too deep, at byte ${reader.at}`);
  else if (major === MAJOR.ARRAY) for (let count = reader.array(); count > 0; count -= 1) skipItem(reader, left - 1);
  else reader.ascending(reader.map(), () => skipItem(reader, left - 1), () => skipItem(reader, left - 1));
}
