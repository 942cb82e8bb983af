// Headers, entries and receipts beyond the vectors: every field's bounds, and every bit.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHex } from '../src/bytes.js';
import { recordHash } from '../src/digest.js';
import { decodeEntry } from '../src/entry.js';
import { decodeHeader } from '../src/header.js';
import { decodeReceipt } from '../src/receipt.js';
import { Refusal, attempt } from '../src/refusal.js';
import { encodeEntry, encodeFields, encodeHeader } from '../testing/encode.js';
import { refused } from '../testing/expect.js';
import { bytesOf, ownVectors } from '../testing/vectors.js';

const FULL = bytesOf(ownVectors('record').find(({ file }) => file.endsWith('002_header_full.json'))?.given.bytes);
const ENTRY = bytesOf(ownVectors('chain').find(({ file }) => file.endsWith('005_entry_stream.json'))?.given.bytes);
const HASH = new Uint8Array(32).fill(9);

/** @type {Record<number, any>} */
const BARE = {
  1: 1, 2: 1, 3: new Uint8Array(16), 4: 'a', 5: new Uint8Array(16), 6: 0, 8: 1, 9: 0, 13: [0, 0, 0, 0], 14: 0, 15: 0, 16: 0, 18: [], 24: 0, 27: [],
};
/** @param {Record<number, any>} fields */
const header = (fields) => encodeFields({ ...BARE, ...fields });
const parts = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => [1, i, HASH]);
const ids = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => `p${String(i).padStart(3, '0')}`);

