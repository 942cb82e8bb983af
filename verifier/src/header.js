/**
 * A record's header: what happened, under which law, committing to its parts.
 * @module
 */

import { compareBytes } from './bytes.js';
import { HASH_BYTES } from './digest.js';
import { Fields, numberUpTo, textOf, timeOf, uintOf } from './fields.js';
import { refuse } from './refusal.js';
import { isDottedName, isName, isRequestId, isTenant, utf8 } from './text.js';

/** The longest header. */
export const HEADER_BYTES_MAX = 16_384;

const HANDLE_BYTES = 16;
const KIND_MAX = 22;
/** The greatest slot. */
export const SLOT_MAX = 13;
const LIST_MAX = 64;
const POLICY_BYTES_MAX = 255;

/** @typedef {import('./cbor.js').Reader} Reader */
/** @typedef {{ slot: number, index: number, commitment: Uint8Array }} ListedPart */

/**
 * What a header says. Decision and codes are claims until the record was judged again.
 * @typedef {ReturnType<typeof decodeHeader>} Header
 */

/**
 * @param {Uint8Array} bytes
 */
export function decodeHeader(bytes) {
  if (bytes.length > HEADER_BYTES_MAX) refuse('too_large', `a header of ${bytes.length} bytes`);
  const fields = new Fields(bytes);
  fields.versionAndSuite();
  const header = {
    store: fields.need(3).bytesOf(HANDLE_BYTES),
    tenant: textOf(fields.need(4), isTenant, 'tenant'),
    thread: fields.need(5).bytesOf(HANDLE_BYTES),
    n: fields.optional(6, (reader) => reader.uint()),
    prev: fields.optional(7, hash),
    kind: numberUpTo(fields.need(8), KIND_MAX, 'kind', { min: 1 }),
    time: timeOf(fields.need(9)),
    activation: fields.optional(10, hash),
    law: fields.optional(11, hash),
    guardLaw: fields.optional(12, hash),
    judge: judge(fields.need(13)),
    mode: numberUpTo(fields.need(14), 2, 'mode', { bits: 8 }),
    directoryVersion: fields.need(15).uint(),
    decision: numberUpTo(fields.need(16), 2, 'decision'),
    refusal: fields.optional(17, dotted('refusal')),
    policies: policies(fields.need(18)),
    contract: fields.optional(19, named('contract')),
    contractVersion: fields.optional(20, (reader) => uintOf(reader, 32)),
    event: fields.optional(21, dotted('event')),
    from: fields.optional(22, named('state')),
    to: fields.optional(23, named('state')),
    durability: numberUpTo(fields.need(24), 2, 'durability'),
    request: fields.optional(25, (reader) => textOf(reader, isRequestId, 'request')),
    group: fields.optional(26, group),
    parts: parts(fields.need(27)),
    label: fields.optional(28, hash),
  };
  fields.end();
  if ((header.prev !== null) !== (header.n !== null && header.n > 0n)) {
    refuse('place', 'a previous hash stands exactly behind a place above 0');
  }
  if (header.label !== null && header.n !== 0n) refuse('place', 'a label stands in a first record alone');
  return header;
}

/** @param {Reader} reader */
function hash(reader) {
  return reader.bytesOf(HASH_BYTES);
}

/** @param {string} what */
function named(what) {
  return (/** @type {Reader} */ reader) => textOf(reader, isName, what);
}

/** @param {string} what */
function dotted(what) {
  return (/** @type {Reader} */ reader) => textOf(reader, isDottedName, what);
}

/**
 * Who judged: Cedar's language, our version, and whether strictly or as Cedar does.
 * @param {Reader} reader
 */
function judge(reader) {
  reader.arrayOf(4);
  return {
    cedarMajor: uintOf(reader, 16),
    cedarMinor: uintOf(reader, 16),
    ours: uintOf(reader, 16),
    compat: numberUpTo(reader, 1, 'compat', { bits: 16 }),
  };
}

/** @param {Reader} reader */
function policies(reader) {
  const count = reader.array();
  if (count > LIST_MAX) refuse('too_large', `${count} policies`);
  /** @type {string[]} */
  const ids = [];
  /** @type {Uint8Array | null} */
  let previous = null;
  for (let i = 0; i < count; i += 1) {
    const id = reader.text();
    const bytes = utf8(id);
    if (bytes.length < 1 || bytes.length > POLICY_BYTES_MAX) refuse('malformed', `a policy's id of ${bytes.length} bytes`);
    // Of the ids themselves, where the order of encodings would put the short before the long.
    if (previous !== null && compareBytes(previous, bytes) >= 0) refuse('order', 'policies');
    previous = bytes;
    ids.push(id);
  }
  return ids;
}

/** @param {Reader} reader */
function group(reader) {
  reader.arrayOf(3);
  const id = reader.bytesOf(HANDLE_BYTES);
  const index = uintOf(reader, 16);
  const size = uintOf(reader, 16);
  if (index >= size) refuse('unknown_number', `place ${index} in a group of ${size}`);
  return { id, index, size };
}

/** @param {Reader} reader */
function parts(reader) {
  const count = reader.array();
  if (count > LIST_MAX) refuse('too_large', `${count} parts`);
  /** @type {ListedPart[]} */
  const listed = [];
  for (let i = 0; i < count; i += 1) {
    reader.arrayOf(3);
    const part = {
      slot: numberUpTo(reader, SLOT_MAX, 'slot', { min: 1 }),
      index: uintOf(reader, 8),
      commitment: hash(reader),
    };
    const before = listed.at(-1);
    if (before !== undefined && comparePlaces(before, part) >= 0) refuse('order', 'parts');
    listed.push(part);
  }
  return listed;
}

/**
 * Parts stand by slot, then index.
 * @param {{ slot: number, index: number }} a
 * @param {{ slot: number, index: number }} b
 */
export function comparePlaces(a, b) {
  return a.slot - b.slot || a.index - b.index;
}
