/**
 * What parts hold, by slot, and for slot 9 by the header's kind.
 * @module
 */

import { compareBytes } from './bytes.js';
import { MAJOR, Reader } from './cbor.js';
import { HASH_BYTES } from './digest.js';
import { PUBLIC_KEY_BYTES, isPublicKey } from './ed25519.js';
import { refuse } from './refusal.js';
import { isTenant, utf8 } from './text.js';
import { readEntity, readEntityOrNone, readRecord } from './value.js';

/**
 * @typedef {import('./value.js').Entity} Entity
 * @typedef {Map<string, import('./value.js').Value>} Values
 * @typedef {{ entity: Entity, attributes: Values, encoding: Uint8Array, parents: Entity[], record: Uint8Array | null }} SliceEntity
 *   `encoding`: of the attributes; `record`: of the directory, that made it
 * @typedef {{ id: string, template: string, principal: Entity | null, resource: Entity | null }} Grant
 * @typedef {Grant & { record: Uint8Array | null }} SliceLink
 * @typedef {{ op: 'put', entity: Entity, attributes: Values, encoding: Uint8Array }
 *   | { op: 'remove', entity: Entity }
 *   | { op: 'join' | 'leave', entity: Entity, parent: Entity }
 *   | { op: 'grant' } & Grant
 *   | { op: 'revoke', id: string }} Change
 * @typedef {{ tenant: string, size: bigint }[]} Sizes
 * @typedef {{ op: 'first', key: Uint8Array } | { op: 'rotated', key: Uint8Array, sizes: Sizes }
 *   | { op: 'confirmed', key: Uint8Array, note: string } | { op: 'revoked', key: Uint8Array, sizes: Sizes, reason: string }} KeyChange
 */

/**
 * Slot 1: who asked.
 * @param {Uint8Array} plaintext
 */
export function principalOf(plaintext) {
  return whole(plaintext, readEntity);
}

/**
 * Slots 3, 4 and 5: values by name.
 * @param {Uint8Array} plaintext
 */
export function valuesOf(plaintext) {
  return whole(plaintext, (reader) => readRecord(reader));
}

const ROW_TEXTS = new Set(['from', 'to', 'event', 'actor', 'detail', 'key']);

/**
 * Slot 8 of what an older log tells: its row.
 * @param {Uint8Array} plaintext
 * @returns {Values}
 */
export function legacyRowOf(plaintext) {
  const row = valuesOf(plaintext);
  const at = row.get('at');
  if (typeof at !== 'object' || !('ext' in at) || at.ext[0] !== 'datetime' || !isInstant(at.ext[1])) refuse('not_canonical', 'a row of a log without its time');
  if (!row.has('to')) refuse('not_canonical', 'a row of a log without its state');
  for (const [name, value] of row) {
    if (name === 'at') continue;
    if (!ROW_TEXTS.has(name) || typeof value !== 'string') refuse('not_canonical', 'a row of a log that says what no row says');
  }
  return row;
}

/** Years in which an instant may lie that a record claims. */
const YEARS = { first: 1970, last: 2261 };

/**
 * Whether this is an instant in its one spelling. Told by its digits, for nothing here knows a clock.
 * @param {string} text
 */
