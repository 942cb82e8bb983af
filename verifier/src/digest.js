/**
 * Every hash, each in a domain of its own. Nothing else in this package hashes, but for signatures.
 * @module
 */

import { blake3 } from '@noble/hashes/blake3.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, u64Bytes } from './bytes.js';
import { utf8 } from './text.js';

/** How many bytes a hash has. */
export const HASH_BYTES = 32;
/** How many bytes a salt has. */
export const SALT_BYTES = 32;

const RECORD = utf8('hos 2026-11 record-hash v1');
const ENTRY = utf8('hos 2026-11 entry-hash v1');
const GENESIS = utf8('hos 2026-11 genesis-hash v1');
const COMMITMENT = utf8('hos 2026-11 part-commitment v1');
const LAW = utf8('hos 2026-11 law-hash v1');
const HEADS_LABEL = utf8('hos 2026-11 heads-label v1');
const HEADS_THREAD = utf8('hos 2026-11 heads-thread v1');
const HEADS_LEAF = utf8('hos 2026-11 heads-leaf v1');
const HEADS_NODE = utf8('hos 2026-11 heads-node v1');

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/**
 * @param {Uint8Array} context
 * @param {...Uint8Array} pieces
 * @returns {Uint8Array}
 */
function derived(context, ...pieces) {
  const hash = blake3.create({ context });
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

/**
 * @param {...Uint8Array} pieces
 * @returns {Uint8Array}
 */
function sha(...pieces) {
  const hash = sha256.create();
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

/** @param {Uint8Array} header the bytes as they were given, never an encoding of one's own */
export function recordHash(header) {
  return derived(RECORD, header);
}

/** @param {Uint8Array} entry the bytes as they were given */
export function entryHash(entry) {
  return derived(ENTRY, entry);
}

/**
 * What the first entry of a log cites.
 * @param {{ store: Uint8Array, epoch: bigint, tenant: string, predecessor: Uint8Array }} genesis the predecessor is empty, or
 *   the whole note of the checkpoint that the log goes on from
 */
export function genesisHash({ store, epoch, tenant, predecessor }) {
  const name = utf8(tenant);
  return derived(GENESIS, store, u64Bytes(epoch), ...counted(name), ...counted(predecessor));
}

/**
 * @param {Uint8Array} salt
 * @param {Uint8Array} plaintext
 */
export function commitment(salt, plaintext) {
  return derived(COMMITMENT, salt, ...counted(plaintext));
}

/** @param {{ path: string, bytes: Uint8Array }[]} files ascending by the bytes of their paths */
export function lawHash(files) {
  const hash = blake3.create({ context: LAW }).update(u64Bytes(BigInt(files.length)));
  for (const { path, bytes } of files) for (const piece of [...counted(utf8(path)), ...counted(bytes)]) hash.update(piece);
  return hash.digest();
}

/**
 * The key under which the map of heads knows an instance by its id.
 * @param {string} tenant
 * @param {string} contract
 * @param {string} id
 */
export function headsLabel(tenant, contract, id) {
  return derived(HEADS_LABEL, ...[tenant, contract, id].flatMap((text) => counted(utf8(text))));
}

/**
 * The key under which the map of heads knows a thread that has no label.
 * @param {string} tenant
 * @param {Uint8Array} thread its handle
 */
export function headsThread(tenant, thread) {
  return derived(HEADS_THREAD, ...counted(utf8(tenant)), thread);
}

/**
 * @param {{ key: Uint8Array, kind: number, thread: Uint8Array, n: bigint, record: Uint8Array }} leaf where a thread ends
 */
export function headsLeaf({ key, kind, thread, n, record }) {
  return derived(HEADS_LEAF, key, Uint8Array.of(kind), thread, u64Bytes(n), record);
}

/**
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 */
export function headsNode(left, right) {
  return derived(HEADS_NODE, left, right);
}

/** @param {Uint8Array} entry */
export function leafHash(entry) {
  return sha(LEAF, entry);
}

/**
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 */
export function nodeHash(left, right) {
  return sha(NODE, left, right);
}

/** The root of a tree without leaves. */
export function emptyRoot() {
  return sha();
}

/**
 * The first four bytes of SHA-256: what tells keys of one name apart.
 * @param {string} name
 * @param {number} type of the signature
 * @param {Uint8Array} publicKey
 */
export function keyId(name, type, publicKey) {
  return sha(concatBytes(utf8(name), Uint8Array.of(0x0a, type), publicKey)).subarray(0, 4);
}

/**
 * @param {Uint8Array} bytes
 * @returns {[Uint8Array, Uint8Array]} length and bytes
 */
function counted(bytes) {
  return [u64Bytes(BigInt(bytes.length)), bytes];
}
