// Bundles: one good story and its variations, and that no bit of it can be bent unseen.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concatBytes } from '../src/bytes.js';
import { utf8 } from '../src/text.js';
import { judgeBundle, verdictJson } from '../src/verdict.js';
import { row } from '../testing/bend.js';
import { GOOD, HOLDING, judged } from '../testing/holding.js';
import { TENANT, TRUST, tell } from '../testing/story.js';
import { handle } from '../testing/world.js';

/** @typedef {import('../testing/story.js').Bend} Bend */
/** @typedef {import('../testing/story.js').Model} Model */

const ROLE = ['Pazar::Role', 'buyers'];

/**
 * @param {Bend} [bend]
 * @param {{ trust?: string, against?: string[] }} [given]
 */
function verdictOf(bend, { trust = TRUST, against = [] } = {}) {
  return judgeBundle(tell(bend).bytes, utf8(trust), against.map(utf8)).verdict;
}

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

  for (const [about, bend, given, changes] of HOLDING) {
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
    // Removed it has no attributes until it is put again, and by a membership it begins anew.
    const expected = ['other', 'in', null, 'out', 'in', 'in', 'other', 'other', 'in', 'other'];
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
    assert.deepEqual([verdict.instance, verdict.gapless, verdict.complete], [null, 0, { as_of: 11, of: 'thread' }]);
  });

  test('integers of 64 bits are written as they are', () => {
    const told = { size: 2n ** 64n - 1n, id: '\u0000123', list: [1n, null, true], name: 'ş"' };
    assert.equal(verdictJson(told), '{"size":18446744073709551615,"id":"\\u0000123","list":[1,null,true],"name":"ş\\""}');
  });
});
