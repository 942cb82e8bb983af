/**
 * A bundle's bytes: one instance's story in one file, read strictly. Nothing in it is believed by being read. What comes out are
 * views of the bytes that went in.
 * @module
 */

import { compareBytes } from './bytes.js';
import { Reader } from './cbor.js';
import { HASH_BYTES, SALT_BYTES } from './digest.js';
import { ENTRY_BYTES_MAX } from './entry.js';
import { Fields } from './fields.js';
import { SLOT_MAX, comparePlaces } from './header.js';
import { ERASED, SIBLINGS_MAX, STANDING } from './heads.js';
import { checkItem } from './item.js';
import { NOTE_BYTES_MAX } from './note.js';
import { PLAINTEXT_BYTES_MAX } from './parts.js';
import { PROOF_HASHES_MAX } from './proof.js';
import { Refusal, refuse, within } from './refusal.js';
import { utf8 } from './text.js';

/** The longest bundle. */
export const BUNDLE_BYTES_MAX = 67_108_864;

const WHAT = 'hos bundle';
const HANDLE_BYTES = 16;
const DEPTH_MAX = 6;
const RECORDS_MAX = 100_000;
const LOGS_MAX = 2;
const LAWS_MAX = 64;
/** A header lists 64 parts: of any more the first that it does not list says that there are too many. */
const PARTS_KEPT = 65;
const FILES_MAX = 4096;
const KEYS_MAX = 256;
const INDEX_MAX = 255;
const WHY_MAX = 2;

/**
 * @typedef {{ slot: number, index: number, salt: Uint8Array, plaintext: Uint8Array }} Opened
 * @typedef {{ slot: number, index: number, erased: boolean }} Withheld
 * @typedef {{ entry: Uint8Array, proof: Uint8Array[], opened: Opened[], withheld: Withheld[] }} BundleItem
 * @typedef {{ item: BundleItem, kind: number, n: bigint, record: Uint8Array, siblings: Uint8Array[] }} HeadsProof
 * @typedef {{ hash: Uint8Array, files: { path: string, bytes: Uint8Array }[] }} Law
 * @typedef {{ log: number, vkey: string, from: bigint, to: bigint }} KeyRange
 * @typedef {{ logs: { tenant: string, note: string }[], thread: Uint8Array, records: BundleItem[], heads: HeadsProof | null,
 *   cited: { log: number, item: BundleItem }[], laws: Law[], keys: KeyRange[] }} Bundle
 */

/**
 * First the bytes, then the fields, then numbers and lists: the first that is wrong is told of. That cited records ascend takes their
 * entries: whoever reads those sees to it.
 * @param {Uint8Array} bytes
 * @returns {Bundle}
 */
export function decodeBundle(bytes) {
  if (bytes.length > BUNDLE_BYTES_MAX) refuse('bundle.too_large', `${bytes.length} bytes`);
  return within('bundle', () => {
    checkItem(bytes, DEPTH_MAX);
    const bounds = new Bounds();
    const bundle = readFields(bytes, bounds);
    bounds.tell();
    return bundle;
  });
}

/**
 * What is beyond its bounds is told of once all is read, for a field that is missing behind it comes before.
 */
class Bounds {
  /** @type {Refusal | null} */
  #first = null;

  /**
   * @param {boolean} holds
   * @param {'limit' | 'order' | 'empty'} word
   * @param {string} detail
   */
  check(holds, word, detail) {
    if (!holds) this.#first ??= new Refusal(word, detail);
  }

  /**
   * A number of a list that is known.
   * @param {Reader} reader
   * @param {number} max
   * @param {string} what
   * @param {number} [min]
   */
  number(reader, max, what, min = 0) {
    const value = reader.uint();
    this.check(value >= BigInt(min) && value <= BigInt(max), 'limit', `${what} ${value}`);
    return Number(value);
  }

