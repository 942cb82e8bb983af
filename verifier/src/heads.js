/**
 * The map of heads: where each thread of a tenant ends. One leaf says that a thread ends here, the lack of one that there is none.
 * @module
 */

import { compareBytes, equalBytes } from './bytes.js';
import { HASH_BYTES, headsLeaf, headsNode, headsThread } from './digest.js';
import { refuse } from './refusal.js';

/** The most siblings on a way: one for each bit of a key. */
export const SIBLINGS_MAX = 256;
/** The kind of a leaf whose thread stands. */
export const STANDING = 1;
/** The kind of a leaf whose thread was erased: its tombstone. */
export const ERASED = 2;
/** What stands for a subtree without leaves. */
export const NOTHING = new Uint8Array(HASH_BYTES);

const HANDLE_BYTES = 16;

/**
 * @typedef {{ key: Uint8Array, kind: number, thread: Uint8Array, n: bigint, record: Uint8Array }} HeadsLeaf where a thread ends:
 *   its last record's place and hash
 */

/**
 * The key under which the map knows a thread.
 * @param {{ tenant: string, thread: Uint8Array, label: Uint8Array | null }} first what the thread's first header says
 */
export function headsKey({ tenant, thread, label }) {
  return label ?? headsThread(tenant, thread);
}

/**
 * Refuses unless the map has this leaf.
 * @param {{ leaf: HeadsLeaf, siblings: Uint8Array[], root: Uint8Array }} claim siblings from the end of the way up to the root
 */
export function checkPresence({ leaf, siblings, root }) {
  checkWay(siblings, root);
  if (!equalBytes(fold(leaf.key, leafHashOf(leaf), siblings), root)) refuse('proof', 'the way leads to another root');
}

/**
 * Refuses unless the map has no leaf of this key.
 * @param {{ key: Uint8Array, end: HeadsLeaf | null, siblings: Uint8Array[], root: Uint8Array }} claim the end of the key's way is
 *   nothing (null) or another key's leaf
 */
export function checkAbsence({ key, end, siblings, root }) {
  checkWay(siblings, root);
  if (key.length !== HASH_BYTES) refuse('proof', 'a key has another length');
  if (end !== null) {
    const hash = leafHashOf(end);
    if (equalBytes(end.key, key)) refuse('proof', 'the leaf is of the very key');
    if (sharedBits(end.key, key) < siblings.length) refuse('proof', "the leaf's key leaves the way before its end");
    if (!equalBytes(fold(key, hash, siblings), root)) refuse('proof', 'the way leads to another root');
  } else if (!equalBytes(fold(key, NOTHING, siblings), root)) refuse('proof', 'the way leads to another root');
}

/**
 * A bit of a key, the first byte's most significant being bit 0.
 * @param {Uint8Array} key
 * @param {number} place
 */
export function bitOf(key, place) {
  return (/** @type {number} */ (key[place >> 3]) >> (7 - (place & 7))) & 1;
}

/** @param {HeadsLeaf} leaf */
function leafHashOf(leaf) {
  const lengths = leaf.key.length === HASH_BYTES && leaf.thread.length === HANDLE_BYTES && leaf.record.length === HASH_BYTES;
  if (!lengths || (leaf.kind !== STANDING && leaf.kind !== ERASED)) refuse('proof', 'no leaf of a map');
  return headsLeaf(leaf);
}

/**
 * @param {Uint8Array} key
 * @param {Uint8Array} hash at the end of the way
 * @param {Uint8Array[]} siblings
 */
function fold(key, hash, siblings) {
  let depth = siblings.length;
  for (const sibling of siblings) {
    depth -= 1;
    hash = bitOf(key, depth) === 0 ? headsNode(hash, sibling) : headsNode(sibling, hash);
  }
  return hash;
}

/**
 * @param {Uint8Array[]} siblings
 * @param {Uint8Array} root
 */
function checkWay(siblings, root) {
  if (siblings.length > SIBLINGS_MAX) refuse('proof', `${siblings.length} siblings`);
  if ([root, ...siblings].some(({ length }) => length !== HASH_BYTES)) refuse('proof', `a hash has ${HASH_BYTES} bytes`);
}

/**
 * How many bits two keys have in common before they part.
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function sharedBits(a, b) {
  let bits = 0;
  while (bits < a.length * 8 && bitOf(a, bits) === bitOf(b, bits)) bits += 1;
  return bits;
}

/**
 * Leaves ascend by key.
 * @param {{ key: Uint8Array }} a
 * @param {{ key: Uint8Array }} b
 */
export function compareKeys(a, b) {
  return compareBytes(a.key, b.key);
}
