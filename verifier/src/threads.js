/**
 * The order within each thread: n ascends by one from 0, each record cites the one before.
 * @module
 */

import { equalBytes, toHex } from './bytes.js';
import { refuse } from './refusal.js';

/**
 * @typedef {{ n: bigint, prev: Uint8Array | null }} Place
 * @typedef {{ n: bigint, record: Uint8Array }} Head the last record of a thread
 */

/**
 * Where a record stands: an instance's record says it in its header, a named stream's in its entry. Both or neither is no place.
 * @param {{ n: bigint | null, prev: Uint8Array | null }} header
 * @param {{ streamN: bigint | null, streamPrev: Uint8Array | null }} entry
 * @returns {Place}
 */
export function placeOf(header, entry) {
  if (header.n !== null && entry.streamN === null) return { n: header.n, prev: header.prev };
  if (header.n === null && entry.streamN !== null) return { n: entry.streamN, prev: entry.streamPrev };
  return refuse('placed', header.n === null ? 'a place in neither header nor entry' : 'a place in header and entry');
}

/** The last record of every thread of one log. */
export class Threads {
  /** @type {Map<string, Head>} */
  #heads = new Map();

  /** How many threads there are. */
  get count() {
    return this.#heads.size;
  }

  /**
   * @param {Uint8Array} thread
   * @returns {Head | null}
   */
  head(thread) {
    return this.#heads.get(toHex(thread)) ?? null;
  }

  /**
   * Refuses a record that does not follow its thread.
   * @param {Uint8Array} thread
   * @param {Place} place
   */
  check(thread, { n, prev }) {
    const head = this.head(thread);
    const due = head === null ? 0n : head.n + 1n;
    if (n !== due) refuse('thread_n', `n ${n} where ${due} is due`);
    // A first record has no previous hash: a header or entry that says otherwise does not decode.
    if (head !== null && (prev === null || !equalBytes(prev, head.record))) refuse('thread_prev', 'another record is cited');
  }

  /**
   * Goes on from a record.
   * @param {Uint8Array} thread
   * @param {bigint} n
   * @param {Uint8Array} record its hash
   */
  advance(thread, n, record) {
    this.#heads.set(toHex(thread), { n, record });
  }
}
