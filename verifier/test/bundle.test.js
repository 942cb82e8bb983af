// Bundles: one good story and its variations, and that no bit of it can be bent unseen.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareBytes, concatBytes } from '../src/bytes.js';
import { lawHash } from '../src/digest.js';
import { utf8 } from '../src/text.js';
import { judgeBundle, verdictJson } from '../src/verdict.js';
import { header, model, row, shown } from '../testing/bend.js';
import { Signer, checkpointText, noteOf, seedOf } from '../testing/signer.js';
import { LAWS, LOG, OLD, ORDER, ORIGIN, TENANT, TRUST, TRUST_NONE, WITNESSES, tell } from '../testing/story.js';
import { handle } from '../testing/world.js';

/** @typedef {import('../testing/story.js').Bend} Bend */
/** @typedef {import('../testing/story.js').Model} Model */
/** @typedef {import('../testing/world.js').Draft} Draft */

const HASH = new Uint8Array(32).fill(9);
const ACCOUNT = ['Pazar::Account', 'ayse'];
const ROLE = ['Pazar::Role', 'buyers'];
const [W1, W2] = /** @type {[Signer, Signer]} */ (WITNESSES);

/**
 * @param {Bend} [bend]
 * @param {{ trust?: string, against?: string[] }} [given]
 */
function verdictOf(bend, { trust = TRUST, against = [] } = {}) {
  return judgeBundle(tell(bend).bytes, utf8(trust), against.map(utf8)).verdict;
}

/**
 * What a record says of the law it was judged under.
 * @param {(name: string) => Uint8Array} of
 */
const judged = (of) => ({ 10: of('law-2'), 11: LAWS[1]?.hash ?? null });

const LATER = { name: 'later', tenant: TENANT, thread: handle(0x55), header: { 8: 1, 19: 'order' } };
const GOOD = {
  verdict: 'anchored',
  code: null,
  where: null,
  origin: ORIGIN,
  size: 11,
  instance: { contract: 'order', id: 'o-17' },
  records: 3,
  gapless: 2,
  complete: { as_of: 10, of: 'instance' },
  parts: { opened: 8, hidden: 1, erased: 1 },
  witnesses: ['w1', 'w2'],
  notices: ['hidden_parts', 'erased_parts', 'claimed_time', 'weak_durability'],
};

