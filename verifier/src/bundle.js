/**
 * A bundle's bytes: one instance's story in one file, read strictly. Nothing in it is believed by being read.
 * @module
 */

import { compareBytes } from './bytes.js';
import { Reader } from './cbor.js';
import { HASH_BYTES, SALT_BYTES } from './digest.js';
import { ENTRY_BYTES_MAX, decodeEntry } from './entry.js';
import { Fields } from './fields.js';
import { SLOT_MAX, comparePlaces } from './header.js';
import { ERASED, SIBLINGS_MAX, STANDING } from './heads.js';
import { checkItem } from './item.js';
import { NOTE_BYTES_MAX } from './note.js';
import { PLAINTEXT_BYTES_MAX } from './parts.js';
import { PROOF_HASHES_MAX } from './proof.js';
import { Refusal, attempt, refuse, within } from './refusal.js';
import { utf8 } from './text.js';

/** The longest bundle. */
export const BUNDLE_BYTES_MAX = 67_108_864;

const WHAT = 'hos bundle';
const HANDLE_BYTES = 16;
const DEPTH_MAX = 6;
const RECORDS_MAX = 100_000;
const LOGS_MAX = 2;
const LAWS_MAX = 64;
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
 * First the bytes, then the fields, then numbers and lists: the first that is wrong is told of.
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
    checkCited(bundle.cited);
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
   * As many items as there are; of one list beyond its limit the whole is still read, for bytes bound it.
   * @template T
   * @param {Reader} reader
   * @param {number} max
   * @param {string} what
   * @param {() => T} read
   * @returns {T[]}
   */
  list(reader, max, what, read) {
    const count = reader.array();
    this.check(count <= max, 'limit', `${count} ${what}`);
    /** @type {T[]} */
    const items = [];
    for (let i = 0; i < count; i += 1) items.push(read());
    return items;
  }

  /**
   * @template T
   * @param {T[]} items
   * @param {(a: T, b: T) => number} compare
   * @param {string} what
   */
  ascend(items, compare, what) {
    const broken = items.findIndex((item, i) => i > 0 && compare(/** @type {T} */ (items[i - 1]), item) >= 0);
    this.check(broken < 0, 'order', `${what} ${broken}`);
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
  const records = bounds.list(fields.need(6), RECORDS_MAX, 'records', () => readBundleItem(fields.reader, bounds));
  bounds.check(records.length > 0, 'empty', 'no record');
  const heads = fields.optional(7, (reader) => readHeads(reader, bounds));
  const cited = bounds.list(fields.need(8), RECORDS_MAX, 'cited records', () => {
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
  const logs = bounds.list(reader, LOGS_MAX, 'logs', () => {
    reader.arrayOf(2);
    const log = { tenant: reader.text(), note: reader.text() };
    bounds.check(utf8(log.note).length <= NOTE_BYTES_MAX, 'limit', 'a note too long');
    return log;
  });
  bounds.check(logs.length > 0, 'limit', 'no log');
  return logs;
}

/**
 * @param {Reader} reader
 * @param {Bounds} bounds
 * @returns {BundleItem}
 */
function readBundleItem(reader, bounds) {
  reader.arrayOf(4);
  const entry = reader.bytes();
  bounds.check(entry.length <= ENTRY_BYTES_MAX, 'limit', `an entry of ${entry.length} bytes`);
  const proof = bounds.list(reader, PROOF_HASHES_MAX, 'hashes of a proof', () => reader.bytesOf(HASH_BYTES));
  const opened = bounds.list(reader, Infinity, 'parts', () => {
    reader.arrayOf(4);
    const part = { ...readPlace(reader, bounds), salt: reader.bytesOf(SALT_BYTES), plaintext: reader.bytes() };
    bounds.check(part.plaintext.length <= PLAINTEXT_BYTES_MAX, 'limit', `a plaintext of ${part.plaintext.length} bytes`);
    return part;
  });
  bounds.ascend(opened, comparePlaces, 'parts that are opened');
  const withheld = bounds.list(reader, Infinity, 'parts', () => {
    reader.arrayOf(3);
    return { ...readPlace(reader, bounds), erased: bounds.number(reader, WHY_MAX, 'why', 1) === WHY_MAX };
  });
  bounds.ascend(withheld, comparePlaces, 'parts that are withheld');
  return { entry, proof, opened, withheld };
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
    record: reader.bytesOf(HASH_BYTES),
    siblings: bounds.list(reader, SIBLINGS_MAX, 'siblings', () => reader.bytesOf(HASH_BYTES)),
  };
}

/**
 * @param {Reader} reader
 * @param {Bounds} bounds
 */
function readLaws(reader, bounds) {
  const laws = bounds.list(reader, LAWS_MAX, 'laws', () => {
    reader.arrayOf(2);
    const hash = reader.bytesOf(HASH_BYTES);
    const files = bounds.list(reader, Infinity, 'files', () => {
      reader.arrayOf(2);
      return { path: reader.text(), bytes: reader.bytes() };
    });
    bounds.ascend(files, (a, b) => compareBytes(utf8(a.path), utf8(b.path)), 'files');
    return { hash, files };
  });
  return bounds.ascend(laws, (a, b) => compareBytes(a.hash, b.hash), 'laws');
}

/**
 * @param {Reader} reader
 * @param {number} logs how many there are
 * @param {Bounds} bounds
 */
function readKeys(reader, logs, bounds) {
  const keys = bounds.list(reader, KEYS_MAX, 'keys', () => {
    reader.arrayOf(4);
    return { log: bounds.number(reader, logs - 1, 'log'), vkey: reader.text(), from: reader.uint(), to: reader.uint() };
  });
  return bounds.ascend(keys, (a, b) => a.log - b.log || compareBigints(a.from, b.from), 'keys');
}

/**
 * Cited records ascend by log, then seq; an entry that cannot be read has none, and is refused when its turn comes.
 * @param {Bundle['cited']} cited
 */
function checkCited(cited) {
  /** @type {{ log: number, seq: bigint } | null} */
  let before = null;
  for (const [i, { log, item }] of cited.entries()) {
    const entry = attempt(() => decodeEntry(item.entry));
    const seq = entry instanceof Refusal ? null : entry.seq;
    const follows = before === null || log > before.log || (log === before.log && (seq === null || seq > before.seq));
    if (!follows) refuse('order', `cited ${i}`);
    if (seq !== null) before = { log, seq };
  }
}

/**
 * @param {bigint} a
 * @param {bigint} b
 */
function compareBigints(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