function isInstant(text) {
  const digits = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.\d{3}Z$/.exec(text);
  if (digits === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = digits.slice(1).map(Number);
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return year >= YEARS.first && year <= YEARS.last && day >= 1 && day <= days && hour <= 23 && minute <= 59 && second <= 59;
}

/**
 * Slots 6 and 12.
 * @param {Uint8Array} plaintext
 */
export function textOfPart(plaintext) {
  return whole(plaintext, (reader) => reader.text());
}

/**
 * Slot 2: the closed entities and links that were judged.
 * @param {Uint8Array} plaintext
 * @returns {{ entities: SliceEntity[], links: SliceLink[] }}
 */
export function sliceOf(plaintext) {
  return whole(plaintext, (reader) => {
    reader.arrayOf(2);
    const entities = list(reader, () => {
      reader.arrayOf(4);
      return { entity: readEntity(reader), ...readAttributes(reader), parents: readParents(reader), record: readHashOrEmpty(reader) };
    });
    const links = list(reader, () => {
      reader.arrayOf(5);
      return { ...readGrant(reader), record: readHashOrEmpty(reader) };
    });
    if (entities.length === 0 && links.length === 0) refuse('not_canonical', 'a slice of nobody');
    return { entities, links };
  });
}

/**
 * Slot 9 of a record of the directory: one change.
 * @param {Uint8Array} plaintext
 * @returns {Change}
 */
export function changeOf(plaintext) {
  return whole(plaintext, (reader) => {
    const length = reader.array();
    const mark = length === 0 ? -1 : Number(reader.uint());
    if (mark === 0 && length === 3) return { op: 'put', entity: readEntity(reader), ...readAttributes(reader) };
    if (mark === 1 && length === 2) return { op: 'remove', entity: readEntity(reader) };
    if (mark === 2 && length === 3) return { op: 'join', entity: readEntity(reader), parent: readEntity(reader) };
    if (mark === 3 && length === 3) return { op: 'leave', entity: readEntity(reader), parent: readEntity(reader) };
    if (mark === 4 && length === 5) return { op: 'grant', ...readGrant(reader) };
    if (mark === 5 && length === 2) return { op: 'revoke', id: reader.text() };
    return refuse('not_canonical', `no change of a directory: ${length} items, the first ${mark}`);
  });
}

/**
 * Slot 9 of an activation.
 * @param {Uint8Array} plaintext
 * @returns {{ law: Uint8Array, candidate: Uint8Array | null, modes: Uint8Array }}
 */
export function activationOf(plaintext) {
  return whole(plaintext, (reader) => {
    reader.arrayOf(3);
    return { law: reader.bytesOf(HASH_BYTES), candidate: readHashOrEmpty(reader), modes: reader.bytes() };
  });
}

/**
 * Slot 9 of a record of keys: which key signs which sizes.
 * @param {Uint8Array} plaintext
 * @returns {KeyChange}
 */
export function keyChangeOf(plaintext) {
  return whole(plaintext, (reader) => {
    const length = reader.array();
    if (length !== 3 && length !== 4) refuse('not_canonical', `no record of keys: ${length} items`);
    const suite = reader.uint();
    if (suite !== 1n) refuse('suite', `${suite}`);
    const key = reader.bytesOf(PUBLIC_KEY_BYTES);
    if (!isPublicKey(key)) refuse('not_canonical', 'a key under which no signature could hold');
    if (length === 4) return { op: 'revoked', key, sizes: readSizes(reader), reason: reader.text() };
    if (reader.peek() === MAJOR.ARRAY) return { op: 'rotated', key, sizes: readSizes(reader) };
    if (reader.peek() === MAJOR.TEXT) return { op: 'confirmed', key, note: reader.text() };
    if (reader.uint() !== 0n) refuse('not_canonical', 'a first key is of all sizes');
    return { op: 'first', key };
  });
}

/**
 * Slot 9 of a record of heads.
 * @param {Uint8Array} plaintext
 * @returns {{ size: bigint, count: bigint, root: Uint8Array }}
 */
export function headsOf(plaintext) {
  return whole(plaintext, (reader) => {
    reader.arrayOf(3);
    return { size: reader.uint(), count: reader.uint(), root: reader.bytesOf(HASH_BYTES) };
  });
}

/**
 * Slot 9 of a record of a tenant's root: what that tenant's log was at a size.
 * @param {Uint8Array} plaintext
 * @returns {{ tenant: string, epoch: bigint, size: bigint, root: Uint8Array }}
 */
export function rootOf(plaintext) {
  return whole(plaintext, (reader) => {
    reader.arrayOf(4);
    const tenant = reader.text();
    if (!isTenant(tenant)) refuse('malformed', 'no name of a tenant');
    return { tenant, epoch: reader.uint(), size: reader.uint(), root: reader.bytesOf(HASH_BYTES) };
  });
}

/**
 * @template T
 * @param {Uint8Array} plaintext
 * @param {(reader: Reader) => T} read
 * @returns {T}
 */
function whole(plaintext, read) {
  const reader = new Reader(plaintext);
  const content = read(reader);
  reader.end();
  return content;
}

/**
 * @template T
 * @param {Reader} reader
 * @param {() => T} read
 * @returns {T[]}
 */
function list(reader, read) {
  /** @type {T[]} */
  const items = [];
  for (let left = reader.array(); left > 0; left -= 1) items.push(read());
  return items;
}

/**
 * Parents ascend by type, then id, none twice.
 * @param {Reader} reader
 */
function readParents(reader) {
  const parents = list(reader, () => readEntity(reader));
  parents.forEach((parent, i) => {
    const before = parents[i - 1];
    if (before !== undefined && compareEntities(before, parent) >= 0) refuse('order', `parent ${i}`);
  });
  return parents;
}

/** @param {Entity} a @param {Entity} b */
function compareEntities({ entity: [type, id] }, { entity: [otherType, otherId] }) {
  return compareBytes(utf8(type), utf8(otherType)) || compareBytes(utf8(id), utf8(otherId));
}

/** @param {Reader} reader */
function readSizes(reader) {
  return list(reader, () => {
    reader.arrayOf(2);
    return { tenant: reader.text(), size: reader.uint() };
  });
}

/** @param {Reader} reader */
function readAttributes(reader) {
  const start = reader.at;
  const attributes = readRecord(reader);
  return { attributes, encoding: reader.since(start) };
}

/**
 * @param {Reader} reader
 * @returns {Grant}
 */
function readGrant(reader) {
  return { id: reader.text(), template: reader.text(), principal: readEntityOrNone(reader), resource: readEntityOrNone(reader) };
}

/**
 * @param {Reader} reader
 * @returns {Uint8Array | null} null: no bytes
 */
function readHashOrEmpty(reader) {
  if (reader.peek() !== MAJOR.BYTES) refuse('not_canonical', `no bytes, at byte ${reader.at}`);
  const bytes = reader.bytes();
  if (bytes.length !== 0 && bytes.length !== HASH_BYTES) refuse('not_canonical', `a hash of ${bytes.length} bytes`);
  return bytes.length === 0 ? null : bytes;
}
