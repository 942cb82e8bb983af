/**
 * A log from its entries: what holds, what does not and where, and who vouches for it.
 *
 * A break is told once, and the reading goes on from what is there, so that one break does not hide the next.
 * @module
 */

import { equalBytes } from './bytes.js';
import { openCheckpoint, originOf } from './checkpoint.js';
import { entryHash, genesisHash, recordHash } from './digest.js';
import { decodeEntry } from './entry.js';
import { decodeHeader } from './header.js';
import { checkParts } from './parts.js';
import { Refusal, attempt, refuse } from './refusal.js';
import { Threads, placeOf } from './threads.js';
import { Tree } from './tree.js';

/**
 * @typedef {{ store: Uint8Array, epoch: bigint, tenant: string, predecessor: Uint8Array }} Genesis
 * @typedef {{ seq: bigint, code: string, detail: string }} Failure of a checkpoint the seq is its size; of a note that
 *   does not hold, how many entries had been read
 * @typedef {{ level: 'broken' | 'intact' | 'anchored', size: number, root: Uint8Array, head: Uint8Array, threads: number,
 *   parts: number, erased: number, withheld: number, disputed: number, anchors: bigint[], failures: Failure[] }} LogReport
 * @typedef {{ notes: Uint8Array[], key: import('./key.js').VerifierKey }} Vouching
 * @typedef {import('./checkpoint.js').Checkpoint} Checkpoint
 * @typedef {import('./entry.js').Entry} Entry
 * @typedef {import('./parts.js').Shown} Shown
 */

/** Reads a log, entry by entry. */
export class LogVerifier {
  #genesis;
  #key;
  /** @type {Failure[]} */
  #failures = [];
  /** @type {Checkpoint[]} those that were opened, waiting for the log to reach their size */
  #waiting = [];
  /** @type {bigint[]} */
  #anchors = [];
  #tree = new Tree();
  #threads = new Threads();
  #counts = { parts: 0, erased: 0, withheld: 0, disputed: 0 };
  #seq = 0n;
  #sealedAt = 0;
  #head;

  /**
   * @param {Genesis} genesis
   * @param {Vouching | null} vouching checkpoints that were kept outside, and the key that the reader trusts
   */
  constructor(genesis, vouching = null) {
    this.#genesis = genesis;
    this.#key = vouching?.key ?? null;
    this.#head = genesisHash(genesis);
    for (const note of vouching?.notes ?? []) this.note(note);
  }