describe('headers', () => {
  /** @type {[string, Record<number, any>][]} */
  const accepted = [
    ['the greatest place', { 6: 2n ** 64n - 1n, 7: HASH }],
    ['the last instant', { 9: 9_214_646_399_999 }],
    ['every kind that has a number', { 8: 21 }],
    ['a tenant of 63', { 4: '-'.repeat(63) }],
    ['a name of 128', { 19: `_${'x'.repeat(127)}`, 20: 2 ** 32 - 1 }],
    ['names joined by dots, 128 in all', { 21: `a.${'b'.repeat(126)}` }],
    ['64 policies', { 18: ids(64) }],
    ['a policy of 255 bytes', { 18: ['ş'.repeat(127) + 'x'] }],
    ['ids by their bytes, not by their length', { 18: ['aa', 'b'] }],
    ['ids by their bytes, not by UTF-16', { 18: ['\uffee', '\u{10000}'] }],
    ['64 parts', { 27: parts(64) }],
    ['the greatest index', { 27: [[13, 255, HASH]] }],
    ['the last of a group', { 26: [new Uint8Array(16), 65_534, 65_535] }],
    ['a label where n is 0', { 28: HASH }],
    ['a request of 64', { 25: 'A-z0.9_:'.repeat(8) }],
  ];
  for (const [about, fields] of accepted) {
    test(`accepted: ${about}`, () => {
      const bytes = header(fields);
      assert.equal(toHex(encodeHeader(decodeHeader(bytes))), toHex(bytes));
    });
  }

  /** @type {[string, string, Record<number, any>][]} */
  const bent = [
    ['version 0', 'version', { 1: 0 }],
    ['no version', 'missing_field', { 1: null }],
    ['version as text', 'not_canonical', { 1: '1' }],
    ['version before suite', 'version', { 1: 2, 2: 2 }],
    ['field 0', 'unknown_field', { 0: 0 }],
    ['field 29', 'unknown_field', { 29: 0 }],
    ['a field beyond 32 bits', 'unknown_field', { 4_294_967_296: 0 }],
    ['a store of 15 bytes', 'not_canonical', { 3: new Uint8Array(15) }],
    ['no tenant at all', 'missing_field', { 4: null }],
    ['an empty tenant', 'malformed', { 4: '' }],
    ['a tenant of 64', 'malformed', { 4: 'a'.repeat(64) }],
    ['a tenant and a newline', 'malformed', { 4: 'a\n' }],
    ['a tenant with a dot', 'malformed', { 4: 'a.b' }],
    ['a thread as text', 'not_canonical', { 5: 'a'.repeat(16) }],
    ['a negative place', 'not_canonical', { 6: -1 }],
    ['place 0 with a previous hash', 'place', { 7: HASH }],
    ['a previous hash without a place', 'place', { 6: null, 7: HASH }],
    ['a previous hash of 31 bytes', 'not_canonical', { 6: 1, 7: HASH.slice(1) }],
    ['kind 0', 'unknown_number', { 8: 0 }],
    ['kind 23', 'unknown_number', { 8: 23 }],
    ['an instant too late', 'time', { 9: 9_214_646_400_000 }],
    ['a judge of three', 'not_canonical', { 13: [0, 0, 0] }],
    ['a judge beyond 16 bits', 'not_canonical', { 13: [65_536, 0, 0, 0] }],
    ['compat 2', 'unknown_number', { 13: [0, 0, 0, 2] }],
    ['a compat beyond 16 bits', 'not_canonical', { 13: [0, 0, 0, 65_536] }],
    ['mode 3', 'unknown_number', { 14: 3 }],
    ['mode 255', 'unknown_number', { 14: 255 }],
    ['a mode beyond 8 bits', 'not_canonical', { 14: 256 }],
    ['a decision of 64 bits', 'unknown_number', { 16: 2n ** 64n - 1n }],
    ['decision 3', 'unknown_number', { 16: 3 }],
    ['durability 3', 'unknown_number', { 24: 3 }],
    ['a refusal that ends in a dot', 'malformed', { 17: 'order.' }],
    ['an empty refusal', 'malformed', { 17: '' }],
    ['65 policies', 'too_large', { 18: ids(65) }],
    ['a policy without an id', 'malformed', { 18: [''] }],
    ['a policy of 256 bytes', 'malformed', { 18: ['ş'.repeat(128)] }],
    ['policies short before long', 'order', { 18: ['b', 'aa'] }],
    ['a policy twice', 'order', { 18: ['a', 'a'] }],
    ['a contract that begins with a digit', 'malformed', { 19: '1a' }],
    ['a contract with a dot', 'malformed', { 19: 'a.b' }],
    ['a contract of 129', 'malformed', { 19: 'a'.repeat(129) }],
    ['a contract of other letters', 'malformed', { 19: 'sipariş' }],
    ['a contract version of 33 bits', 'not_canonical', { 20: 2 ** 32 }],
    ['an event of 129', 'malformed', { 21: `a.${'b'.repeat(127)}` }],
    ['an event with two dots together', 'malformed', { 21: 'a..b' }],
    ['a state with a space', 'malformed', { 22: 'a b' }],
    ['a request of 65', 'malformed', { 25: 'a'.repeat(65) }],
    ['a request with a slash', 'malformed', { 25: 'a/b' }],
    ['a group of nobody', 'unknown_number', { 26: [new Uint8Array(16), 0, 0] }],
    ['a group beyond 16 bits', 'not_canonical', { 26: [new Uint8Array(16), 0, 65_536] }],
    ['a place beyond 16 bits before it is held against their number', 'not_canonical', { 26: [new Uint8Array(16), 65_536, 0] }],
    ['65 parts', 'too_large', { 27: parts(65) }],
    ['slot 0', 'unknown_number', { 27: [[0, 0, HASH]] }],
    ['slot 14', 'unknown_number', { 27: [[14, 0, HASH]] }],
    ['a slot of 64 bits', 'unknown_number', { 27: [[2n ** 64n - 1n, 0, HASH]] }],
    ['index 256', 'not_canonical', { 27: [[1, 256, HASH]] }],
    ['parts by index before slot', 'order', { 27: [[4, 0, HASH], [1, 1, HASH]] }],
    ['a label of 31 bytes', 'not_canonical', { 28: HASH.slice(1) }],
    ['a label where n is 1', 'place', { 6: 1, 7: HASH, 28: HASH }],
    ['a label in a stream', 'place', { 6: null, 28: HASH }],
    ['a commitment of 31 bytes', 'not_canonical', { 27: [[1, 0, HASH.slice(1)]] }],
  ];
  for (const [about, code, fields] of bent) test(`refused: ${about}`, () => refused(code, () => decodeHeader(header(fields))));

  test('every bit counts: bent it is refused, or another header with another hash', () => {
    everyBit(FULL, (bytes) => encodeHeader(decodeHeader(bytes)));
    const hashes = new Set([toHex(recordHash(FULL))]);
    for (let bit = 0; bit < 64; bit += 1) hashes.add(toHex(recordHash(bend(FULL, bit))));
    assert.equal(hashes.size, 65);
  });
});

