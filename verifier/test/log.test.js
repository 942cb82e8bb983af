// Logs made here: what the vectors leave open, above all parts as openings, and that one break does not hide the next.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, toHex } from '../src/bytes.js';
import { originOf } from '../src/checkpoint.js';
import { commitment, entryHash, genesisHash, keyId, recordHash } from '../src/digest.js';
import { parseVerifierKey } from '../src/key.js';
import { LogVerifier } from '../src/log.js';
import { checkParts } from '../src/parts.js';
import { utf8 } from '../src/text.js';
import { Tree } from '../src/tree.js';
import { encodeFields } from '../testing/encode.js';

const STORE = new Uint8Array(16).fill(1);
const THREADS = [2, 3, 4].map((byte) => new Uint8Array(16).fill(byte));
const GENESIS = { store: STORE, epoch: 0n, tenant: 'pazar', predecessor: new Uint8Array() };
const SEED = new Uint8Array(32).fill(7);
const NAME = originOf(GENESIS);

const base64 = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString('base64');
const PUBLIC = ed25519.getPublicKey(SEED);
const ID = keyId(NAME, 1, PUBLIC);
const KEY = parseVerifierKey(`${NAME}+${toHex(ID)}+${base64(concatBytes(Uint8Array.of(1), PUBLIC))}`);

/** @typedef {import('../src/parts.js').Shown} Shown */

/**
 * A part as committed to.
 * @param {number} slot
 * @param {number} index
 * @param {string} plaintext
 */
function part(slot, index, plaintext) {
  const opening = { slot, index, salt: new Uint8Array(32).fill(slot), plaintext: utf8(plaintext) };
  return { opening, listed: { slot, index, commitment: commitment(opening.salt, opening.plaintext) } };
}

const PARTS = [part(1, 0, 'who'), part(4, 0, 'what'), part(4, 1, 'for whom')];
const LISTED = PARTS.map(({ listed }) => listed);
const OPENINGS = PARTS.map(({ opening }) => opening);

/** Writes a log as a sealer does; a record may be bent on its way. */
class Sealer {
  /** @type {Uint8Array[]} */
  entries = [];
  tree = new Tree();
  /** @type {Map<number, { n: number, record: Uint8Array }>} */
  #heads = new Map();
  #prev = genesisHash(GENESIS);

  /**
   * @param {number} thread which of the three
   * @param {{ header?: Record<number, any>, entry?: Record<number, any>, stream?: boolean }} [bent]
   */
  seal(thread, { header = {}, entry = {}, stream = false } = {}) {
    const before = this.#heads.get(thread);
    const n = before === undefined ? 0 : before.n + 1;
    const place = [n, before?.record ?? null];
    const headerBytes = encodeFields({
      1: 1, 2: 1, 3: STORE, 4: 'pazar', 5: THREADS[thread], 6: stream ? null : place[0], 7: stream ? null : place[1], 8: 1, 9: 5,
      13: [4, 5, 1, 0], 14: 2, 15: 1, 16: 1, 18: [], 24: 1, 27: LISTED.map(({ slot, index, commitment }) => [slot, index, commitment]), ...header,
    });
    const bytes = encodeFields({
      1: 1, 2: 1, 3: STORE, 4: 0, 5: 'pazar', 6: this.entries.length, 7: this.#prev, 8: 1000 + this.entries.length,
      9: stream ? place[0] : null, 10: stream ? place[1] : null, 12: headerBytes, ...entry,
    });
    this.#heads.set(thread, { n, record: recordHash(headerBytes) });
    this.#prev = entryHash(bytes);
    this.tree.append(bytes);
    this.entries.push(bytes);
    return this;
  }

  /** The checkpoint of the log as it is now. */
  checkpoint(size = this.tree.size, origin = NAME) {
    const text = `${origin}\n${size}\n${base64(this.tree.root())}\n`;
    return utf8(`${text}\n— ${NAME} ${base64(concatBytes(ID, ed25519.sign(utf8(text), SEED)))}\n`);
  }
}

/**
 * @param {Uint8Array[]} entries
 * @param {{ notes?: Uint8Array[], shown?: (i: number) => Shown[] | null }} [given]
 */
function verified(entries, { notes = [], shown = () => OPENINGS } = {}) {
  const verifier = new LogVerifier(GENESIS, { notes, key: KEY });
  for (const [i, entry] of entries.entries()) verifier.push(entry, shown(i));
  const report = verifier.finish();
  return { ...report, told: report.failures.map(({ seq, code }) => `${seq} ${code}`) };
}

