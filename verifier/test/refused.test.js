// Bundles that must be refused: each duty failed by it alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concatBytes } from '../src/bytes.js';
import { utf8 } from '../src/text.js';
import { judgeBundle } from '../src/verdict.js';
import { encode, encodeFields } from '../testing/encode.js';
import { REFUSALS } from '../testing/refusals.js';
import { TRUST, tell } from '../testing/story.js';

describe('what a stranger must refuse', () => {
  for (const [code, where, about, bend, given] of REFUSALS) {
    test(`${code}: ${about}`, () => {
      const { bytes } = tell(bend);
      const { verdict, detail, story } = judgeBundle(bytes, utf8(given?.trust ?? TRUST), (given?.against ?? []).map(utf8));
      assert.deepEqual([verdict.verdict, verdict.code, verdict.where], ['refused', code, where], `${detail}`);
      assert.deepEqual([verdict.origin, verdict.complete, verdict.witnesses, verdict.notices, story], [null, null, [], [], null]);
      assert.ok(detail);
    });
  }

  test('enough of them', () => {
    assert.ok(REFUSALS.length > 150);
    const codes = new Set(REFUSALS.map(([code]) => code));
    const table = ['bundle.not_canonical', 'bundle.version', 'bundle.suite', 'bundle.what', 'bundle.unknown_field', 'bundle.missing_field', 'bundle.limit', 'bundle.order', 'bundle.empty', 'log.origin', 'key.range', 'foreign', 'disputed', 'inclusion.range', 'inclusion.length', 'inclusion.root', 'part.unlisted', 'part.missing', 'part.twice', 'part.mismatch', 'roots.record', 'roots.fork', 'thread.handle', 'thread.placed', 'thread.thread_n', 'thread.thread_prev', 'thread.seq', 'thread.label', 'legacy.place', 'legacy.judged', 'legacy.parts', 'legacy.entry', 'heads.record', 'heads.size', 'heads.behind', 'heads.root', 'heads.end', 'law.hash', 'law.missing', 'activation.missing', 'activation.law', 'activation.stale', 'activation.early', 'directory.missing', 'directory.other'];
    assert.deepEqual(table.filter((code) => !codes.has(code)), []);
  });

  test('bundle.too_large, before anything is read', () => {
    assert.equal(judgeBundle(new Uint8Array(67_108_865), utf8(TRUST)).verdict.code, 'bundle.too_large');
    assert.equal(judgeBundle(new Uint8Array(67_108_864), utf8(TRUST)).verdict.code, 'bundle.not_canonical');
  });

  test('bundle.not_canonical: another spelling, bytes left over, an end too early', () => {
    const { bytes } = tell();
    const bent = [new Uint8Array(), bytes.slice(0, -1), concatBytes(bytes, Uint8Array.of(0)), concatBytes(Uint8Array.of(0xb8, 10), bytes.slice(1)), concatBytes(Uint8Array.of(0xbf), bytes.slice(1), Uint8Array.of(0xff)), encode([1]), encode('x')];
    for (const [i, one] of bent.entries()) assert.equal(judgeBundle(one, utf8(TRUST)).verdict.code, 'bundle.not_canonical', `case ${i}`);
    assert.equal(judgeBundle(encodeFields({ 1: 1, 2: 1 }), utf8(TRUST)).verdict.code, 'bundle.missing_field');
  });
});
