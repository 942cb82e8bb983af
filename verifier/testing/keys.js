/**
 * Stories of a store whose key was changed: what its records of keys say, who signed, what the bundle lists.
 * @module
 */

import { concatBytes, toHex } from '../src/bytes.js';
import { keyId } from '../src/digest.js';
import { toBase64 } from '../src/text.js';
import { row } from './bend.js';
import { Signer, checkpointText, noteOf, seedOf } from './signer.js';
import { ORIGIN, TENANT, UNIVERSE, WITNESSES, tell } from './story.js';
import { handle } from './world.js';

/** @typedef {import('./story.js').Bend} Bend */
/** @typedef {[number, string, number, number][]} Listed */
/**
 * @typedef {{ records?: any[], shown?: 'hidden', stream?: Record<number, any>, streams?: Record<number, any>[], threads?: number[], tenant?: string, by?: string, universeBy?: string,
 *   listed?: Listed, named?: string, kept?: string, notices?: string[] }} Course
 *   `by`, `universeBy`, `named`, `kept`: letters of the keys that signed the logs, that the trust file names, and that signed what was kept; `threads`, `streams`: of each record;
 *   `notices`: those that are said of keys
 */

const SEEDS = new Map([['a', 1], ['b', 21], ['c', 22]]);
const seed = (/** @type {string} */ letter) => seedOf(SEEDS.get(letter) ?? 99);
const log = (/** @type {string} */ letter) => new Signer(ORIGIN, seed(letter));
const universe = (/** @type {string} */ letter) => new Signer(UNIVERSE, seed(letter));
const key = (/** @type {string} */ letter) => universe(letter).publicKey;
/** In the universe three entries come before, so the first of these is its entry 3; in the tenant 10 entries, and the heads behind. */
const FIRST = 3;

const first = (/** @type {string} */ a) => [1, key(a), 0];
const rotated = (/** @type {string} */ b, /** @type {number} */ tenant, /** @type {number} */ above) => [1, key(b), [[TENANT, tenant], ['universe', above]]];
const note = (/** @type {string} */ a, /** @type {number} */ size, /** @type {Record<string, any>} */ bent = {}) => ({ size, by: a, origin: UNIVERSE, ...bent });
/** Its note is made once the log that it is of stands. */
const confirmed = (/** @type {string} */ b, /** @type {ReturnType<typeof note>} */ of) => ({ confirms: b, of });
const revoked = (/** @type {string} */ a, /** @type {[string, number][]} */ sizes, reason = 'lost') => [1, key(a), sizes, reason];
const listed = (/** @type {[number, string, number, number][]} */ ...ranges) =>
  /** @type {Listed} */ (ranges.map(([at, letter, from, to]) => [at, (at === 0 ? log(letter) : universe(letter)).vkey, from, to]));

const CHANGE = [first('a'), rotated('b', 11, 6), confirmed('b', note('a', 5))];
const BOTH = listed([0, 'a', 0, 10], [0, 'b', 11, 0], [1, 'a', 0, 5], [1, 'b', 6, 0]);
const IDLE = listed([0, 'a', 0, 11], [0, 'b', 12, 0], [1, 'a', 0, 5], [1, 'b', 6, 0]);
/** @type {Course} */
const AFTER = { records: CHANGE, by: 'b', universeBy: 'b', listed: BOTH, named: 'ab' };
/** @type {Course} */
const BEFORE = { records: [first('a')] };
const revocation = (/** @type {any} */ record) => ({ ...AFTER, records: [...CHANGE, record] });
const change = (/** @type {any[]} */ ...records) => ({ ...AFTER, records });

/** The ranges are those that the records would come to, if this were a key. */
const toNoKey = (/** @type {Uint8Array} */ none) => {
  const vkey = (/** @type {string} */ origin) => `${origin}+${toHex(keyId(origin, 1, none))}+${toBase64(concatBytes(Uint8Array.of(1), none))}`;
  /** @type {Listed} */
  const ranges = [[0, log('a').vkey, 0, 11], [0, vkey(ORIGIN), 12, 0], [1, universe('a').vkey, 0, 5], [1, vkey(UNIVERSE), 6, 0]];
  return { ...BEFORE, records: [first('a'), [1, none, [[TENANT, 12], ['universe', 6]]]], listed: ranges };
};

