// The map of heads: the page's example, every leaf there, every other key not, and no bent proof taken.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blake3 } from '@noble/hashes/blake3.js';
import { concatBytes, toHex, u64Bytes } from '../src/bytes.js';
import { headsLabel, headsLeaf, headsNode, headsThread } from '../src/digest.js';
import { bitOf, checkAbsence, checkPresence, headsKey } from '../src/heads.js';
import { HeadsMap } from '../src/map.js';
import { Refusal, attempt } from '../src/refusal.js';
import { utf8 } from '../src/text.js';
import { refused } from '../testing/expect.js';
import { dice } from '../testing/signer.js';

/** @typedef {import('../src/heads.js').HeadsLeaf} HeadsLeaf */

const derive = (/** @type {string} */ context, /** @type {Uint8Array[]} */ ...over) => toHex(blake3(concatBytes(...over), { context: utf8(context) }));
const HANDLE = new Uint8Array(16).fill(5);

/**
 * @param {Uint8Array} key
 * @param {Partial<HeadsLeaf>} [changes]
 * @returns {HeadsLeaf}
 */
const leafOf = (key, changes = {}) => ({ key, kind: 1, thread: key.slice(0, 16), n: BigInt(key[0] ?? 0), record: key.slice().reverse(), ...changes });

/** @param {...number} bytes the first of a key */
function keyOf(...bytes) {
  const key = new Uint8Array(32);
  key.set(bytes);
  return key;
}

/**
 * @param {number} count
 * @param {(below: number) => number} roll
 * @param {number} spread how many values a byte takes: few, and keys have long beginnings in common
 */
function leaves(count, roll, spread) {
  const keys = new Map();
  while (keys.size < count) {
    const key = Uint8Array.from({ length: 32 }, () => roll(spread));
    keys.set(toHex(key), leafOf(key, { kind: 1 + roll(2), n: BigInt(roll(1000)) }));
  }
  return [...keys.values()];
}

describe('keys, leaves and nodes', () => {
  test('each has its domain and order', () => {
    const length = (/** @type {number} */ n) => u64Bytes(BigInt(n));
    assert.equal(
      toHex(headsLabel('pazar-tr', 'order', 'o-17')),
      derive('hos 2026-11 heads-label v1', length(8), utf8('pazar-tr'), length(5), utf8('order'), length(4), utf8('o-17')),
    );
    assert.equal(toHex(headsThread('pazar-tr', HANDLE)), derive('hos 2026-11 heads-thread v1', length(8), utf8('pazar-tr'), HANDLE));
    const key = keyOf(1);
    const leaf = { key, kind: 2, thread: HANDLE, n: 7n, record: keyOf(9) };
    assert.equal(toHex(headsLeaf(leaf)), derive('hos 2026-11 heads-leaf v1', key, Uint8Array.of(2), HANDLE, length(7), keyOf(9)));
    assert.equal(toHex(headsNode(key, keyOf(2))), derive('hos 2026-11 heads-node v1', key, keyOf(2)));
  });

  test('the label where there is one, else the thread key', () => {
    const first = { tenant: 'pazar-tr', thread: HANDLE, label: keyOf(3) };
    assert.deepEqual(headsKey(first), keyOf(3));
    assert.deepEqual(headsKey({ ...first, label: null }), headsThread('pazar-tr', HANDLE));
  });

  test('lengths keep tenant, contract and id apart', () => {
    const made = [['ab', 'c', 'd'], ['a', 'bc', 'd'], ['a', 'b', 'cd'], ['', 'abc', 'd'], ['abcd', '', '']].map(([a = '', b = '', c = '']) => toHex(headsLabel(a, b, c)));
    assert.equal(new Set(made).size, made.length);
  });

  test('bits from the most significant on', () => {
    assert.deepEqual([0, 1, 7, 8, 255].map((place) => bitOf(keyOf(0b1000_0001, 0b1000_0000), place)), [1, 0, 1, 1, 0]);
  });
});

