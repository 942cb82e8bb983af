/**
 * Proofs of RFC 6962: that a leaf stands in a tree, that one tree goes on from another.
 *
 * The way to the root is read from the bits of index and size (RFC 9162, 2.1.3.2 and 2.1.4.2); 64 bits, so bigints.
 * @module
 */

import { U64_MAX, equalBytes } from './bytes.js';
import { HASH_BYTES, nodeHash } from './digest.js';
import { refuse } from './refusal.js';

/** The most hashes of a proof. */
export const PROOF_HASHES_MAX = 64;

/**
 * @typedef {{ index: bigint, size: bigint, leaf: Uint8Array, root: Uint8Array, proof: Uint8Array[] }} Inclusion
 */

/**
 * Refuses unless the leaf stands at this place of the tree.
 * @param {Inclusion} claim
 */
export function checkInclusion(claim) {
  const { index, size, leaf, root, proof } = claim;
  checkForm([leaf, root], proof, [index, size]);
  const fault = inclusionFault(claim);
  if (fault !== null) refuse('proof', `${fault}: place ${index} in a tree of ${size}, ${proof.length} hashes`);
}

/**
 * What is wrong with a claim that is of its form: the place lies beyond the tree, the way has another length, or it leads to
 * another root.
 * @param {Inclusion} claim
 * @returns {null | 'range' | 'length' | 'root'} null where it holds
 */
export function inclusionFault({ index, size, leaf, root, proof }) {
  if (index >= size) return 'range';
  let place = index;
  let last = size - 1n;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0n) return 'length';
    if (odd(place) || place === last) {
      hash = nodeHash(sibling, hash);
      [place, last] = toRightChild(place, last);
    } else {
      hash = nodeHash(hash, sibling);
    }
    place >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) return 'length';
  return equalBytes(hash, root) ? null : 'root';
}

/**
 * Refuses unless the tree goes on from the old one. From an empty tree nothing can be proved, so that is refused too.
 * @param {{ oldSize: bigint, oldRoot: Uint8Array, size: bigint, root: Uint8Array, proof: Uint8Array[] }} claim
 */
export function checkConsistency({ oldSize, oldRoot, size, root, proof }) {
  checkForm([oldRoot, root], proof, [oldSize, size]);
  if (oldSize === 0n) refuse('proof', 'from an empty tree nothing is proved');
  if (oldSize > size) refuse('proof', `from ${oldSize} to ${size} leaves`);
  if (oldSize === size) {
    if (proof.length > 0) refuse('proof', 'a hash too many');
    if (!equalBytes(oldRoot, root)) refuse('proof', 'another root');
    return;
  }
  let place = oldSize - 1n;
  let last = size - 1n;
  while (odd(place)) {
    place >>= 1n;
    last >>= 1n;
  }
  // An old tree that is complete is a node of the new one: its root is not repeated in the proof.
  const hashes = place === 0n ? [oldRoot, ...proof] : proof;
  const [first, ...siblings] = hashes;
  if (first === undefined) return refuse('proof', 'a hash too few');
  let before = first;
  let after = first;
  for (const sibling of siblings) {
    if (last === 0n) refuse('proof', 'a hash too many');
    if (odd(place) || place === last) {
      before = nodeHash(sibling, before);
      after = nodeHash(sibling, after);
      [place, last] = toRightChild(place, last);
    } else {
      after = nodeHash(after, sibling);
    }
    place >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) refuse('proof', 'a hash too few');
  if (!equalBytes(before, oldRoot)) refuse('proof', 'another old root');
  if (!equalBytes(after, root)) refuse('proof', 'another root');
}

/** @param {bigint} value */
function odd(value) {
  return (value & 1n) === 1n;
}

/**
 * Levels at which a node at the right edge has no sibling are passed over.
 * @param {bigint} place
 * @param {bigint} last
 * @returns {[bigint, bigint]}
 */
function toRightChild(place, last) {
  while (!odd(place) && place !== 0n) {
    place >>= 1n;
    last >>= 1n;
  }
  return [place, last];
}

/**
 * @param {Uint8Array[]} hashes
 * @param {Uint8Array[]} proof
 * @param {bigint[]} sizes
 */
function checkForm(hashes, proof, sizes) {
  if (proof.length > PROOF_HASHES_MAX) refuse('proof', `${proof.length} hashes`);
  if ([...hashes, ...proof].some((hash) => hash.length !== HASH_BYTES)) refuse('proof', `a hash has ${HASH_BYTES} bytes`);
  if (sizes.some((size) => size < 0n || size > U64_MAX)) refuse('proof', 'a size beyond 64 bits');
}
