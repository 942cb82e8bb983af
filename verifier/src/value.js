/**
 * Cedar values as they stand in parts.
 * @module
 */

import { MAJOR, Reader } from './cbor.js';
import { refuse } from './refusal.js';
import { utf8 } from './text.js';

/** How deep values may nest; the outermost record is not counted. */
export const NESTING_MAX = 40;

const LONG_MIN = -0x8000_0000_0000_0000n;
const LONG_MAX = 0x7fff_ffff_ffff_ffffn;
const ID_BYTES_MAX = 255;
/** Identifiers joined by `::`. */
const TYPE = /^[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z_][A-Za-z0-9_]*)*$/;
const FUNCTIONS = new Set(['decimal', 'datetime', 'duration', 'ip']);

/**
 * @typedef {{ entity: [type: string, id: string] }} Entity
 * @typedef {{ set: Value[] }} ValueSet
 * @typedef {{ ext: [name: string, argument: string] }} Extension
 * @typedef {boolean | bigint | string | Map<string, any> | Entity | ValueSet | Extension} Value a record's members are values
 *   again
 */

/**
 * Reads bytes that are one value and nothing else.
 * @param {Uint8Array} bytes
 * @returns {Value}
 */
export function decodeValue(bytes) {
  const reader = new Reader(bytes);
  const value = reader.peek() === MAJOR.MAP ? readRecord(reader, 0) : readValue(reader, 0);
  reader.end();
  return value;
}

/**
 * A map from names to values that is itself the outermost.
 * @param {Reader} reader
 * @param {number} [depth] how many records and sets stand around its members, the outermost not counted
 * @returns {Map<string, Value>}
 */
export function readRecord(reader, depth = 0) {
  /** @type {Map<string, Value>} */
  const members = new Map();
  reader.ascending(
    reader.map(),
    () => reader.text(),
    (name) => members.set(name, readValue(reader, depth)),
  );
  return members;
}

/**
 * @param {Reader} reader
 * @returns {Entity} from `[0, type, id]` in a value, `[type, id]` elsewhere: this is the latter
 */
export function readEntity(reader) {
  return readEntityOrNone(reader) ?? refuse('not_canonical', 'an array of nothing where an entity is due');
}

/**
 * @param {Reader} reader
 * @returns {Entity | null} null: an array of nothing
 */
export function readEntityOrNone(reader) {
  const length = reader.array();
  if (length === 0) return null;
  if (length !== 2) refuse('not_canonical', `an array of ${length} where an entity is due`);
  return { entity: [readType(reader), readId(reader)] };
}

/**
 * @param {Reader} reader
 * @param {number} depth how many records and sets stand around it
 * @returns {Value}
 */
function readValue(reader, depth) {
  switch (reader.peek()) {
    case MAJOR.UINT:
    case MAJOR.NEGATIVE:
      return readLong(reader);
    case MAJOR.TEXT:
      return reader.text();
    case MAJOR.MAP:
      return readRecord(reader, deeper(depth));
    case MAJOR.ARRAY:
      return readMarked(reader, depth);
    case MAJOR.SIMPLE:
      return reader.bool();
    default:
      return refuse('not_canonical', `no value, at byte ${reader.at}`);
  }
}

/** @param {Reader} reader */
function readLong(reader) {
  const value = reader.int();
  if (value < LONG_MIN || value > LONG_MAX) refuse('not_canonical', `${value} is beyond 64 bits with a sign`);
  return value;
}

/**
 * Entities, sets and extensions: arrays that begin with their mark.
 * @param {Reader} reader
 * @param {number} depth
 * @returns {Value}
 */
function readMarked(reader, depth) {
  const length = reader.array();
  if (length === 0) refuse('not_canonical', 'an array without a mark');
  const mark = reader.uint();
  if (mark === 0n && length === 3) return { entity: [readType(reader), readId(reader)] };
  if (mark === 1n && length === 2) return { set: readMembers(reader, deeper(depth)) };
  if (mark === 2n && length === 3) return { ext: [readFunction(reader), reader.text()] };
  return refuse('not_canonical', `an array of ${length} with the mark ${mark}`);
}

/**
 * @param {Reader} reader
 * @param {number} depth
 */
function readMembers(reader, depth) {
  /** @type {Value[]} */
  const members = [];
  reader.ascending(
    reader.array(),
    () => members.push(readValue(reader, depth)),
    () => {},
  );
  return members;
}

/** @param {Reader} reader */
function readId(reader) {
  const text = reader.text();
  if (text === '' || utf8(text).length > ID_BYTES_MAX) refuse('not_canonical', `an entity's type or id has 1 to ${ID_BYTES_MAX} bytes`);
  return text;
}

/** @param {Reader} reader */
function readType(reader) {
  const type = readId(reader);
  if (!TYPE.test(type)) refuse('not_canonical', `the type ${JSON.stringify(type)}`);
  return type;
}

/** @param {Reader} reader */
function readFunction(reader) {
  const name = reader.text();
  if (!FUNCTIONS.has(name)) refuse('not_canonical', `the function ${JSON.stringify(name)}`);
  return name;
}

/** @param {number} depth */
function deeper(depth) {
  if (depth >= NESTING_MAX) refuse('not_canonical', `values nest more than ${NESTING_MAX} deep`);
  return depth + 1;
}
