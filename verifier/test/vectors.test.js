// The project's own vectors of heads, trust files and bundles.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHex } from '../src/bytes.js';
import { headsLabel, headsThread } from '../src/digest.js';
import { checkAbsence, checkPresence } from '../src/heads.js';
import { HeadsMap } from '../src/map.js';
import { parsePolicy } from '../src/policy.js';
import { utf8 } from '../src/text.js';
import { believe } from '../src/trust.js';
import { judgeBundle } from '../src/verdict.js';
import { asGiven } from '../testing/expect.js';
import { bytesOf, ownVectors } from '../testing/vectors.js';

/** How many there were once: none is ever removed. */
const LEAST = { heads: 14, trust: 85, bundle: 358 };

/** @type {Record<string, (given: any) => void>} */
const CHECKS = {
  heads(given) {
    const leaves = given.leaves.map(leafOf);
    const map = new HeadsMap(leaves);
    const root = bytesOf(given.root);
    assert.equal(toHex(map.root()), given.root);
    for (const claim of given.proofs) {
      const siblings = claim.siblings.map(bytesOf);
      const end = claim.leaf ?? claim.end ?? null;
      const key = claim.key === undefined ? leafOf(end).key : bytesOf(claim.key);
      const present = end !== null && toHex(leafOf(end).key) === toHex(key);
      asGiven(claim, () => {
        if (present) checkPresence({ leaf: leafOf(end), siblings, root });
        else checkAbsence({ key, end: end === null ? null : leafOf(end), siblings, root });
        assert.deepEqual(map.prove(key).siblings.map(toHex), claim.siblings);
      });
    }
  },
  label(given) {
    assert.equal(toHex(headsLabel(given.tenant, given.contract, given.id)), given.label);
  },
  thread_key(given) {
    assert.equal(toHex(headsThread(given.tenant, bytesOf(given.thread ?? given.handle))), given.key);
  },
  trust(given) {
    asGiven(given, () => parsePolicy(given.text === undefined ? bytesOf(given.bytes) : utf8(given.text)));
  },
  belief(given) {
    asGiven(given, () => assert.deepEqual(believe(parsePolicy(utf8(given.trust)), utf8(given.note)).witnesses, given.witnesses));
  },
  bundle(given) {
    const { verdict, detail } = judgeBundle(bytesOf(given.bundle), utf8(given.trust), (given.against ?? []).map(utf8));
    assert.deepEqual(verdict, given.verdict, `${detail}`);
  },
};

for (const room of /** @type {const} */ (['heads', 'trust', 'bundle'])) {
  const vectors = ownVectors(room);
  describe(room, () => {
    test('none is missing', () => assert.ok(vectors.length >= LEAST[room], `${vectors.length} vectors`));
    for (const { file, what, given } of vectors) {
      test(`${file}: ${given.about ?? what}`, () => {
        const check = CHECKS[what];
        assert.ok(check, `a vector of a kind that is not known here: ${what}`);
        check(given);
      });
    }
  });
}

/** @param {any} given */
function leafOf({ key, label, kind, thread, handle, n, record }) {
  return { key: bytesOf(key ?? label), kind, thread: bytesOf(thread ?? handle), n: BigInt(n), record: bytesOf(record) };
}