/** @type {[code: string | null, about: string, course: Course, where?: string][]} */
export const COURSES = [
  [null, 'the first key', BEFORE],
  [null, 'from before a change that the trust file knows of', { ...BEFORE, named: 'ab', notices: ['former_key'] }],
  [null, 'of two keys named one is confirmed, and is not in force any more', { ...AFTER, records: [...CHANGE, rotated('c', 11, 8), confirmed('c', note('b', 7))], by: 'c', universeBy: 'c', named: 'cb', listed: listed([0, 'a', 0, 10], [0, 'c', 11, 0], [1, 'a', 0, 5], [1, 'b', 6, 7], [1, 'c', 8, 0]) }],
  [null, 'a whole other store under the first key, which tells of a change that nobody confirmed', { ...AFTER, records: [first('a'), rotated('b', 1_000_000, 6)], by: 'a', universeBy: 'a', listed: listed([0, 'a', 0, 999_999], [0, 'b', 1_000_000, 0], [1, 'a', 0, 5], [1, 'b', 6, 0]), notices: ['former_key'] }],
  [null, 'changed and confirmed, signed by the new key', AFTER],
  [null, 'a checkpoint that was kept, signed by the old key', { ...AFTER, kept: 'a' }],
  ['checkpoint.unsigned', 'a checkpoint that was kept, signed by a key that the trust file does not name', { ...AFTER, kept: 'c' }, 'against 0'],
  [null, 'changed and confirmed, the old key not named any more', { ...AFTER, named: 'b' }],
  [null, 'signed by both keys', { ...AFTER, by: 'ab', universeBy: 'ab' }],
  [null, 'an idle log under the old key, the universe under the new', { ...AFTER, records: [first('a'), rotated('b', 12, 6), CHANGE[2]], by: 'a', listed: IDLE }],
  [null, 'a log that is opened later is under the new key from the beginning', { ...AFTER, records: [first('a'), [1, key('b'), [['universe', 6]]], CHANGE[2]], listed: listed([0, 'b', 0, 0], [1, 'a', 0, 5], [1, 'b', 6, 0]) }],
  [null, 'a key that held no size but 0 is not listed', { ...AFTER, records: [first('a'), rotated('b', 1, 6), CHANGE[2]], listed: listed([0, 'b', 1, 0], [1, 'a', 0, 5], [1, 'b', 6, 0]) }],
  [null, 'not confirmed, and the new key signs', { ...AFTER, records: CHANGE.slice(0, 2), universeBy: 'a', listed: BOTH, notices: ['former_key'] }],
  [null, 'the old key revoked: its ranges end before', { ...revocation(revoked('a', [[TENANT, 4], ['universe', 2]])), listed: listed([0, 'a', 0, 3], [0, 'b', 11, 0], [1, 'a', 0, 1], [1, 'b', 6, 0]) }],
  [null, 'revoked twice: the least counts', { ...AFTER, records: [...CHANGE, revoked('a', [[TENANT, 4]]), revoked('a', [[TENANT, 7]])], listed: listed([0, 'a', 0, 3], [0, 'b', 11, 0], [1, 'a', 0, 5], [1, 'b', 6, 0]) }],
  [null, 'revoked from the beginning: no range is left', { ...revocation(revoked('a', [[TENANT, 1], ['universe', 0]])), listed: listed([0, 'b', 11, 0], [1, 'b', 6, 0]) }],
  [null, 'revoked behind its turn: nothing changes', revocation(revoked('a', [[TENANT, 11], ['universe', 60]]))],
  ['key.range', 'revoked, and listed as if it were not', revocation(revoked('a', [[TENANT, 4], ['universe', 2]]))],
  [null, 'a change that was taken back, and the first key goes on', { ...BEFORE, records: [first('a'), rotated('b', 11, 6), revoked('b', [])] }],
  [null, 'a change that was taken back, and begun again', { ...AFTER, records: [first('a'), rotated('b', 3, 6), revoked('b', []), rotated('b', 11, 8), confirmed('b', note('a', 7))], listed: listed([0, 'a', 0, 10], [0, 'b', 11, 0], [1, 'a', 0, 7], [1, 'b', 8, 0]) }],
  ['key.range', 'a change that was taken back, and names a size', { ...BEFORE, records: [first('a'), rotated('b', 11, 6), revoked('b', [[TENANT, 11]])] }],
  ['key.range', 'a change that was taken back, without a reason', { ...BEFORE, records: [first('a'), rotated('b', 11, 6), revoked('b', [], '')] }],
  ['key.range', 'a confirmation of a change that was taken back', change(first('a'), rotated('b', 11, 6), revoked('b', []), confirmed('b', note('a', 5)))],
  [null, 'the old key revoked in no log', revocation(revoked('a', []))],
  [null, 'two changes, one range empty', { ...AFTER, records: [...CHANGE, rotated('c', 11, 8), confirmed('c', note('b', 7))], by: 'c', universeBy: 'c', named: 'c', listed: listed([0, 'a', 0, 10], [0, 'c', 11, 0], [1, 'a', 0, 5], [1, 'b', 6, 7], [1, 'c', 8, 0]) }],
  [null, 'a content that is hidden: nothing is held against it', { ...BEFORE, records: [first('b')], shown: 'hidden' }],
  [null, 'records of that class in the tenant: nothing is held against them', { ...BEFORE, records: [first('b')], tenant: TENANT }],
  [null, 'records of another class', { ...BEFORE, records: [first('b')], stream: { 21: 'hos.other' } }],
  ['key.range', 'the first key is another', { ...BEFORE, records: [first('b')] }, 'logs 0'],
  ['key.range', 'the first record is no first key', { ...AFTER, records: CHANGE.slice(1) }],
  ['key.range', 'a second first key', change(first('a'), first('b'))],
  ['key.range', 'a key comes twice', change(first('a'), rotated('a', 11, 6), confirmed('a', note('a', 5)))],
  ['key.range', 'a change before the one before is confirmed', { ...AFTER, records: [first('a'), rotated('b', 11, 6), rotated('c', 11, 7)] }],
  ['key.range', 'a confirmation of no change', change(first('a'), confirmed('a', note('a', 4)))],
  ['key.range', 'a confirmation twice', change(...CHANGE, confirmed('b', note('a', 5)))],
  ['key.range', 'a confirmation of another key', change(first('a'), rotated('b', 11, 6), confirmed('c', note('a', 5)))],
  ['key.range', 'a confirmation signed by the new key', change(first('a'), rotated('b', 11, 6), confirmed('b', note('b', 5)))],
  ['key.range', 'a confirmation of another size', change(first('a'), rotated('b', 11, 6), confirmed('b', note('a', 4)))],
  ['key.range', "a confirmation by the tenant's checkpoint", change(first('a'), rotated('b', 11, 6), confirmed('b', note('a', 5, { origin: ORIGIN })))],
  ['key.range', 'a confirmation of a later epoch', change(first('a'), rotated('b', 11, 6), confirmed('b', note('a', 5, { origin: UNIVERSE.replace(/0$/, '1') })))],
  ['key.range', 'a confirmation without a note', change(first('a'), rotated('b', 11, 6), [1, key('b'), 'x'])],
  ['key.range', 'from a size before the change on in the universe', change(first('a'), rotated('b', 11, 5), confirmed('b', note('a', 4)))],
  ['key.range', 'from a later size on in the universe', change(first('a'), rotated('b', 11, 7), confirmed('b', note('a', 6)))],
  ['key.range', 'from the size 0 on', { ...AFTER, records: [first('a'), rotated('b', 0, 6), CHANGE[2]], listed: listed([0, 'b', 0, 0], [1, 'a', 0, 5], [1, 'b', 6, 0]) }],
  ['key.range', 'the universe not named', { ...AFTER, records: [first('a'), [1, key('b'), [[TENANT, 11]]], CHANGE[2]] }],
  ['key.range', 'tenants out of order', { ...AFTER, records: [first('a'), [1, key('b'), [['universe', 6], [TENANT, 11]]], CHANGE[2]] }],
  ['key.range', 'a tenant twice', { ...AFTER, records: [first('a'), [1, key('b'), [[TENANT, 11], [TENANT, 11], ['universe', 6]]], CHANGE[2]] }],
  ['key.range', 'a change that goes back in a tenant', { ...AFTER, records: [...CHANGE, rotated('c', 10, 8), confirmed('c', note('b', 7))], by: 'c', universeBy: 'c', named: 'c', listed: listed([0, 'a', 0, 9], [0, 'c', 10, 0], [1, 'a', 0, 5], [1, 'b', 6, 7], [1, 'c', 8, 0]) }],
  ['key.range', 'a change that leaves out a tenant', { ...AFTER, records: [...CHANGE, [1, key('c'), [['universe', 8]]], confirmed('c', note('b', 7))], by: 'c', universeBy: 'c', named: 'c', listed: listed([0, 'c', 0, 0], [1, 'a', 0, 5], [1, 'b', 6, 7], [1, 'c', 8, 0]) }],
  ['key.range', 'suite 2', { ...BEFORE, records: [[2, key('a'), 0]] }],
  ['key.range', 'a key of 31 bytes', { ...BEFORE, records: [[1, key('a').slice(1), 0]] }],
  ['key.range', 'a change to what is no key, not confirmed', toNoKey(new Uint8Array(32).fill(2))],
  ['key.range', 'a change to a key of small order, not confirmed', toNoKey(new Uint8Array(32))],
  ['key.range', 'a first key from a size on', { ...BEFORE, records: [[1, key('a'), 1]] }],
  ['key.range', 'a content of two', { ...BEFORE, records: [[1, key('a')]] }],
  ['key.range', 'a record of another kind in the stream', { ...BEFORE, stream: { 8: 7 } }],
  ['key.range', 'a record of another class in the thread', { ...BEFORE, records: [first('a'), first('a')], streams: [{}, { 21: 'hos.other' }] }],
  ['key.range', 'a record of another kind in the stream, and nothing of it is shown', { ...BEFORE, stream: { 8: 7 }, shown: 'hidden' }],
  ['key.missing', 'hidden, and the trust file names two keys', { ...BEFORE, named: 'ab', shown: 'hidden' }, 'keys'],
  ['key.missing', 'not cited, and the trust file names two keys', { ...BEFORE, records: [], named: 'ab' }, 'keys'],
  ['key.missing', 'of another class, and the trust file names two keys', { ...BEFORE, named: 'ab', stream: { 21: 'hos.other' } }, 'keys'],
  ['key.missing', "in the tenant's log, and the trust file names two keys", { ...BEFORE, named: 'ab', tenant: TENANT }, 'keys'],
  ['key.range', 'two threads of keys', { ...AFTER, records: [first('a'), first('a')], by: 'a', universeBy: 'a', threads: [0xb1, 0xb2], listed: listed([0, 'a', 0, 0], [1, 'a', 0, 0]) }],
  ['key.range', 'the key in force revoked', revocation(revoked('b', [[TENANT, 90]]))],
  ['key.range', 'a stranger revoked', revocation(revoked('c', [[TENANT, 90]]))],
  ['key.range', 'revoked while about to be replaced', { ...AFTER, records: [...CHANGE.slice(0, 2), revoked('a', [[TENANT, 90]])], universeBy: 'b' }],
  ['key.range', 'revoked without a reason', revocation(revoked('a', [[TENANT, 4]], ''))],
  ['key.range', 'a reason of 1025 bytes', revocation(revoked('a', [[TENANT, 4]], 'x'.repeat(1025)))],
  ['key.range', 'a revocation whose tenants are out of order', revocation(revoked('a', [['universe', 2], [TENANT, 4]]))],
  ['key.range', 'an idle log under a key that is revoked there', { ...AFTER, records: [first('a'), rotated('b', 12, 6), CHANGE[2], revoked('a', [[TENANT, 11]])], by: 'a', listed: IDLE }, 'logs 0'],
  [null, 'an idle log under a key that is revoked behind it', { ...AFTER, records: [first('a'), rotated('b', 12, 6), CHANGE[2], revoked('a', [[TENANT, 12]])], by: 'a', listed: IDLE }],
  ['key.range', 'the old key for new entries', { ...AFTER, by: 'a', listed: listed([0, 'a', 0, 0], [1, 'a', 0, 5], [1, 'b', 6, 0]) }, 'logs 0'],
  ['key.range', 'the universe under the old key', { ...AFTER, universeBy: 'a' }, 'logs 1'],
  ['key.range', 'a range too few', { ...AFTER, listed: BOTH.slice(1) }],
  ['key.range', "a range of the universe's log too few", { ...AFTER, listed: BOTH.slice(0, 3) }],
  ['key.range', 'a range too many', { ...BEFORE, listed: listed([0, 'a', 0, 0], [1, 'a', 0, 0], [1, 'b', 9, 9]) }],
  ['key.range', 'a range that ends later', { ...AFTER, listed: listed([0, 'a', 0, 11], [0, 'b', 11, 0], [1, 'a', 0, 5], [1, 'b', 6, 0]) }],
  ['checkpoint.unsigned', 'a universe under a key that the trust file does not name', { ...AFTER, universeBy: 'a', named: 'b' }, 'logs 1'],
];