  /**
   * A checkpoint that comes while the log is read. One of a size that has passed already can no longer be compared.
   * @param {Uint8Array} bytes
   */
  note(bytes) {
    const key = this.#key;
    if (key === null) throw new Error('a note, and no key to believe it by');
    const read = BigInt(this.#tree.size);
    const checkpoint = this.#noted(read, 'checkpoint', () => openCheckpoint(bytes, key, originOf(this.#genesis)));
    if (checkpoint === null) return;
    if (checkpoint.size < read) this.#fail(checkpoint.size, 'checkpoint.late', `${read} entries are read already`);
    else this.#waiting.push(checkpoint);
    this.#meet();
  }

  /**
   * @param {Uint8Array} bytes of the next entry
   * @param {Shown[] | null} [shown] its record's parts; null: withheld
   */
  push(bytes, shown = null) {
    const entry = this.#entry(bytes);
    this.#seq = (entry?.seq ?? this.#seq) + 1n;
    this.#sealedAt = entry?.sealedAt ?? this.#sealedAt;
    this.#head = entryHash(bytes);
    this.#tree.append(bytes);
    if (entry?.disputed === null) this.#record(entry, shown);
    else if (entry !== null) this.#dispute(entry);
    this.#meet();
  }

  /** @returns {LogReport} */
  finish() {
    const failures = [...this.#failures];
    for (const { size } of this.#waiting) {
      failures.push({ seq: size, code: 'checkpoint.beyond', detail: `there are ${this.#tree.size} entries: the end was lost` });
    }
    return {
      level: failures.length > 0 ? 'broken' : this.#anchors.length > 0 ? 'anchored' : 'intact',
      size: this.#tree.size,
      root: this.#tree.root(),
      head: this.#head,
      threads: this.#threads.count,
      ...this.#counts,
      anchors: [...this.#anchors],
      failures,
    };
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {Entry | null} null where it cannot be read
   */
  #entry(bytes) {
    const entry = this.#noted(this.#seq, 'entry', () => decodeEntry(bytes));
    if (entry !== null) this.#noted(entry.seq, 'log', () => this.#follows(entry));
    return entry;
  }

  /** @param {Entry} entry */
  #follows(entry) {
    const { store, epoch, tenant } = this.#genesis;
    if (!equalBytes(entry.store, store)) refuse('store', 'of another store');
    if (entry.epoch !== epoch) refuse('epoch', `of epoch ${entry.epoch}`);
    if (entry.tenant !== tenant) refuse('tenant', `of tenant ${entry.tenant}`);
    if (entry.seq !== this.#seq) refuse('seq', `where ${this.#seq} is due`);
    if (!equalBytes(entry.prev, this.#head)) refuse('prev', 'another entry is cited');
    if (entry.sealedAt < this.#sealedAt) refuse('sealed_at', 'sealed before the entry before');
  }

  /**
   * @param {Entry} entry
   * @param {Shown[] | null} shown
   */
  #record(entry, shown) {
    const header = this.#noted(entry.seq, 'header', () => decodeHeader(entry.header));
    if (header === null) return;
    if (!equalBytes(header.store, entry.store) || header.tenant !== entry.tenant) {
      this.#fail(entry.seq, 'foreign', 'the header names another store or tenant');
      return;
    }
    const place = this.#noted(entry.seq, 'thread', () => placeOf(header, entry));
    if (place === null) return;
    this.#noted(entry.seq, 'thread', () => this.#threads.check(header.thread, place));
    this.#threads.advance(header.thread, place.n, recordHash(entry.header));
    this.#parts(entry.seq, header, shown);
  }

  /**
   * Nothing of a disputed record is vouched for; it moves its thread on where it can be read and follows it.
   * @param {Entry} entry
   */
  #dispute(entry) {
    this.#counts.disputed += 1;
    const { store, tenant } = this.#genesis;
    attempt(() => {
      const header = decodeHeader(entry.header);
      if (!equalBytes(header.store, store) || header.tenant !== tenant) return;
      const place = placeOf(header, entry);
      this.#threads.check(header.thread, place);
      this.#threads.advance(header.thread, place.n, recordHash(entry.header));
    });
  }

  /**
   * @param {bigint} seq
   * @param {ReturnType<typeof decodeHeader>} header
   * @param {Shown[] | null} shown
   */
  #parts(seq, header, shown) {
    const { held, erased, withheld, failures } = checkParts(header.parts, shown);
    this.#counts.parts += held.length;
    this.#counts.erased += erased;
    this.#counts.withheld += withheld;
    for (const { slot, index, code } of failures) this.#fail(seq, `part.${code}`, `slot ${slot}, index ${index}`);
  }

  /** Compares the checkpoints of this size. */
  #meet() {
    const size = BigInt(this.#tree.size);
    const due = this.#waiting.filter((checkpoint) => checkpoint.size === size);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter((checkpoint) => checkpoint.size !== size);
    const root = this.#tree.root();
    for (const checkpoint of due) {
      if (!equalBytes(checkpoint.root, root)) this.#fail(size, 'checkpoint.root', 'another root');
      // A checkpoint of nothing vouches for nothing.
      else if (size > 0n) this.#anchors.push(size);
    }
  }

  /**
   * Notes a refusal as a failure of a layer.
   * @template T
   * @param {bigint} seq
   * @param {string} layer
   * @param {() => T} check
   * @returns {T | null} null where it was refused
   */
  #noted(seq, layer, check) {
    const outcome = attempt(check);
    if (!(outcome instanceof Refusal)) return outcome;
    this.#fail(seq, `${layer}.${outcome.code}`, outcome.detail);
    return null;
  }

  /**
   * @param {bigint} seq
   * @param {string} code
   * @param {string} detail
   */
  #fail(seq, code, detail) {
    this.#failures.push({ seq, code, detail });
  }
}
