// Values beyond the vectors: the marks, the bounds, the nesting.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concatBytes } from '../src/bytes.js';
import { NESTING_MAX, decodeValue } from '../src/value.js';
import { encode } from '../testing/encode.js';
import { refused } from '../testing/expect.js';
import { bytesOf } from '../testing/vectors.js';

/** @param {number} levels sets in each other */
const sets = (levels) => concatBytes(...Array.from({ length: levels - 1 }, () => bytesOf('820181')), bytesOf('820180'));

describe('values', () => {
  test('40 deep, the outermost record not counted', () => {
    decodeValue(sets(NESTING_MAX));
    refused('not_canonical', () => decodeValue(sets(NESTING_MAX + 1)));
    const within = (/** @type {number} */ levels) => concatBytes(bytesOf('a16161'), sets(levels));
    decodeValue(within(NESTING_MAX));
    refused('not_canonical', () => decodeValue(within(NESTING_MAX + 1)));
    const records = (/** @type {number} */ levels) => concatBytes(...Array.from({ length: levels }, () => bytesOf('a16161')), bytesOf('00'));
    decodeValue(records(NESTING_MAX + 1));
    refused('not_canonical', () => decodeValue(records(NESTING_MAX + 2)));
    refused('not_canonical', () => decodeValue(concatBytes(...Array.from({ length: 100_000 }, () => bytesOf('a16161')), bytesOf('00'))));
  });

  test('what stands in the innermost set or record is no deeper than it', () => {
    for (const inside of [encode(0), encode([0, 'T', 'i']), encode([2, 'ip', '::1'])]) {
      const filled = (/** @type {number} */ levels) => concatBytes(...Array.from({ length: levels }, () => bytesOf('820181')), inside);
      decodeValue(filled(NESTING_MAX));
      refused('not_canonical', () => decodeValue(filled(NESTING_MAX + 1)));
      decodeValue(concatBytes(bytesOf('a16161'), filled(NESTING_MAX)));
      refused('not_canonical', () => decodeValue(concatBytes(bytesOf('a16161'), filled(NESTING_MAX + 1))));
    }
  });

  test('an id has 255 bytes at most, in bytes and not in characters', () => {
    decodeValue(encode([0, 'T', 'x'.repeat(255)]));
    refused('not_canonical', () => decodeValue(encode([0, 'T', 'x'.repeat(256)])));
    refused('not_canonical', () => decodeValue(encode([0, 'T', 'ş'.repeat(128)])));
    refused('not_canonical', () => decodeValue(encode([0, '', 'x'])));
  });

  test('every function of Cedar is known', () => {
    for (const name of ['decimal', 'datetime', 'duration', 'ip']) {
      assert.deepEqual(decodeValue(encode([2, name, 'x'])), { ext: [name, 'x'] });
    }
    refused('not_canonical', () => decodeValue(encode([2, 'Decimal', '1.0'])));
  });

  test('arrays without their mark, or with another length, are none', () => {
    for (const item of [[], [0], [0, 'T'], [0, 'T', 'i', 'x'], [1], [1, [], []], [2, 'ip'], [3, []], ['a'], [[1]], [true], [-1, 'T', 'i'], [0, 'T', 7], [1, 7]]) {
      refused('not_canonical', () => decodeValue(encode(item)), JSON.stringify(item));
    }
  });

  test('keys of a record are text', () => {
    for (const key of [0, -1, true, new Uint8Array(1), []]) refused('not_canonical', () => decodeValue(encode(new Map([[key, 1]]))));
    assert.deepEqual(decodeValue(encode(new Map([['', 1]]))), new Map([['', 1n]]));
    assert.deepEqual(decodeValue(encode(new Map([['__proto__', true]]))), new Map([['__proto__', true]]));
  });
});