describe('logs', () => {
  test('a log that is whole', () => {
    const sealer = new Sealer().seal(0).seal(1, { stream: true }).seal(0);
    const early = sealer.checkpoint();
    sealer.seal(1, { stream: true });
    const report = verified(sealer.entries, { notes: [early, sealer.checkpoint()] });
    assert.deepEqual(report.told, []);
    assert.equal(report.level, 'anchored');
    assert.deepEqual([report.size, report.threads, report.parts, report.withheld, report.anchors], [4, 2, 12, 0, [3n, 4n]]);
  });

  test('without a checkpoint it is intact and no more, and so under a checkpoint of nothing', () => {
    const sealer = new Sealer();
    const nothing = sealer.checkpoint();
    sealer.seal(0);
    assert.equal(verified(sealer.entries).level, 'intact');
    assert.equal(verified(sealer.entries, { notes: [nothing] }).level, 'intact');
    assert.deepEqual(verified(sealer.entries, { notes: [nothing] }).anchors, []);
  });

  test('no entries at all', () => {
    const report = verified([]);
    assert.deepEqual([report.level, report.size, report.told], ['intact', 0, []]);
    assert.deepEqual(report.head, genesisHash(GENESIS));
  });

  test('a checkpoint is compared where the log has its size, and told of there', () => {
    const other = new Sealer().seal(0).seal(1);
    const sealer = new Sealer().seal(0).seal(0).seal(0, { entry: { 8: 1 } });
    const report = verified(sealer.entries, { notes: [other.checkpoint(), sealer.checkpoint()] });
    assert.deepEqual(report.told, ['2 checkpoint.root', '2 log.sealed_at']);
    assert.deepEqual(report.anchors, [3n]);
    assert.equal(report.level, 'broken');
  });

  test('a checkpoint of another log, and one that is none', () => {
    const sealer = new Sealer().seal(0);
    const notes = [sealer.checkpoint(1, `${NAME}1`), utf8('x'), sealer.checkpoint(9)];
    assert.deepEqual(verified(sealer.entries, { notes }).told, ['0 checkpoint.origin', '0 checkpoint.malformed', '9 checkpoint.beyond']);
  });

  test('a note is told of where the reading stands, and one whose size has passed is late', () => {
    const sealer = new Sealer().seal(0);
    const [first, other] = [sealer.checkpoint(), sealer.checkpoint(1, `${NAME}1`)];
    sealer.seal(0);
    const verifier = new LogVerifier(GENESIS, { notes: [], key: KEY });
    for (const entry of sealer.entries) verifier.push(entry, OPENINGS);
    for (const note of [first, other, sealer.checkpoint()]) verifier.note(note);
    const { failures, anchors } = verifier.finish();
    assert.deepEqual(failures.map(({ seq, code }) => `${seq} ${code}`), ['1 checkpoint.late', '2 checkpoint.origin']);
    assert.deepEqual(anchors, [2n]);
    assert.throws(() => new LogVerifier(GENESIS).note(first), /no key/);
  });

  test('an entry that cannot be read counts in hash, tree and size, and the next goes on behind it', () => {
    const sealer = new Sealer().seal(0).seal(1).seal(1, { entry: { 11: 70_000 } }).seal(0);
    const report = verified(sealer.entries, { notes: [sealer.checkpoint()] });
    assert.deepEqual(report.told, ['2 entry.not_canonical']);
    assert.deepEqual([report.size, report.anchors], [4, [4n]]);
  });

  test('of an entry the first that is wrong is named', () => {
    const store = new Uint8Array(16);
    /** @type {[string, Record<number, any>][]} */
    const bent = [
      ['store', { 3: store, 4: 1, 5: 'x', 6: 9, 7: new Uint8Array(32), 8: 0 }],
      ['epoch', { 4: 1, 5: 'x', 6: 9, 7: new Uint8Array(32), 8: 0 }],
      ['tenant', { 5: 'x', 6: 9, 7: new Uint8Array(32), 8: 0 }],
      ['seq', { 6: 9, 7: new Uint8Array(32), 8: 0 }],
      ['prev', { 7: new Uint8Array(32), 8: 0 }],
      ['sealed_at', { 8: 0 }],
    ];
    for (const [code, entry] of bent) {
      const { failures } = verified(new Sealer().seal(0).seal(0, { entry }).entries);
      assert.equal(failures[0]?.code, `log.${code}`);
      assert.equal(failures.length, ['store', 'epoch', 'tenant'].includes(code) ? 2 : 1);
    }
  });

  test('a record that does not follow its thread, and the one behind it', () => {
    const { told } = verified(new Sealer().seal(0).seal(0, { header: { 7: new Uint8Array(32) } }).seal(0).entries);
    assert.deepEqual(told, ['1 thread.thread_prev']);
    // The reading goes on from n 7: the next, which says 2, does not follow it.
    const jumped = verified(new Sealer().seal(0).seal(0, { header: { 6: 7, 7: new Uint8Array(32) } }).seal(0).entries);
    assert.deepEqual(jumped.told, ['1 thread.thread_n', '2 thread.thread_n']);
  });

  test('a place in neither header nor entry', () => {
    const { told, parts } = verified(new Sealer().seal(0, { header: { 6: null } }).seal(1).entries);
    assert.deepEqual(told, ['0 thread.placed']);
    assert.equal(parts, 3);
  });

  test('a header that does not decode, where nobody disputes it', () => {
    const { told } = verified(new Sealer().seal(0, { header: { 8: 99 } }).seal(1).entries);
    assert.deepEqual(told, ['0 header.unknown_number']);
  });

  test('breaks of every layer are told in their order, each once', () => {
    const sealer = new Sealer().seal(0).seal(1, { entry: { 4: 5 }, header: { 6: 3, 7: new Uint8Array(32) } }).seal(2);
    const cut = sealer.entries.with(2, concatBytes(/** @type {Uint8Array} */ (sealer.entries[2]), Uint8Array.of(0)));
    const { told } = verified(cut, { shown: (i) => (i === 1 ? OPENINGS.slice(1) : OPENINGS), notes: [sealer.checkpoint()] });
    assert.deepEqual(told, ['1 log.epoch', '1 thread.thread_n', '1 part.missing', '2 entry.not_canonical', '3 checkpoint.root']);
  });
});

