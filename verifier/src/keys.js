/**
 * The records of keys: which key had the turn in which log at which size, and whether that is what a bundle lists.
 * @module
 */

import { compareBytes, equalBytes, toHex } from './bytes.js';
import { openCheckpoint, originOf } from './checkpoint.js';
import { keyChangeOf } from './contents.js';
import { keyText, renamed } from './key.js';
import { UNIVERSE } from './logs.js';
import { Refusal, attempt, refuse } from './refusal.js';
import { isTenant, utf8 } from './text.js';

/** The kind of a record of keys. */
export const KEY_KIND = 18;
/** The stream's class, which its records' headers name. */
const STREAM = 'hos.keys';
const CONTENT_SLOT = 9;
const REASON_BYTES_MAX = 1024;
/** How many keys a store has at most. */
const KEYS_MAX = 256;

/**
 * @typedef {import('./bundle.js').Bundle} Bundle
 * @typedef {import('./contents.js').KeyChange} KeyChange
 * @typedef {import('./contents.js').Sizes} Sizes
 * @typedef {import('./place.js').Place} Place
 * @typedef {import('./proved.js').BelievedLog} BelievedLog
 * @typedef {import('./proved.js').Proved} Proved
 * @typedef {{ key: Uint8Array, from: bigint, to: bigint }} Range from included, to included; 0: until now
 * @typedef {{ key: Uint8Array, from: Map<string, bigint>, confirmed: boolean }} Turn
 */

/**
 * Step 5, the last of it: where the records of keys are all there to be read, they say who signs what, and nothing else does.
 * @param {Bundle} bundle
 * @param {BelievedLog[]} logs
 * @param {Proved[]} cited
 * @param {import('./key.js').VerifierKey[]} named the keys that the trust file names for log 0
 * @param {Place} place
 * @returns {boolean} whether one of the keys named is none that the records tell of
 */
export function checkKeys({ keys }, logs, cited, named, place) {
  const records = place.at('keys', () => streamOf(logs, cited));
  const shown = records.length > 0 && records.every((record) => contentOf(record) !== undefined);
  if (!shown && named.length > 1) place.at('keys', () => refuse('key.missing', 'the records of keys are not shown, and the trust file names several keys'));
  if (!shown) return false;
  const turns = place.at('keys', () => turnsOf(records));
  logs.forEach((log, i) =>
    place.at(`logs ${i}`, () => {
      if (!log.keys.some(({ publicKey }) => turns.counts(publicKey, log))) rangeFault(`${log.origin} is signed by a key that does not count for ${log.size} entries`);
    }),
  );
  const due = logs.flatMap((log, i) => turns.ranges(log.tenant).map(({ key, from, to }) => ({ log: i, vkey: keyText(renamed({ publicKey: key }, log.origin)), from, to })));
  const same = keys.length === due.length && due.every(({ log, vkey, from, to }, i) => keys[i]?.log === log && keys[i]?.vkey === vkey && keys[i]?.from === from && keys[i]?.to === to);
  place.at('keys', () => {
    if (!same) rangeFault('the ranges listed are not those of the records of keys');
  });
  return named.length > 1 && named.some(({ publicKey }) => !turns.tellOf(publicKey));
}

/**
 * The stream is the thread in which a record of its class has its place in the entry; whatever else is in that thread does not belong there.
 * @param {BelievedLog[]} logs
 * @param {Proved[]} cited
 * @returns {Proved[]} none where there is no such thread
 */
function streamOf(logs, cited) {
  const above = cited.filter(({ log }) => logs[log]?.tenant === UNIVERSE);
  const ofClass = (/** @type {Proved} */ { header, entry }) => header.event === STREAM && entry.streamN !== null;
  const threads = new Set(above.filter(ofClass).map(({ header }) => toHex(header.thread)));
  if (threads.size > 1) rangeFault('two threads of keys');
  const records = above.filter(({ header }) => threads.has(toHex(header.thread)));
  const stranger = records.find((record) => !ofClass(record) || record.header.kind !== KEY_KIND);
  if (stranger !== undefined) rangeFault(`a record of kind ${stranger.header.kind}, or of another class, among those of keys`);
  return records;
}

/** @param {Proved[]} records of one stream */
function turnsOf(records) {
  const turns = new Turns();
  for (const record of records) turns.add(record);
  return turns;
}

/** The keys of a store, in the order of their turns. */
class Turns {
  /** @type {Turn[]} */
  #turns = [];
  /** @type {{ key: Uint8Array, from: Map<string, bigint> }[]} */
  #revoked = [];

  /**
   * The stream's next record.
   * @param {Proved} record
   */
  add(record) {
    const change = attempt(() => keyChangeOf(contentOf(record)?.plaintext ?? new Uint8Array()));
    if (change instanceof Refusal) return rangeFault(`a record of keys that cannot be read: ${change.detail}`);
    if ((change.op === 'first') !== (this.#turns.length === 0)) rangeFault('the first record is a first key, and no other is');
    if (change.op === 'first') this.#turns.push({ key: change.key, from: new Map(), confirmed: true });
    else if (change.op === 'rotated') this.#rotate(change, record);
    else if (change.op === 'confirmed') this.#confirm(change, record);
    else this.#revoke(change);
  }

  /**
   * Whether a key's signature counts in a log at its size.
   * @param {Uint8Array} key
   * @param {{ tenant: string, size: bigint }} log
   */
  counts(key, { tenant, size }) {
    const turn = this.#turns.findLast(({ from }) => (from.get(tenant) ?? 0n) <= size);
    const end = this.#revokedFrom(key, tenant);
    return turn !== undefined && equalBytes(turn.key, key) && (end === null || size < end);
  }

  /**
   * Whether a key was the first, or its change was confirmed.
   * @param {Uint8Array} key
   */
  tellOf(key) {
    return this.#turns.some((turn) => turn.confirmed && equalBytes(turn.key, key));
  }

  /**
   * The sizes for which each key counts in a log, without those that hold none but 0.
   * @param {string} tenant
   * @returns {Range[]}
   */
  ranges(tenant) {
    const begins = this.#turns.map(({ from }) => from.get(tenant) ?? 0n);
    return this.#turns.flatMap(({ key }, i) => {
      const from = /** @type {bigint} */ (begins[i]);
      const next = begins[i + 1];
      // The last key is in force: it is not revoked.
      if (next === undefined) return [{ key, from, to: 0n }];
      const revoked = this.#revokedFrom(key, tenant);
      const end = revoked !== null && revoked < next ? revoked : next;
      return end <= from || end <= 1n ? [] : [{ key, from, to: end - 1n }];
    });
  }

