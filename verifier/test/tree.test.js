// The tree and its proofs: vectors that others made, and our own trees against a definition written by recursion.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHex, u64Bytes } from '../src/bytes.js';
import { emptyRoot, leafHash, nodeHash } from '../src/digest.js';
import { checkConsistency, checkInclusion } from '../src/proof.js';
import { Refusal, attempt } from '../src/refusal.js';
import { Tree } from '../src/tree.js';
import { refused } from '../testing/expect.js';
import { base64Of, filesBelow, readJson, sharedVectors } from '../testing/vectors.js';

const inclusion = sharedVectors('rfc6962-merkle', 'testdata', 'inclusion');
const consistency = sharedVectors('rfc6962-merkle', 'testdata', 'consistency');

/** @param {any} hashes */
const hashes = (hashes) => (hashes ?? []).map(base64Of);

/**
 * Some vectors have a few words of text where the hash does not matter; that it has 32 bytes does matter here, so it is given
 * them, lest a length hide what the vector is about.
 * @param {string | null} text
 */
function hashOf(text) {
  const bytes = base64Of(text ?? '');
  const whole = new Uint8Array(Math.max(32, bytes.length));
  whole.set(bytes);
  return whole;
}

/**
 * Runs every file of a folder; the verdict must be the one it names.
 * @param {string} folder
 * @param {(given: any) => void} check
 */
function runAll(folder, check) {
  const verdicts = { accepted: 0, refused: 0 };
  for (const file of filesBelow(folder)) {
    const given = readJson(file);
    const wrong = attempt(() => check(given)) instanceof Refusal;
    assert.equal(wrong, given.wantErr, `${file}: ${given.desc}`);
    verdicts[wrong ? 'refused' : 'accepted'] += 1;
  }
  return verdicts;
}

describe('proofs of others', () => {
  test('98 of inclusion, of which 92 are refused', inclusion, () => {
    const verdicts = runAll(inclusion.path, ({ leafIdx, treeSize, leafHash: leaf, root, proof }) =>
      checkInclusion({
        index: BigInt(leafIdx),
        size: BigInt(treeSize),
        leaf: base64Of(leaf ?? ''),
        root: base64Of(root ?? ''),
        proof: hashes(proof),
      }),
    );
    assert.deepEqual(verdicts, { accepted: 6, refused: 92 });
  });

  test('98 of consistency, of which 92 are refused', consistency, () => {
    const verdicts = runAll(consistency.path, ({ size1, size2, root1, root2, proof }) =>
      checkConsistency({
        oldSize: BigInt(size1),
        size: BigInt(size2),
        oldRoot: hashOf(root1),
        root: hashOf(root2),
        proof: hashes(proof),
      }),
    );
    assert.deepEqual(verdicts, { accepted: 6, refused: 92 });
  });
});

// RFC 6962, 2.1: the definitions, word for word.
const LEAVES = Array.from({ length: 40 }, (_, i) => u64Bytes(BigInt(i)));

/** @param {number} n the largest power of two below n */
const split = (n) => 2 ** Math.ceil(Math.log2(n) - 1);

/**
 * @param {Uint8Array[]} leaves
 * @returns {Uint8Array}
 */
function rootOf(leaves) {
  if (leaves.length === 0) return emptyRoot();
  if (leaves.length === 1) return leafHash(/** @type {Uint8Array} */ (leaves[0]));
  const k = split(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/**
 * @param {number} m
 * @param {Uint8Array[]} leaves
 * @returns {Uint8Array[]}
 */
function pathOf(m, leaves) {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m < k ? [...pathOf(m, left), rootOf(right)] : [...pathOf(m - k, right), rootOf(left)];
}

/**
 * @param {number} m
 * @param {Uint8Array[]} leaves
 * @param {boolean} known whether the verifier has the root of these
 * @returns {Uint8Array[]}
 */
function growthOf(m, leaves, known = true) {
  if (m === leaves.length) return known ? [] : [rootOf(leaves)];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m <= k ? [...growthOf(m, left, known), rootOf(right)] : [...growthOf(m - k, right, false), rootOf(left)];
}

describe('our own trees', () => {
  test('a tree that grows has the root of the definition at every size', () => {
    const tree = new Tree();
    for (const [i, leaf] of LEAVES.entries()) {
      assert.equal(toHex(tree.root()), toHex(rootOf(LEAVES.slice(0, i))));
      tree.append(leaf);
      assert.equal(tree.size, i + 1);
    }
  });

  test('every leaf of every tree is included, at its place and no other', () => {
    for (let n = 1; n <= LEAVES.length; n += 1) {
      const leaves = LEAVES.slice(0, n);
      const claim = { size: BigInt(n), root: rootOf(leaves) };
      for (let m = 0; m < n; m += 1) {
        const proof = pathOf(m, leaves);
        const leaf = leafHash(/** @type {Uint8Array} */ (leaves[m]));
        checkInclusion({ ...claim, index: BigInt(m), leaf, proof });
        refused('proof', () => checkInclusion({ ...claim, index: BigInt((m + 1) % (n + 1)), leaf, proof }), `${m} of ${n}`);
      }
    }
  });

  test('every tree goes on from every smaller one but the empty', () => {
    for (let n = 1; n <= LEAVES.length; n += 1) {
      const leaves = LEAVES.slice(0, n);
      for (let m = 1; m <= n; m += 1) {
        const claim = { oldSize: BigInt(m), oldRoot: rootOf(leaves.slice(0, m)), size: BigInt(n), root: rootOf(leaves) };
        const proof = growthOf(m, leaves);
        checkConsistency({ ...claim, proof });
        refused('proof', () => checkConsistency({ ...claim, proof: [...proof, claim.root] }), `${m} to ${n}, longer`);
        if (m < n) refused('proof', () => checkConsistency({ ...claim, proof, oldRoot: rootOf(leaves.slice(1, m + 1)) }), `${m} to ${n}`);
      }
      refused('proof', () => checkConsistency({ oldSize: 0n, oldRoot: emptyRoot(), size: BigInt(n), root: rootOf(leaves), proof: [] }));
    }
  });

  test('64 hashes are the most; a size has 64 bits; a hash has 32 bytes', () => {
    const hash = emptyRoot();
    // The whole right edge of the largest tree: every hash stands to the left.
    const size = 2n ** 64n - 1n;
    const proof = Array.from({ length: 63 }, () => hash);
    const root = proof.reduce((right, left) => nodeHash(left, right), hash);
    checkInclusion({ index: size - 1n, size, leaf: hash, root, proof });
    const longer = Array.from({ length: 65 }, () => hash);
    refused('proof', () => checkInclusion({ index: 0n, size, leaf: hash, root, proof: longer }));
    refused('proof', () => checkInclusion({ index: 0n, size: size + 2n, leaf: hash, root, proof }));
    refused('proof', () => checkInclusion({ index: 0n, size: 1n, leaf: hash.slice(1), root: hash.slice(1), proof: [] }));
  });
});