describe('entries', () => {
  const read = decodeEntry(ENTRY);
  const entry = (/** @type {Partial<import('../src/entry.js').Entry>} */ changes) => encodeEntry({ ...read, ...changes });

  test('every bit counts', () => everyBit(ENTRY, (bytes) => encodeEntry(decodeEntry(bytes))));

  test('a header may have 16384 bytes', () => {
    decodeEntry(entry({ header: new Uint8Array(16_384) }));
    refused('too_large', () => decodeEntry(entry({ header: new Uint8Array(16_385) })));
    refused('too_large', () => decodeEntry(new Uint8Array(16_897)));
  });

  test('a stream has both of its fields, or n 0 alone, or none', () => {
    decodeEntry(entry({ streamN: null, streamPrev: null }));
    decodeEntry(entry({ streamN: 0n, streamPrev: null }));
    refused('place', () => decodeEntry(entry({ streamN: null })));
    refused('place', () => decodeEntry(entry({ streamPrev: null })));
  });

  test('numbers are bounded', () => {
    const greatest = 2n ** 64n - 1n;
    decodeEntry(entry({ seq: greatest, epoch: greatest, disputed: 65_535, sealedAt: 9_214_646_399_999 }));
    refused('not_canonical', () => decodeEntry(entry({ disputed: 65_536 })));
    refused('time', () => decodeEntry(entry({ sealedAt: 9_214_646_400_000 })));
  });
});

describe('receipts', () => {
  /** @type {Record<number, any>} */
  const fields = { 1: 1, 2: 1, 3: 'a', 4: new Uint8Array(16), 5: 0, 6: HASH };
  const seal = { 7: 1, 8: HASH, 9: 'a note' };

  test('a seal is whole or not there', () => {
    assert.equal(decodeReceipt(encodeFields(fields)).seal, null);
    assert.equal(decodeReceipt(encodeFields({ ...fields, ...seal })).seal?.seq, 1n);
    for (const key of [7, 8, 9]) refused('missing_field', () => decodeReceipt(encodeFields({ ...fields, ...seal, [key]: null })), `${key}`);
  });

  test('nothing else stands in it', () => {
    refused('unknown_field', () => decodeReceipt(encodeFields({ ...fields, 10: 0 })));
    refused('unknown_field', () => decodeReceipt(encodeFields({ ...fields, ...seal, 10: 0 })));
  });
});

/**
 * @param {Uint8Array} bytes
 * @param {number} bit
 */
function bend(bytes, bit) {
  const bent = bytes.slice();
  bent[bit >> 3] = /** @type {number} */ (bent[bit >> 3]) ^ (1 << (bit & 7));
  return bent;
}

/**
 * @param {Uint8Array} bytes
 * @param {(bytes: Uint8Array) => Uint8Array} again reads and writes
 */
function everyBit(bytes, again) {
  assert.equal(toHex(again(bytes)), toHex(bytes));
  let refusals = 0;
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const bent = bend(bytes, bit);
    const written = attempt(() => again(bent));
    if (written instanceof Refusal) refusals += 1;
    else assert.equal(toHex(written), toHex(bent), `bit ${bit}`);
  }
  assert.ok(refusals > 0);
  for (let length = 0; length < bytes.length; length += 1) {
    assert.throws(() => again(bytes.slice(0, length)), { name: 'Refusal', code: 'not_canonical' }, `${length} bytes`);
  }
}