describe('maps', () => {
  test('of nothing, of one, of two', () => {
    assert.deepEqual(new HeadsMap([]).root(), new Uint8Array(32));
    const [a, b] = [leafOf(keyOf(0x00)), leafOf(keyOf(0x80))];
    assert.deepEqual(new HeadsMap([a]).root(), headsLeaf(a));
    assert.deepEqual(new HeadsMap([b, a]).root(), headsNode(headsLeaf(a), headsLeaf(b)));
    // Seven bits in common: seven nodes above with nothing beside them.
    const c = leafOf(keyOf(0x01));
    let root = headsNode(headsLeaf(a), headsLeaf(c));
    for (let i = 0; i < 7; i += 1) root = headsNode(root, new Uint8Array(32));
    assert.deepEqual(new HeadsMap([c, a]).root(), root);
  });

  test('keys that differ in their last bit alone', () => {
    const [a, b] = [leafOf(new Uint8Array(32)), leafOf(keyOf(...new Array(31).fill(0), 1))];
    const map = new HeadsMap([a, b]);
    assert.equal(map.prove(a.key).siblings.length, 256);
    for (const leaf of [a, b]) checkPresence({ leaf, siblings: map.prove(leaf.key).siblings, root: map.root() });
    refused('proof', () => checkPresence({ leaf: a, siblings: [...map.prove(a.key).siblings, keyOf()], root: map.root() }));
  });

  test('a key has one leaf', () => assert.throws(() => new HeadsMap([leafOf(keyOf(1)), leafOf(keyOf(1))]), /one key/));

  for (const [count, spread, seed] of [[1, 256, 1], [2, 2, 2], [17, 3, 3], [100, 256, 4], [300, 2, 5]]) {
    test(`${count} leaves, bytes of ${spread} values: every leaf is there, every other key is not`, () => {
      const roll = dice(/** @type {number} */ (seed));
      const all = leaves(/** @type {number} */ (count), roll, /** @type {number} */ (spread));
      const map = new HeadsMap(all);
      const root = map.root();
      assert.deepEqual(new HeadsMap([...all].reverse()).root(), root);
      for (const leaf of all) {
        const { end, siblings } = map.prove(leaf.key);
        assert.deepEqual(end, leaf);
        checkPresence({ leaf, siblings, root });
        refused('proof', () => checkAbsence({ key: leaf.key, end: leaf, siblings, root }));
        refused('proof', () => checkAbsence({ key: leaf.key, end: null, siblings, root }));
      }
      const there = new Set(all.map(({ key }) => toHex(key)));
      const ends = { nothing: 0, another: 0 };
      for (let i = 0; i < 100; i += 1) {
        const key = Uint8Array.from({ length: 32 }, () => roll(/** @type {number} */ (spread)));
        if (there.has(toHex(key))) continue;
        const { end, siblings } = map.prove(key);
        checkAbsence({ key, end, siblings, root });
        ends[end === null ? 'nothing' : 'another'] += 1;
        refused('proof', () => checkPresence({ leaf: leafOf(key), siblings, root }));
      }
      assert.ok(ends.nothing + ends.another > 0);
    });
  }

  test('both ends of absence are met', () => {
    const map = new HeadsMap([leafOf(keyOf(0x00)), leafOf(keyOf(0x20))]);
    assert.equal(map.prove(keyOf(0x80)).end, null);
    assert.deepEqual(map.prove(keyOf(0x30)).end?.key, keyOf(0x20));
  });

  test('every bent proof is refused', () => {
    const roll = dice(77);
    const all = leaves(40, roll, 4);
    const map = new HeadsMap(all);
    const root = map.root();
    for (const leaf of all.slice(0, 12)) {
      const { siblings } = map.prove(leaf.key);
      const flip = (/** @type {Uint8Array} */ bytes) => bytes.with(roll(bytes.length), (bytes[0] ?? 0) ^ 0xa5);
      const bent = [
        { leaf: { ...leaf, kind: 3 - leaf.kind } },
        { leaf: { ...leaf, kind: 0 } },
        { leaf: { ...leaf, n: leaf.n + 1n } },
        { leaf: { ...leaf, record: keyOf(0xee) } },
        { leaf: { ...leaf, thread: new Uint8Array(16).fill(0xee) } },
        { leaf: { ...leaf, thread: leaf.thread.slice(1) } },
        { leaf: { ...leaf, key: keyOf(0xee) } },
        { siblings: siblings.slice(1) },
        { siblings: siblings.slice(0, -1) },
        { siblings: [new Uint8Array(32), ...siblings] },
        { siblings: [...siblings, new Uint8Array(32)] },
        { siblings: siblings.with(0, keyOf(0xee)) },
        { siblings: siblings.with(-1, new Uint8Array(31)) },
        { siblings: new Array(257).fill(keyOf()) },
        { root: flip(root) },
        { root: root.slice(1) },
      ];
      for (const [i, change] of bent.entries()) {
        refused('proof', () => checkPresence({ leaf, siblings, root, ...change }), `case ${i}`);
      }
    }
  });

  test('a leaf that is not on the way proves no absence', () => {
    const all = leaves(64, dice(9), 256);
    const map = new HeadsMap(all);
    const root = map.root();
    let tried = 0;
    for (const { key } of leaves(16, dice(10), 256)) {
      for (const other of all) {
        const { end, siblings } = map.prove(key);
        if (end === other) continue;
        tried += 1;
        assert.ok(attempt(() => checkAbsence({ key, end: other, siblings, root })) instanceof Refusal);
        // Another's way is no way of this key.
        assert.ok(attempt(() => checkAbsence({ key, end: other, siblings: map.prove(other.key).siblings, root })) instanceof Refusal || end === other);
      }
    }
    assert.ok(tried > 500);
  });
});