/**
 * @param {Course} course
 * @returns {{ bytes: Uint8Array, trust: string, against: string[] }}
 */
export function tellKeys({ records = [], shown, stream = {}, streams = [], threads = [], tenant = 'universe', by = 'a', universeBy = 'a', named = 'a', kept = '', listed: ranges = listed([0, 'a', 0, 0], [1, 'a', 0, 0]) }) {
  const draftOf = (/** @type {any} */ content, /** @type {number} */ i) =>
    row({ name: `key-${i}`, tenant, thread: handle(threads[i] ?? 0xb1), stream: true, header: { 8: 18, 21: 'hos.keys', ...stream, ...streams[i] }, parts: [{ slot: 9, content, shown: shown ?? 'opened' }] });
  /** @type {ReturnType<typeof draftOf>[]} */
  const more = [];
  for (const [i, record] of records.entries()) more.push(draftOf(record.confirms === undefined ? record : [1, key(record.confirms), noteAt(more, record.of)], i));
  const { bytes, worlds } = tell({
    more,
    cite: records.map((_, i) => `key-${i}`),
    signers: [...[...by].map(log), .../** @type {Signer[]} */ (WITNESSES.slice(0, 2))],
    universeNote: (text) => noteOf(text, ...[...universeBy].map(universe)),
    model: (model) => void (model.keys = ranges),
  });
  const against = [...kept].map((letter) => noteOf(checkpointText(ORIGIN, worlds.tenant.sealed.length, worlds.tenant.root()), log(letter)));
  const logs = [...named].map((letter) => `log ${log(letter).vkey}\n`).join('');
  const witnesses = WITNESSES.map(({ vkey }, i) => `witness w${i + 1} ${vkey}\n`).join('');
  return { bytes, trust: `${logs}${witnesses}group most 2 w1 w2 w3\nquorum most\n`, against };
}

/**
 * The universe's checkpoint of a size, before what comes next is sealed.
 * @param {NonNullable<Bend['more']>} more what was sealed before
 * @param {ReturnType<typeof note>} of
 */
function noteAt(more, { size, by, origin }) {
  const { universe: world } = tell({ more }).worlds;
  const text = checkpointText(origin, size, world.root(Math.min(size, FIRST + more.length)));
  return noteOf(text, new Signer(origin, seed(by)));
}