  /**
   * A list's items. Once anything is beyond its bounds the rest is read and not kept, nor is what comes behind the first `kept`.
   * @template T
   * @param {Reader} reader
   * @param {{ what: string, max?: number, kept?: number, compare?: (a: T, b: T) => number }} due the items of a list with an order ascend, none twice
   * @param {() => T} read
   * @returns {T[]}
   */
  list(reader, { what, max = Infinity, kept = Infinity, compare }, read) {
    const count = reader.array();
    this.check(count <= max, 'limit', `${count} ${what}`);
    /** @type {T[]} */
    const items = [];
    /** @type {T | undefined} */
    let before;
    for (let i = 0; i < count; i += 1) {
      const item = read();
      if (compare !== undefined && before !== undefined) this.check(compare(before, item) < 0, 'order', `${what} ${i}`);
      if (this.#first === null && i < kept) items.push(item);
      before = item;
    }
    return items;
  }

  tell() {
    if (this.#first !== null) throw this.#first;
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {Bounds} bounds
 * @returns {Bundle}
 */
function readFields(bytes, bounds) {
  const fields = new Fields(bytes);
  fields.versionAndSuite();
  const what = fields.need(3).text();
  if (what !== WHAT) refuse('what', JSON.stringify(what));
  const logs = readLogs(fields.need(4), bounds);
  const thread = fields.need(5).bytesOf(HANDLE_BYTES);
  const records = bounds.list(fields.need(6), { what: 'records', max: RECORDS_MAX }, () => readBundleItem(fields.reader, bounds));
  // Where something was beyond its bounds before, that is told, and whether there were records no longer matters.
  bounds.check(records.length > 0, 'empty', 'no record');
  const heads = fields.optional(7, (reader) => readHeads(reader, bounds));
  const cited = bounds.list(fields.need(8), { what: 'cited records', max: RECORDS_MAX }, () => {
    fields.reader.arrayOf(2);
    return { log: bounds.number(fields.reader, logs.length - 1, 'log'), item: readBundleItem(fields.reader, bounds) };
  });
  const laws = readLaws(fields.need(9), bounds);
  const keys = readKeys(fields.need(10), logs.length, bounds);
  fields.end();
  return { logs, thread, records, heads, cited, laws, keys };
}

/**
 * @param {Reader} reader
 * @param {Bounds} bounds
 */
function readLogs(reader, bounds) {
  const logs = bounds.list(reader, { what: 'logs', max: LOGS_MAX }, () => {
    reader.arrayOf(2);
    const log = { tenant: reader.text(), note: reader.text() };
    bounds.check(utf8(log.note).length <= NOTE_BYTES_MAX, 'limit', 'a note too long');
    return log;
  });
  bounds.check(logs.length > 0, 'empty', 'no log');
  return logs;
}

/**
 * @param {Reader} reader
 * @param {Bounds} bounds
 * @returns {BundleItem}
 */
function readBundleItem(reader, bounds) {
  reader.arrayOf(4);
  const entry = reader.view();
  bounds.check(entry.length <= ENTRY_BYTES_MAX, 'limit', `an entry of ${entry.length} bytes`);
  const proof = bounds.list(reader, { what: 'hashes of a proof', max: PROOF_HASHES_MAX }, () => reader.viewOf(HASH_BYTES));
  const opened = bounds.list(reader, { what: 'opened parts', kept: PARTS_KEPT, compare: comparePlaces }, () => {
    reader.arrayOf(4);
    const part = { ...readPlace(reader, bounds), salt: reader.viewOf(SALT_BYTES), plaintext: reader.view() };
    bounds.check(part.plaintext.length <= PLAINTEXT_BYTES_MAX, 'limit', `a plaintext of ${part.plaintext.length} bytes`);
    return part;
  });
  const withheld = bounds.list(reader, { what: 'withheld parts', kept: PARTS_KEPT, compare: comparePlaces }, () => {
    reader.arrayOf(3);
    const { slot, index } = readPlace(reader, bounds);
    return withheldOf(slot, index, bounds.number(reader, WHY_MAX, 'why', 1) === WHY_MAX);
  });
  return { entry, proof, opened, withheld };
}

/** @type {Map<number, Readonly<Withheld>>} there are few to tell apart, and a file of 64 MiB may name millions */
const WITHHELD = new Map();

/**
 * @param {number} slot
 * @param {number} index
 * @param {boolean} erased
 */
function withheldOf(slot, index, erased) {
  const key = (slot * (INDEX_MAX + 1) + index) * 2 + Number(erased);
  const known = WITHHELD.get(key);
  if (known !== undefined) return known;
  const made = Object.freeze({ slot, index, erased });
  // What is out of bounds is refused in the end.
  if (slot <= SLOT_MAX && index <= INDEX_MAX) WITHHELD.set(key, made);
  return made;
}

/**
 * @param {Reader} reader
 * @param {Bounds} bounds
 */
function readPlace(reader, bounds) {
  return { slot: bounds.number(reader, SLOT_MAX, 'slot', 1), index: bounds.number(reader, INDEX_MAX, 'index') };
}

/**
 * @param {Reader} reader
 * @param {Bounds} bounds
 * @returns {HeadsProof}
 */
function readHeads(reader, bounds) {
  reader.arrayOf(5);
  return {
    item: readBundleItem(reader, bounds),
    kind: bounds.number(reader, ERASED, 'kind of a leaf', STANDING),
    n: reader.uint(),
    record: reader.viewOf(HASH_BYTES),
    siblings: bounds.list(reader, { what: 'siblings', max: SIBLINGS_MAX }, () => reader.viewOf(HASH_BYTES)),
  };
}

/**
 * @param {Reader} reader
 * @param {Bounds} bounds
 */
function readLaws(reader, bounds) {
  return bounds.list(reader, { what: 'laws', max: LAWS_MAX, compare: compareHashes }, () => {
    reader.arrayOf(2);
    const hash = reader.viewOf(HASH_BYTES);
    const files = bounds.list(reader, { what: 'files of a law', max: FILES_MAX, compare: comparePaths }, () => {
      reader.arrayOf(2);
      return { path: reader.text(), bytes: reader.view() };
    });
    return { hash, files };
  });
}

/**
 * @param {Reader} reader
 * @param {number} logs how many there are
 * @param {Bounds} bounds
 */
function readKeys(reader, logs, bounds) {
  return bounds.list(reader, { what: 'keys', max: KEYS_MAX, compare: compareRanges }, () => {
    reader.arrayOf(4);
    return { log: bounds.number(reader, logs - 1, 'log'), vkey: reader.text(), from: reader.uint(), to: reader.uint() };
  });
}

/** @param {Law} a @param {Law} b */
function compareHashes(a, b) {
  return compareBytes(a.hash, b.hash);
}

/** @param {{ path: string }} a @param {{ path: string }} b */
function comparePaths(a, b) {
  return compareBytes(utf8(a.path), utf8(b.path));
}

/** @param {KeyRange} a @param {KeyRange} b */
function compareRanges(a, b) {
  return a.log - b.log || (a.from < b.from ? -1 : a.from > b.from ? 1 : 0);
}
