// The project's own vectors of chains: genesis, entries, keys, checkpoints, proofs, whole logs.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, toHex } from '../src/bytes.js';
import { openCheckpoint } from '../src/checkpoint.js';
import { entryHash, genesisHash, leafHash } from '../src/digest.js';
import { decodeEntry } from '../src/entry.js';
import { parseVerifierKey } from '../src/key.js';
import { LogVerifier } from '../src/log.js';
import { checkConsistency, checkInclusion } from '../src/proof.js';
import { utf8 } from '../src/text.js';
import { encodeEntry } from '../testing/encode.js';
import { asGiven } from '../testing/expect.js';
import { bytesOf, ownVectors } from '../testing/vectors.js';

const vectors = ownVectors('chain');

/** @type {Record<string, (given: any) => void>} */
const CHECKS = {
  genesis(given) {
    assert.equal(toHex(genesisHash(genesisOf(given))), given.hash);
  },
  entry(given) {
    asGiven(given, () => {
      const bytes = bytesOf(given.bytes);
      const entry = decodeEntry(bytes);
      assert.deepEqual(spokenEntry(entry), given.fields);
      assert.equal(toHex(encodeEntry(entry)), given.bytes);
      assert.equal(toHex(entryHash(bytes)), given.hash);
      assert.equal(toHex(leafHash(bytes)), given.leaf);
    });
  },
  verifier_key(given) {
    asGiven(given, () => parseVerifierKey(given.verifier_key));
  },
  checkpoint(given) {
    asGiven(given, () => {
      const key = parseVerifierKey(given.verifier_key);
      const { origin, size, root, extensions } = openCheckpoint(utf8(given.note), key);
      assert.deepEqual(
        { origin, size, root: toHex(root), extensions },
        { origin: given.origin, size: BigInt(given.size), root: given.root, extensions: given.extensions },
      );
      if (given.seed !== undefined) assert.equal(signed(given, key), given.note);
    });
  },
  inclusion(given) {
    const claim = { index: BigInt(given.index), size: BigInt(given.size), leaf: bytesOf(given.leaf), root: bytesOf(given.root) };
    asGiven(given, () => checkInclusion({ ...claim, proof: given.proof.map(bytesOf) }));
  },
  consistency(given) {
    const sizes = { oldSize: BigInt(given.old_size), size: BigInt(given.size) };
    const roots = { oldRoot: bytesOf(given.old_root), root: bytesOf(given.root) };
    asGiven(given, () => checkConsistency({ ...sizes, ...roots, proof: given.proof.map(bytesOf) }));
  },
  // The parts of these logs are as a store keeps them, so here all are withheld: what the reports say of parts is left out.
  log(given) {
    const key = parseVerifierKey(given.verifier_key);
    const verifier = new LogVerifier(genesisOf(given), { notes: given.checkpoints.map(utf8), key });
    for (const { entry } of given.entries) verifier.push(bytesOf(entry));
    const report = verifier.finish();
    const { size, root, head, threads, disputed, anchors, failures } = given.report;
    const beyondParts = failures.filter((/** @type {[number, string]} */ [, code]) => !code.startsWith('part.'));
    assert.deepEqual(
      {
        size: report.size,
        root: toHex(report.root),
        head: toHex(report.head),
        threads: report.threads,
        disputed: report.disputed,
        anchors: report.anchors.map(Number),
        failures: report.failures.map(({ seq, code }) => [Number(seq), code]),
      },
      { size, root, head, threads, disputed, anchors, failures: beyondParts },
    );
    assert.equal(report.level, beyondParts.length > 0 ? 'broken' : anchors.length > 0 ? 'anchored' : 'intact');
    // Nothing is shown, nothing is erased by our own word: each part that the report tells of at all is withheld here.
    const bent = failures.length - beyondParts.length - given.entries.filter(hasUnlisted(given)).length;
    const told = given.report.parts + given.report.erased + given.report.withheld + bent;
    assert.deepEqual([report.parts, report.erased, report.withheld], [0, 0, told]);
  },
};

describe('chains', () => {
  for (const { file, what, given } of vectors) {
    test(`${file}: ${given.about ?? 'holds'}`, () => {
      const check = CHECKS[what];
      assert.ok(check, `a vector of a kind that is not known here: ${what}`);
      check(given);
    });
  }
  test('none is missing', () => assert.ok(vectors.length >= 72));
});

/** @param {any} given */
function genesisOf({ store, epoch, tenant, predecessor }) {
  return { store: bytesOf(store), epoch: BigInt(epoch), tenant, predecessor: utf8(predecessor) };
}

/** @param {ReturnType<typeof decodeEntry>} entry */
function spokenEntry(entry) {
  const { streamN, streamPrev } = entry;
  return {
    store: toHex(entry.store),
    epoch: Number(entry.epoch),
    tenant: entry.tenant,
    seq: Number(entry.seq),
    prev: toHex(entry.prev),
    sealed_at: entry.sealedAt,
    stream: streamN === null ? null : [Number(streamN), streamPrev === null ? null : toHex(streamPrev)],
    disputed: entry.disputed,
    header: toHex(entry.header),
  };
}

/**
 * A part that the header does not list is told of as a failure and is none of its parts.
 * @param {any} given
 */
function hasUnlisted(given) {
  const at = given.report.failures.filter((/** @type {[number, string]} */ [, code]) => code === 'part.unlisted');
  const seqs = new Set(at.map((/** @type {[number, string]} */ [seq]) => BigInt(seq)));
  return (/** @type {{ entry: string }} */ { entry }) => seqs.size > 0 && seqs.has(decodeEntry(bytesOf(entry)).seq);
}

/**
 * The note as its holder signs it.
 * @param {any} given
 * @param {import('../src/key.js').VerifierKey} key
 */
function signed(given, key) {
  const text = [given.origin, given.size, Buffer.from(given.root, 'hex').toString('base64'), ...given.extensions, ''].join('\n');
  const signature = ed25519.sign(utf8(text), bytesOf(given.seed));
  return `${text}\n— ${key.name} ${Buffer.from(concatBytes(key.id, signature)).toString('base64')}\n`;
}
