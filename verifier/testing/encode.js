/**
 * Writes deterministic CBOR, for tests alone: a verifier computes from the bytes it was given and never encodes. Here encoding
 * again shows that a decoder kept everything.
 * @module
 */

import { compareBytes, concatBytes } from '../src/bytes.js';
import { utf8 } from '../src/text.js';

/**
 * @param {number} major
 * @param {bigint | number} argument
 */
export function head(major, argument) {
  const value = BigInt(argument);
  const first = (/** @type {number} */ info) => Uint8Array.of((major << 5) | info);
  if (value < 24n) return first(Number(value));
  const width = value < 0x100n ? 0 : value < 0x1_0000n ? 1 : value < 0x1_0000_0000n ? 2 : 3;
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return concatBytes(first(24 + width), bytes.subarray(8 - (1 << width)));
}

/**
 * @param {any} item null and undefined are refused: there is no spelling of them
 * @returns {Uint8Array}
 */
export function encode(item) {
  if (typeof item === 'boolean') return Uint8Array.of(item ? 0xf5 : 0xf4);
  if (typeof item === 'bigint' || Number.isSafeInteger(item)) return item < 0 ? head(1, -1n - BigInt(item)) : head(0, item);
  if (typeof item === 'string') return concatBytes(head(3, utf8(item).length), utf8(item));
  if (item instanceof Uint8Array) return concatBytes(head(2, item.length), item);
  if (Array.isArray(item)) return concatBytes(head(4, item.length), ...item.map(encode));
  if (item instanceof Map) {
    const pairs = [...item].map(([key, value]) => /** @type {const} */ ([encode(key), encode(value)]));
    pairs.sort(([a], [b]) => compareBytes(a, b));
    return concatBytes(head(5, pairs.length), ...pairs.flat());
  }
  throw new Error('no such item');
}

/**
 * A map with integer keys; fields that are null are left out.
 * @param {Record<number, any>} fields
 */
export function encodeFields(fields) {
  const present = Object.entries(fields).filter(([, value]) => value !== null);
  return encode(new Map(present.map(([key, value]) => [Number(key), value])));
}

/**
 * @param {import('../src/header.js').Header} header
 */
export function encodeHeader(header) {
  const { judge, group } = header;
  return encodeFields({
    1: 1,
    2: 1,
    3: header.store,
    4: header.tenant,
    5: header.thread,
    6: header.n,
    7: header.prev,
    8: header.kind,
    9: header.time,
    10: header.activation,
    11: header.law,
    12: header.guardLaw,
    13: [judge.cedarMajor, judge.cedarMinor, judge.ours, judge.compat],
    14: header.mode,
    15: header.directoryVersion,
    16: header.decision,
    17: header.refusal,
    18: header.policies,
    19: header.contract,
    20: header.contractVersion,
    21: header.event,
    22: header.from,
    23: header.to,
    24: header.durability,
    25: header.request,
    26: group && [group.id, group.index, group.size],
    27: header.parts.map(({ slot, index, commitment }) => [slot, index, commitment]),
    28: header.label,
  });
}

/**
 * @param {import('../src/entry.js').Entry} entry
 */
export function encodeEntry(entry) {
  return encodeFields({
    1: 1,
    2: 1,
    3: entry.store,
    4: entry.epoch,
    5: entry.tenant,
    6: entry.seq,
    7: entry.prev,
    8: entry.sealedAt,
    9: entry.streamN,
    10: entry.streamPrev,
    11: entry.disputed,
    12: entry.header,
  });
}

/**
 * @param {import('../src/value.js').Value} value
 * @returns {any} the item that stands for it
 */
export function itemOfValue(value) {
  if (value instanceof Map) return new Map([...value].map(([name, member]) => [name, itemOfValue(member)]));
  if (typeof value !== 'object') return value;
  if ('entity' in value) return [0, ...value.entity];
  if ('ext' in value) return [2, ...value.ext];
  const members = value.set.map(itemOfValue);
  return [1, members.sort((a, b) => compareBytes(encode(a), encode(b)))];
}
