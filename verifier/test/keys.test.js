// Records of keys: who may sign which sizes, and that a bundle lists nothing else.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkKeys } from '../src/keys.js';
import { attempt } from '../src/refusal.js';
import { utf8 } from '../src/text.js';
import { judgeBundle } from '../src/verdict.js';
import { encode } from '../testing/encode.js';
import { COURSES, tellKeys } from '../testing/keys.js';
import { Signer, checkpointText, noteOf } from '../testing/signer.js';
import { STORE, UNIVERSE } from '../testing/story.js';

describe('records of keys', () => {
  for (const [code, about, course, at = 'keys'] of COURSES) {
    test(`${code ?? 'holds'}: ${about}`, () => {
      const { bytes, trust, against } = tellKeys(course);
      const { verdict, detail } = judgeBundle(bytes, utf8(trust), against.map(utf8));
      assert.deepEqual([verdict.code, verdict.where], [code, code === null ? null : at], `${detail}`);
      assert.deepEqual(verdict.notices.filter((notice) => notice === 'former_key'), course.notices ?? []);
    });
  }

  test('key.range: more than 256', () => {
    const keys = Array.from({ length: 257 }, (_, i) => new Signer(UNIVERSE, Uint8Array.from({ length: 32 }, (_, at) => (at < 2 ? (i >> (8 * at)) & 255 : 7))));
    /** Each change and its confirmation, as a bundle's records of keys that hold. */
    const told = (/** @type {number} */ count) =>
      keys.slice(0, count).flatMap(({ publicKey }, i) => {
        if (i === 0) return [[1, publicKey, 0]];
        const note = noteOf(checkpointText(UNIVERSE, 2 * i, new Uint8Array(32)), /** @type {Signer} */ (keys[i - 1]));
        return [[1, publicKey, [['universe', 2 * i + 1]]], [1, publicKey, note]];
      });
    const judged = (/** @type {number} */ count) => {
      const cited = told(count).map((content, seq) => ({
        log: 0, header: { event: 'hos.keys', kind: 18, thread: new Uint8Array(16) },
        entry: { seq: BigInt(seq), streamN: BigInt(seq), store: STORE, epoch: 0n }, opened: [{ slot: 9, plaintext: encode(content) }],
      }));
      const log = { tenant: 'universe', origin: UNIVERSE, size: 600n, keys: [{ publicKey: keys[count - 1]?.publicKey }] };
      return attempt(() => checkKeys(/** @type {any} */ ({ keys: [] }), /** @type {any} */ ([log]), /** @type {any} */ (cited), [], /** @type {any} */ ({ at: (_, done) => done() })));
    };
    assert.match(/** @type {any} */ (judged(256)).detail, /the ranges listed/);
    assert.match(/** @type {any} */ (judged(257)).detail, /more than 256 keys/);
  });
});