describe('disputed entries', () => {
  test('one that follows its thread moves it on', () => {
    const { told, disputed, parts } = verified(new Sealer().seal(0).seal(0, { entry: { 11: 9 } }).seal(0).entries);
    assert.deepEqual([told, disputed, parts], [[], 1, 6]);
  });

  test('one that does not leaves it where it was', () => {
    const sealer = new Sealer().seal(0).seal(1).seal(1, { entry: { 11: 4 }, header: { 6: 5, 7: new Uint8Array(32) } });
    // Had the thread moved to n 5, the next would have to be n 6.
    assert.deepEqual(verified(sealer.seal(1).entries).told, ['3 thread.thread_n']);
    const foreign = new Sealer().seal(0).seal(0, { entry: { 11: 3 }, header: { 4: 'another' } }).seal(0);
    assert.deepEqual(verified(foreign.entries).told, ['2 thread.thread_n']);
  });

  test('what the chain says of it still counts', () => {
    assert.deepEqual(verified(new Sealer().seal(0).seal(0, { entry: { 11: 1, 6: 4, 12: new Uint8Array() } }).entries).told, ['4 log.seq']);
  });
});

describe('parts', () => {
  /** @type {[string, Shown[] | null, string[], { held: number, erased: number, withheld: number }][]} */
  const cases = [
    ['all shown', OPENINGS, [], { held: 3, erased: 0, withheld: 0 }],
    ['in any order', [...OPENINGS].reverse(), [], { held: 3, erased: 0, withheld: 0 }],
    ['none shown', null, [], { held: 0, erased: 0, withheld: 3 }],
    ['an empty list is no withholding', [], ['1.0 missing', '4.0 missing', '4.1 missing'], { held: 0, erased: 0, withheld: 0 }],
    ['one erased, one withheld', [{ slot: 1, index: 0, absent: 'erased' }, { slot: 4, index: 0, absent: 'withheld' }, ...OPENINGS.slice(2)], [], { held: 1, erased: 1, withheld: 1 }],
    ['one twice', [...OPENINGS, ...OPENINGS.slice(1, 2)], ['4.0 unlisted'], { held: 3, erased: 0, withheld: 0 }],
    ['one erased that is not listed', [...OPENINGS, { slot: 2, index: 0, absent: 'erased' }], ['2.0 unlisted'], { held: 3, erased: 0, withheld: 0 }],
    ['one in another place', OPENINGS.map((opening) => (opening.slot === 1 ? { ...opening, index: 1 } : opening)), ['1.0 missing', '1.1 unlisted'], { held: 2, erased: 0, withheld: 0 }],
    ['two swapped', OPENINGS.map((opening) => (opening.slot === 4 ? { ...opening, index: 1 - opening.index } : opening)), ['4.0 mismatch', '4.1 mismatch'], { held: 1, erased: 0, withheld: 0 }],
    ['another plaintext', OPENINGS.with(0, { .../** @type {any} */ (OPENINGS[0]), plaintext: utf8('whO') }), ['1.0 mismatch'], { held: 2, erased: 0, withheld: 0 }],
    ['another salt', OPENINGS.with(0, { .../** @type {any} */ (OPENINGS[0]), salt: new Uint8Array(32) }), ['1.0 mismatch'], { held: 2, erased: 0, withheld: 0 }],
    ['a byte moved from salt to plaintext', OPENINGS.with(0, { slot: 1, index: 0, salt: new Uint8Array(31).fill(1), plaintext: utf8('\u0001who') }), ['1.0 mismatch'], { held: 2, erased: 0, withheld: 0 }],
  ];
  for (const [about, shown, failures, counts] of cases) {
    test(about, () => {
      const report = checkParts(LISTED, shown);
      assert.deepEqual(report.failures.map(({ slot, index, code }) => `${slot}.${index} ${code}`), failures);
      assert.deepEqual({ held: report.held.length, erased: report.erased, withheld: report.withheld }, counts);
    });
  }
});
