// One spelling of everything: every form that RFC 8949 tells apart and section 4.2 forbids, and a search for forms nobody named.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concatBytes, toHex } from '../src/bytes.js';
import { Reader } from '../src/cbor.js';
import { Refusal, attempt } from '../src/refusal.js';
import { DEPTH_MAX, decodeItem } from '../src/item.js';
import { encode, head } from '../testing/encode.js';
import { refused } from '../testing/expect.js';
import { bytesOf } from '../testing/vectors.js';

// RFC 8949, appendix A, as far as the forms are ours.
/** @type {[string, any][]} */
const ACCEPTED = [
  ['00', 0n],
  ['01', 1n],
  ['0a', 10n],
  ['17', 23n],
  ['1818', 24n],
  ['1819', 25n],
  ['1864', 100n],
  ['18ff', 255n],
  ['190100', 256n],
  ['1903e8', 1000n],
  ['19ffff', 65_535n],
  ['1a00010000', 65_536n],
  ['1a000f4240', 1_000_000n],
  ['1affffffff', 4_294_967_295n],
  ['1b0000000100000000', 4_294_967_296n],
  ['1b000000e8d4a51000', 1_000_000_000_000n],
  ['1bffffffffffffffff', 18_446_744_073_709_551_615n],
  ['20', -1n],
  ['29', -10n],
  ['3863', -100n],
  ['3903e7', -1000n],
  ['3bffffffffffffffff', -18_446_744_073_709_551_616n],
  ['f4', false],
  ['f5', true],
  ['40', new Uint8Array()],
  ['4401020304', Uint8Array.of(1, 2, 3, 4)],
  ['60', ''],
  ['6161', 'a'],
  ['6449455446', 'IETF'],
  ['62225c', '"\\'],
  ['62c3bc', 'ü'],
  ['63e6b0b4', '水'],
  ['64f0908591', '𐅑'],
  ['63efbbbf', '\ufeff'],
  ['80', []],
  ['83010203', [1n, 2n, 3n]],
  ['8301820203820405', [1n, [2n, 3n], [4n, 5n]]],
  ['98190102030405060708090a0b0c0d0e0f101112131415161718181819', Array.from({ length: 25 }, (_, i) => BigInt(i + 1))],
  ['a0', new Map()],
  ['a201020304', new Map([[1n, 2n], [3n, 4n]])],
  ['a26161016162820203', new Map(/** @type {any} */ ([['a', 1n], ['b', [2n, 3n]]]))],
  ['826161a161626163', ['a', new Map([['b', 'c']])]],
  ['a10a20', new Map([[10n, -1n]])],
];

/** @type {[string, string[]][]} */
const REFUSED = [
  ['an integer that could be shorter', ['1800', '1817', '190000', '1900ff', '1a00000000', '1a0000ffff', '1b0000000000000000', '1b00000000ffffffff']],
  ['a negative integer that could be shorter', ['3800', '3817', '3900ff', '3a0000ffff', '3b00000000ffffffff']],
  ['a length of bytes that could be shorter', ['5800', '580161', '59000161', '5a0000000161', '5b000000000000000161']],
  ['a length of text that could be shorter', ['7800', '780161', '79000161', '7a0000000161', '7b000000000000000161']],
  ['a count of an array that could be shorter', ['9800', '980100', '99000100', '9a0000000100', '9b000000000000000100']],
  ['a count of a map that could be shorter', ['b800', 'b8010000', 'b900010000', 'ba000000010000', 'bb00000000000000010000']],
  ['indefinite bytes and text', ['5f4100ff', '5fff', '7f6161ff', '7fff']],
  ['indefinite arrays and maps', ['9fff', '9f00ff', 'bfff', 'bf0000ff', '839fff0000']],
  ['a break alone', ['ff', '81ff', 'a1ff00', 'a100ff']],
  ['reserved lengths', ['1c', '1d', '1e', '1f', '3c', '3f', '5c', '5e', '7d', '9c', 'bd', 'dc', 'fc', 'fd', 'fe']],
  ['tags', ['c000', 'c11a514b67b0', 'c240', 'c349010000000000000000', 'd74401020304', 'd818456449455446', 'd9d9f700', 'da0000000100', 'db000000000000000100']],
  ['floats of every width', ['f90000', 'f93c00', 'f97e00', 'f97c00', 'fa47c35000', 'fa7fc00000', 'fb3ff199999999999a', 'fb7ff8000000000000', 'fb8000000000000000']],
  ['null, undefined, other simple values', ['f6', 'f7', 'e0', 'f0', 'f3', 'f818', 'f8ff', 'f800', 'f814', 'f815', 'f81f']],
  ['keys out of order', ['a202000100', 'a2616200616100', 'a262616100616200', 'a220000100', 'a2f5000000', 'a281000000']],
  ['a key twice', ['a201000100', 'a2616100616101', 'a280008000', 'a2410000410000']],
  ['text that is not UTF-8', ['61ff', '6180', '62c080', '62c328', '63e08080', '63eda080', '66eda081edb080', '64f0808080', '64f4908080', '61c3', '62e282', '65f888808080']],
  ['bytes left over', ['0000', '8000', 'f5f5', 'a0ff']],
  ['an end too early', ['', '18', '1901', '1a000000', '1b00000000000000', '41', '4201', '6261', '81', '8200', 'a1', 'a100', 'a2000001', '5820', '9801', 'b801']],
  ['a length that is a claim', ['5bffffffffffffffff', '7bffffffffffffffff', '9bffffffffffffffff', 'bbffffffffffffffff', '9b8000000000000000', 'bb8000000000000000', '5affffffff', '9affffffff', 'baffffffff', '9b0020000000000001']],
];