describe('what a stranger may believe', () => {
  test('the whole story', () => {
    const { bytes } = tell();
    const { verdict, detail, story } = judgeBundle(bytes, utf8(TRUST));
    assert.deepEqual(verdict, GOOD);
    assert.equal(detail, null);
    assert.deepEqual(story?.records.map(({ header: { event } }) => event), ['place', 'pay', 'ship']);
    assert.equal(story?.cited.length, 9);
    assert.equal(verdictJson(verdict), JSON.stringify(GOOD));
    assert.deepEqual(Object.keys(verdict), Object.keys(GOOD));
  });

  test('read again from a larger buffer it is the same', () => {
    const { bytes } = tell();
    const larger = concatBytes(new Uint8Array(7), bytes, new Uint8Array(7));
    assert.deepEqual(judgeBundle(larger.subarray(7, 7 + bytes.length), utf8(TRUST)).verdict, GOOD);
  });

  /** @type {[string, Bend, { trust?: string, against?: string[] }, object][]} */
  const cases = [
    ['no quorum: intact', {}, { trust: TRUST_NONE }, { verdict: 'intact' }],
    ['no quorum and no witness', { signers: [LOG] }, { trust: TRUST_NONE }, { verdict: 'intact', witnesses: [], notices: [...GOOD.notices, 'no_witness'] }],
    ['no quorum, and a checkpoint that was kept: anchored', {}, { trust: TRUST_NONE, against: [tell().note] }, { verdict: 'anchored' }],
    ['a checkpoint kept of another size says nothing', {}, { trust: TRUST_NONE, against: [tell({ size: 4 }).note] }, { verdict: 'intact' }],
    ['a log alone, nothing of the universe in it', { drafts: (one) => void (['begun', 'paid', 'shipped'].includes(one.name) && (one.parts = (one.parts ?? []).filter(({ slot }) => slot !== 2))), model: (m) => ((m.logs.length = 1), (m.cited = m.cited.filter(({ log }) => log === 0)), void (m.keys.length = 1)) }, {}, { parts: { opened: 5, hidden: 1, erased: 1 } }],
    ['no map', model((m) => void (m.heads = null)), {}, { complete: null, notices: ['hidden_parts', 'erased_parts', 'claimed_time', 'weak_durability', 'no_map'] }],
    ['entries behind the map', { later: [() => LATER] }, {}, { size: 12, notices: [...GOOD.notices, 'later_entries'] }],
    ['a thread without a label is this thread', header('begun', { 28: null }), {}, { complete: { as_of: 10, of: 'thread' } }],
    ['the id hidden', shown('begun', 6, 'hidden'), {}, { instance: { contract: 'order', id: null }, parts: { opened: 7, hidden: 2, erased: 1 } }],
    ['nothing hidden or erased, all synced', { drafts: (one) => void ((one.parts = (one.parts ?? []).map((part) => ({ ...part, shown: /** @type {const} */ ('opened') }))), one.header && delete one.header[24]) }, {}, { parts: { opened: 10, hidden: 0, erased: 0 }, notices: ['claimed_time'] }],
    ['attested', header('paid', { 8: 13 }), {}, { notices: [...GOOD.notices, 'attested'] }],
    ['adopted', header('begun', { 8: 14 }), {}, { notices: [...GOOD.notices, 'attested'] }],
    ['a directory record whose content is withheld', shown('member', 9, 'hidden'), {}, { notices: [...GOOD.notices, 'directory_withheld'] }],
    ['a grant whose content is erased', shown('grant', 9, 'erased'), {}, { notices: [...GOOD.notices, 'directory_withheld'] }],
    ["the universe's row withheld", { drafts: (one) => (one.tenant === 'universe' ? void (one.parts = (one.parts ?? []).map((part) => ({ ...part, shown: /** @type {const} */ ('hidden') }))) : undefined) }, {}, { notices: [...GOOD.notices, 'directory_withheld'] }],
    ['a slice that is hidden is not looked at, and that is told', { drafts: (one) => void (one.name === 'paid' && (one.parts = (one.parts ?? []).map((part) => (part.slot === 2 ? { ...part, content: [[], [], []], shown: /** @type {const} */ ('hidden') } : part)))) }, {}, { parts: { opened: 7, hidden: 2, erased: 1 }, notices: [...GOOD.notices, 'directory_withheld'] }],
    ["an earlier row of the universe", { drafts: (one) => void (one.name === 'begun' && (one.parts = (one.parts ?? []).map((part) => (part.slot === 2 ? { ...part, content: [[[ACCOUNT, OLD, [ROLE], part.content[0][0][3]]], []] } : part)))) }, {}, {}],
    ['an erased instance', { more: [(of) => ({ name: 'erased', tenant: TENANT, thread: ORDER, header: { 8: 17, ...judged(of) }, parts: [{ slot: 9, content: [new Uint8Array(16), 'ask'] }] })], records: ['begun', 'paid', 'shipped', 'erased'], model: (m) => void (m.heads && (m.heads.kind = 2)) }, {}, { size: 12, records: 4, gapless: 3, complete: { as_of: 11, of: 'instance' }, parts: { opened: 9, hidden: 1, erased: 1 } }],
    ['a record without a guard law', header('shipped', { 12: null }), {}, {}],
    ['a claimed time 5 seconds behind the next activation', header('paid', { 9: 1_783_000_000_000 + 8 * 1000 + 5000 }), {}, {}],
    ['a claimed time 5 seconds before its own activation', header('begun', { 9: 1_783_000_000_000 + 1000 - 5000 }), {}, {}],
    ['a key until this very size', model((m) => void (m.keys[0] = [0, LOG.vkey, 11, 11])), {}, {}],
    ['a key of several', model((m) => void m.keys.splice(0, 1, [0, 'an older key', 0, 4], [0, LOG.vkey, 5, 0])), {}, {}],
    ['a signature of a stranger is passed over', { signers: [LOG, new Signer('stranger.example', seedOf(40)), W1, W2] }, {}, {}],
    ['laws that no record names', model((m) => void (m.laws = [{ hash: lawHash([]), files: [] }, ...m.laws].sort((a, b) => compareBytes(a.hash, b.hash)))), {}, {}],
  ];
  for (const [about, bend, given, changes] of cases) {
    test(about, () => assert.deepEqual(verdictOf(bend, given), { ...GOOD, ...changes }));
  }
});

