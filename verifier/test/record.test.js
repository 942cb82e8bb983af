// The project's own vectors of records: values, headers, parts, receipts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHex } from '../src/bytes.js';
import { recordHash } from '../src/digest.js';
import { decodeHeader } from '../src/header.js';
import { checkOpening } from '../src/parts.js';
import { decodeReceipt } from '../src/receipt.js';
import { decodeValue } from '../src/value.js';
import { encode, encodeFields, encodeHeader, itemOfValue } from '../testing/encode.js';
import { asGiven, refused } from '../testing/expect.js';
import { bytesOf, ownVectors } from '../testing/vectors.js';

const vectors = ownVectors('record');

/** @type {Record<string, (given: any) => void>} */
const CHECKS = {
  value(given) {
    asGiven(given, () => {
      const value = decodeValue(bytesOf(given.bytes));
      assert.deepEqual(value, valueOf(given.value));
      assert.equal(toHex(encode(itemOfValue(value))), given.bytes);
    });
  },
  header(given) {
    asGiven(given, () => {
      const bytes = bytesOf(given.bytes);
      const header = decodeHeader(bytes);
      assert.deepEqual(spoken(header), { label: null, ...given.fields });
      assert.equal(toHex(encodeHeader(header)), given.bytes);
      assert.equal(toHex(recordHash(bytes)), given.hash);
    });
  },
  receipt(given) {
    asGiven(given, () => {
      const receipt = decodeReceipt(bytesOf(given.bytes));
      const { seal } = receipt;
      assert.deepEqual(spoken(receipt), given.fields);
      const fields = { 1: 1, 2: 1, 3: receipt.tenant, 4: receipt.thread, 5: receipt.n, 6: receipt.record };
      const sealed = seal === null ? {} : { 7: seal.seq, 8: seal.entry, 9: seal.checkpoint };
      assert.equal(toHex(encodeFields({ ...fields, ...sealed })), given.bytes);
    });
  },
};

describe('records', () => {
  for (const { file, what, given } of vectors.filter((vector) => vector.what in CHECKS)) {
    test(`${file}: ${given.about}`, () => CHECKS[what]?.(given));
  }
});

// Boxes, in which a store keeps parts under a person's key, are the store's business; what a verifier is shown is salt and plaintext.
describe('parts as openings', () => {
  for (const { file, given } of vectors.filter((vector) => vector.what === 'box' && vector.given.error === undefined)) {
    test(`${file}: each part against its commitment`, () => {
      assert.equal(given.parts.length, given.commitments.length);
      const commitments = given.commitments.map(bytesOf);
      given.parts.forEach((/** @type {{ salt: string, plaintext: string }} */ part, /** @type {number} */ i) => {
        const opening = { salt: bytesOf(part.salt), plaintext: bytesOf(part.plaintext) };
        commitments.forEach((/** @type {Uint8Array} */ committed, /** @type {number} */ j) => {
          if (i === j) checkOpening(opening, committed);
          else refused('mismatch', () => checkOpening(opening, committed));
        });
      });
    });
  }
});

describe('boxes as a store keeps them', () => {
  const stored = vectors.filter(({ what, given }) => what === 'box_list' || (what === 'box' && given.error !== undefined));
  test(`${stored.length} vectors`, { skip: 'a store keeps them; a verifier is shown openings' }, () => {});
});

test('every vector is of a kind that is known here', () => {
  const known = new Set([...Object.keys(CHECKS), 'box', 'box_list']);
  assert.deepEqual(vectors.filter(({ what }) => !known.has(what)), []);
  assert.ok(vectors.length >= 92);
});

/**
 * What was decoded, in the words of the vectors: names with underscores, bytes in hexadecimal, lists for small structures.
 * @param {any} value
 * @returns {any}
 */
function spoken(value) {
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value === 'bigint') return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(spoken);
  if (value === null || typeof value !== 'object') return value;
  const lists = ['cedarMajor', 'slot', 'size'];
  if (lists.some((name) => name in value)) return Object.values(value).map(spoken);
  const under = (/** @type {string} */ name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [under(name), spoken(member)]));
}

/**
 * A vector's value as the decoder gives it; sets in the order of their encodings.
 * @param {any} json
 * @returns {any}
 */
function valueOf(json) {
  if (typeof json === 'number') return BigInt(json);
  if (typeof json !== 'object') return json;
  if ('$entity' in json) return { entity: json.$entity };
  if ('$ext' in json) return { ext: json.$ext };
  if ('$set' in json) {
    const members = json.$set.map(valueOf).map((/** @type {any} */ member) => ({ member, key: toHex(encode(itemOfValue(member))) }));
    members.sort((/** @type {any} */ a, /** @type {any} */ b) => (a.key < b.key ? -1 : 1));
    return { set: members.map((/** @type {any} */ { member }) => member) };
  }
  return new Map(Object.entries(json).map(([name, member]) => [name, valueOf(member)]));
}