  /**
   * The least size from which on a key is revoked in a log, whichever record says so.
   * @param {Uint8Array} key
   * @param {string} tenant
   * @returns {bigint | null} null: it is not
   */
  #revokedFrom(key, tenant) {
    return this.#revoked.reduce((/** @type {bigint | null} */ least, one) => {
      const from = equalBytes(one.key, key) ? one.from.get(tenant) : undefined;
      return from !== undefined && (least === null || from < least) ? from : least;
    }, null);
  }

  /**
   * @param {KeyChange & { op: 'rotated' }} change
   * @param {Proved} record
   */
  #rotate({ key, sizes }, { entry }) {
    const before = this.#last;
    if (!before.confirmed) rangeFault('a change before the one before it is confirmed');
    if (this.#turns.some((turn) => equalBytes(turn.key, key))) rangeFault(`the key ${toHex(key)} comes twice`);
    if (this.#turns.length >= KEYS_MAX) rangeFault(`more than ${KEYS_MAX} keys`);
    const from = sizesByTenant(sizes);
    if ([...from.values()].includes(0n)) rangeFault('a change from the size 0 on');
    for (const [tenant, size] of before.from) {
      if ((from.get(tenant) ?? -1n) < size) rangeFault(`the change goes back in ${tenant}, or leaves it out`);
    }
    // The record itself is under the old key, and so is the tree that it makes.
    if (from.get(UNIVERSE) !== entry.seq + 2n) rangeFault('the universe is not named from the size behind the change on');
    this.#turns.push({ key, from, confirmed: false });
  }

  /**
   * @param {KeyChange & { op: 'confirmed' }} change
   * @param {Proved} record
   */
  #confirm({ key, note }, { entry }) {
    const turn = this.#last;
    const before = this.#turns.at(-2);
    if (turn.confirmed || before === undefined || !equalBytes(turn.key, key)) return rangeFault('a confirmation of no change');
    const text = utf8(note);
    const checkpoint = attempt(() => openCheckpoint(text, renamed({ publicKey: before.key }, note.split('\n')[0] ?? '')));
    if (checkpoint instanceof Refusal) return rangeFault(`the key before does not vouch: ${checkpoint.code}`);
    const ownOrigin = epochsUpTo(checkpoint.origin, { store: entry.store, epoch: entry.epoch });
    if (!ownOrigin || checkpoint.size + 1n !== turn.from.get(UNIVERSE)) rangeFault('the note of a confirmation is of another log or size');
    turn.confirmed = true;
  }

  /** @param {KeyChange & { op: 'revoked' }} change */
  #revoke({ key, sizes, reason }) {
    const { length } = utf8(reason);
    if (length === 0 || length > REASON_BYTES_MAX) rangeFault(`a reason of ${length} bytes`);
    if (!this.#last.confirmed && equalBytes(this.#last.key, key)) {
      // The change is taken back, as if it had not begun.
      if (sizes.length > 0) rangeFault('a change that is not confirmed is taken back whole');
      this.#turns.pop();
      return;
    }
    const at = this.#turns.findIndex((turn) => equalBytes(turn.key, key));
    // Those in force, and about to be replaced: the last, and until it is confirmed the one before it.
    const inForce = this.#turns.length - (this.#last.confirmed ? 1 : 2);
    if (at < 0 || at >= inForce) rangeFault('a key that was not replaced cannot be revoked');
    this.#revoked.push({ key, from: sizesByTenant(sizes) });
  }

  /** @returns {Turn} */
  get #last() {
    return /** @type {Turn} */ (this.#turns.at(-1));
  }
}

/**
 * @param {Sizes} sizes
 * @returns {Map<string, bigint>}
 */
function sizesByTenant(sizes) {
  sizes.forEach(({ tenant }, i) => {
    const before = sizes[i - 1];
    if (!isTenant(tenant)) rangeFault(`no tenant: ${JSON.stringify(tenant)}`);
    if (before !== undefined && compareBytes(utf8(before.tenant), utf8(tenant)) >= 0) rangeFault('tenants out of order, or twice');
  });
  return new Map(sizes.map(({ tenant, size }) => [tenant, size]));
}

/**
 * Whether an origin is the universe's log, in this epoch or one before.
 * @param {string} origin
 * @param {{ store: Uint8Array, epoch: bigint }} store
 */
function epochsUpTo(origin, { store, epoch }) {
  const [, written = ''] = /\/([0-9]+)$/.exec(origin) ?? [];
  return written !== '' && BigInt(written) <= epoch && origin === originOf({ store, tenant: UNIVERSE, epoch: BigInt(written) });
}

/** @param {Proved} record */
function contentOf({ opened }) {
  return opened.find(({ slot }) => slot === CONTENT_SLOT);
}

/**
 * @param {string} detail
 * @returns {never}
 */
function rangeFault(detail) {
  return refuse('key.range', detail);
}