describe('nothing slips through', () => {
  test('no single bit can be bent unseen', () => {
    const { bytes } = tell();
    const trust = utf8(TRUST);
    let kept = 0;
    for (let at = 0; at < bytes.length; at += 11) {
      const bent = bytes.slice();
      bent[at] = /** @type {number} */ (bent[at]) ^ (1 << (at % 8));
      const { verdict } = judgeBundle(bent, trust);
      // A key's range, a hidden part called erased, a stranger's line: what is not committed to may be bent, and says no more.
      if (verdict.verdict !== 'refused') {
        kept += 1;
        assert.deepEqual({ ...verdict, parts: null, notices: null }, { ...GOOD, parts: null, notices: null }, `byte ${at}`);
      }
    }
    assert.ok(kept < 30, `${kept} bent bundles were taken`);
  });

  test('no cut bundle is taken', () => {
    const { bytes } = tell();
    for (let length = 0; length < bytes.length; length += 97) {
      assert.equal(judgeBundle(bytes.slice(0, length), utf8(TRUST)).verdict.code, 'bundle.not_canonical');
    }
  });

  test('rows come and go', () => {
    const change = (/** @type {string} */ name, /** @type {any} */ content, /** @type {Record<number, any>} */ header = {}) => row({ name, thread: handle(0x91), header: { 8: 8, 16: 1, ...header }, parts: [{ slot: 9, content }] })();
    const SHOP = ['Pazar::Shop', 's-9'];
    const open = new Map([['open', true]]);
    const changes = [
      change('c0', [2, SHOP, ROLE]), change('c1', [0, SHOP, open]), change('c2', [1, SHOP], { 16: 2 }), change('c3', [3, SHOP, ROLE]), change('c4', [2, SHOP, ROLE]),
      change('c5', [2, SHOP, ROLE]), change('c6', [1, SHOP]), change('c7', [2, SHOP, ROLE]), change('c8', [0, SHOP, open]), change('c9', [1, ['Pazar::Shop', 's-8']]),
    ];
    const expected = ['other', 'in', null, 'out', 'in', 'in', 'other', 'other', 'out', 'other'];
    const names = changes.map(({ name }) => name);
    for (const [i, outcome] of expected.entries()) {
      if (outcome === null) continue;
      for (const parents of [[], [ROLE]]) {
        const noted = (/** @type {(name: string) => Uint8Array} */ of) => ({
          name: 'noted', tenant: TENANT, thread: handle(0x92), header: { 8: 7, ...judged(of) }, parts: [{ slot: 2, content: [[[SHOP, open, parents, of(`c${i}`)]], []] }],
        });
        const bend = { more: [...changes.map((one) => () => one), noted], cite: names, records: ['noted'], model: (/** @type {Model} */ m) => void (m.thread = handle(0x92)) };
        /** @type {string | null} */
        const due = outcome === 'other' || (outcome === 'out' && parents.length > 0) ? 'directory.other' : null;
        assert.equal(verdictOf(bend).code, due, `c${i} with ${parents.length} parents`);
      }
    }
  });

  test('a thread that is no instance', () => {
    const noted = (/** @type {(name: string) => Uint8Array} */ of) => ({ name: 'noted', tenant: TENANT, thread: handle(0x92), stream: true, header: { 8: 7, 21: 'shop.visit', ...judged(of) }, parts: [] });
    const verdict = verdictOf({ more: [noted], records: ['noted'], model: (m) => void (m.thread = handle(0x92)) });
    assert.deepEqual([verdict.instance, verdict.gapless, verdict.complete], [{ contract: null, id: null }, 0, { as_of: 11, of: 'thread' }]);
  });

  test('integers of 64 bits are written as they are', () => {
    const told = { size: 2n ** 64n - 1n, id: '\u0000123', list: [1n, null, true], name: 'ş"' };
    assert.equal(verdictJson(told), '{"size":18446744073709551615,"id":"\\u0000123","list":[1,null,true],"name":"ş\\""}');
  });
});