describe('deterministic CBOR', () => {
  test('the forms that are ours are read, and written they are the same bytes', () => {
    for (const [hex, item] of ACCEPTED) {
      assert.deepEqual(decodeItem(bytesOf(hex)), item, hex);
      assert.equal(toHex(encode(item)), hex);
    }
  });

  for (const [about, cases] of REFUSED) {
    test(`refused: ${about}`, () => {
      for (const hex of cases) refused('not_canonical', () => decodeItem(bytesOf(hex)), hex);
      // Nor where it stands inside.
      for (const hex of cases.filter((found) => found !== '')) {
        refused('not_canonical', () => decodeItem(concatBytes(Uint8Array.of(0x81), bytesOf(hex))), `81${hex}`);
      }
    });
  }

  test('keys stand in the bytewise order of their encodings, whatever their types', () => {
    const keys = [0n, 23n, 24n, 255n, 256n, -1n, -25n, new Uint8Array(), Uint8Array.of(0), '', 'b', 'aa', [], [0n], new Map(), false, true];
    const pairs = keys.map((key) => concatBytes(encode(key), Uint8Array.of(0)));
    const map = decodeItem(concatBytes(head(5, keys.length), ...pairs));
    assert.deepEqual([.../** @type {Map<any, any>} */ (map).keys()], keys);
    for (let i = 1; i < pairs.length; i += 1) {
      const swapped = [...pairs];
      [swapped[i - 1], swapped[i]] = [/** @type {any} */ (swapped[i]), /** @type {any} */ (swapped[i - 1])];
      refused('not_canonical', () => decodeItem(concatBytes(head(5, keys.length), ...swapped)));
    }
  });

  test('depth is bounded, before the stack is', () => {
    const deep = (/** @type {number} */ levels) => concatBytes(new Uint8Array(levels).fill(0x81), Uint8Array.of(0));
    decodeItem(deep(DEPTH_MAX));
    refused('not_canonical', () => decodeItem(deep(DEPTH_MAX + 1)));
    refused('not_canonical', () => decodeItem(deep(1_000_000)));
    refused('not_canonical', () => decodeItem(concatBytes(...Array.from({ length: DEPTH_MAX + 1 }, () => bytesOf('a100')), Uint8Array.of(0))));
  });

  test('every item of up to two bytes that is read is its own spelling', () => {
    let read = 0;
    for (let first = 0; first < 256; first += 1) {
      for (let second = -1; second < 256; second += 1) {
        const bytes = second < 0 ? Uint8Array.of(first) : Uint8Array.of(first, second);
        const item = attempt(() => decodeItem(bytes));
        if (item instanceof Refusal) continue;
        assert.equal(toHex(encode(item)), toHex(bytes));
        read += 1;
      }
    }
    // Of one byte: integers 48, empty bytes, text, array and map, two booleans. Of two: integers and their like of one byte more.
    const short = 48 + 4 + 2;
    const integers = 2 * (256 - 24);
    const bytesAndText = 256 + 128;
    const arrays = short;
    assert.equal(read, short + integers + bytesAndText + arrays);
  });

  test('bytes that are bent are refused or say something else, never the same', () => {
    const item = new Map(/** @type {any} */ ([[1n, 'text'], [24n, [true, -300n, Uint8Array.of(1, 2, 3)]], ['k', new Map([['v', 70_000n]])]]));
    const bytes = encode(item);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const bent = bytes.slice();
      bent[bit >> 3] = /** @type {number} */ (bent[bit >> 3]) ^ (1 << (bit & 7));
      const read = attempt(() => decodeItem(bent));
      if (!(read instanceof Refusal)) assert.equal(toHex(encode(read)), toHex(bent));
    }
    for (let length = 0; length < bytes.length; length += 1) refused('not_canonical', () => decodeItem(bytes.slice(0, length)));
  });

  test('a reader of a slice stays within it', () => {
    const whole = bytesOf('0041aa00');
    const reader = new Reader(whole.subarray(1, 2));
    refused('not_canonical', () => reader.bytes());
    assert.deepEqual(new Reader(whole.subarray(1, 3)).bytes(), Uint8Array.of(0xaa));
  });

  test('what was read is a copy: later changes of the input change nothing', () => {
    const bytes = bytesOf('42aabb');
    const read = new Reader(bytes).bytes();
    bytes.fill(0);
    assert.deepEqual(read, Uint8Array.of(0xaa, 0xbb));
  });

  test('every type is refused where another is due', () => {
    /** @type {[keyof Reader, string][]} */
    const due = [['uint', '00'], ['int', '20'], ['bool', 'f5'], ['bytes', '40'], ['text', '60'], ['array', '80'], ['map', 'a0']];
    for (const [method, own] of due) {
      const read = (/** @type {string} */ hex) => /** @type {any} */ (new Reader(bytesOf(hex)))[method]();
      read(own);
      for (const other of ['00', '20', 'f5', '40', '60', '80', 'a0', 'c0', 'f6']) {
        const also = method === 'int' && other === '00';
        if (other !== own && !also) refused('not_canonical', () => read(other), `${method} of ${other}`);
      }
    }
  });

  test('what is no type of ours cannot be written', () => {
    for (const item of [null, undefined, 1.5, Number.NaN, 2 ** 53]) assert.throws(() => encode(item));
  });
});
