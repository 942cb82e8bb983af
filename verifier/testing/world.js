/**
 * A small world that seals records as a store does: logs, threads, streams, proofs. For tests alone.
 * @module
 */

import { commitment, entryHash, genesisHash, leafHash, nodeHash, recordHash } from '../src/digest.js';
import { encode, encodeFields } from './encode.js';

/**
 * @typedef {{ slot: number, index?: number, content?: any, bytes?: Uint8Array, shown?: 'opened' | 'hidden' | 'erased' }} DraftPart
 * @typedef {{ name: string, tenant: string, thread: Uint8Array, stream?: boolean, header?: Record<number, any>,
 *   entry?: Record<number, any>, parts?: DraftPart[], headerBytes?: Uint8Array }} Draft `header` and `entry`: fields in place of the usual ones
 * @typedef {{ draft: Draft, seq: number, entry: Uint8Array, record: Uint8Array, n: number,
 *   parts: { slot: number, index: number, salt: Uint8Array, plaintext: Uint8Array, shown: string }[] }} Sealed
 */

/**
 * Sixteen bytes that look like a handle.
 * @param {number} byte
 */
export function handle(byte) {
  return new Uint8Array(16).fill(byte);
}

/** One log of a store. */
export class World {
  /** @type {Sealed[]} */
  sealed = [];
  /** @type {Map<string, { n: number, record: Uint8Array }>} */
  #heads = new Map();
  #prev;

  /** @param {{ store: Uint8Array, epoch: bigint, tenant: string }} log */
  constructor({ store, epoch, tenant }) {
    this.store = store;
    this.epoch = epoch;
    this.tenant = tenant;
    this.#prev = genesisHash({ store, epoch, tenant, predecessor: new Uint8Array() });
  }

  /** Where the threads end now, the last record of each. */
  get heads() {
    return new Map(this.#heads);
  }

  /**
   * @param {Draft} draft
   * @returns {Sealed}
   */
  seal(draft) {
    const seq = this.sealed.length;
    const key = draft.thread.join();
    const before = this.#heads.get(key);
    const n = before === undefined ? 0 : before.n + 1;
    const prev = before?.record ?? null;
    const parts = (draft.parts ?? []).map(({ slot, index = 0, content, bytes, shown = 'opened' }) => {
      const salt = new Uint8Array(32).fill(16 * slot + index + seq);
      return { slot, index, salt, plaintext: bytes ?? encode(content), shown };
    });
    const stream = draft.stream ?? false;
    const header =
      draft.headerBytes ??
      encodeFields({
        1: 1, 2: 1, 3: this.store, 4: this.tenant, 5: draft.thread, 6: stream ? null : n, 7: stream ? null : prev, 8: 2, 9: 1_783_000_000_000 + seq * 1000,
        13: [4, 5, 1, 0], 14: 2, 15: 1, 16: 0, 18: [], 24: 1,
        27: parts.map(({ slot, index, salt, plaintext }) => [slot, index, commitment(salt, plaintext)]),
        ...draft.header,
      });
    const entry = encodeFields({
      1: 1, 2: 1, 3: this.store, 4: this.epoch, 5: this.tenant, 6: seq, 7: this.#prev, 8: 1_783_000_000_500 + seq * 1000,
      9: stream ? n : null, 10: stream ? prev : null, 12: header, ...draft.entry,
    });
    const record = recordHash(header);
    this.#heads.set(key, { n, record });
    this.#prev = entryHash(entry);
    const sealed = { draft, seq, entry, record, n, parts };
    this.sealed.push(sealed);
    return sealed;
  }

  /** @param {number} [size] */
  root(size = this.sealed.length) {
    return rootOf(this.#leaves(size));
  }

  /**
   * An item of a bundle.
   * @param {Sealed} sealed
   * @param {number} [size] of the tree that the proof leads to
   */
  item(sealed, size = this.sealed.length) {
    const shown = sealed.parts.filter((part) => part.shown === 'opened');
    const withheld = sealed.parts.filter((part) => part.shown !== 'opened');
    return {
      entry: sealed.entry,
      proof: sealed.seq < size ? proofOf(this.#leaves(size), sealed.seq) : [],
      opened: shown.map(({ slot, index, salt, plaintext }) => [slot, index, salt, plaintext]),
      withheld: withheld.map(({ slot, index, shown: why }) => [slot, index, why === 'hidden' ? 1 : 2]),
    };
  }

  /** @param {number} size */
  #leaves(size) {
    return this.sealed.slice(0, size).map(({ entry }) => leafHash(entry));
  }
}

/**
 * @param {Uint8Array[]} leaves one at least
 * @returns {Uint8Array}
 */
export function rootOf(leaves) {
  if (leaves.length === 1) return /** @type {Uint8Array} */ (leaves[0]);
  const left = leftSize(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, left)), rootOf(leaves.slice(left)));
}

/**
 * @param {Uint8Array[]} leaves
 * @param {number} place
 * @returns {Uint8Array[]} the hash nearest the leaf first
 */
export function proofOf(leaves, place) {
  if (leaves.length === 1) return [];
  const left = leftSize(leaves.length);
  if (place < left) return [...proofOf(leaves.slice(0, left), place), rootOf(leaves.slice(left))];
  return [...proofOf(leaves.slice(left), place - left), rootOf(leaves.slice(0, left))];
}

/** @param {number} size above 1 */
function leftSize(size) {
  let left = 1;
  while (left * 2 < size) left *= 2;
  return left;
}
