// The signature rule against vectors that others made to tell rules apart.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { holds, isPublicKey } from '../src/ed25519.js';
import { utf8 } from '../src/text.js';
import { bytesOf, readJson, sharedVectors } from '../testing/vectors.js';

const cctv = sharedVectors('ed25519', 'cctv_ed25519vectors.json');
const wycheproof = sharedVectors('ed25519', 'wycheproof_ed25519_test.json');
const rfc8032 = sharedVectors('ed25519', 'rfc8032_sign_input_128.txt');

describe('signatures', () => {
  test('CCTV: of 914 edge cases 43 hold', cctv, () => {
    const cases = readJson(cctv.path);
    assert.equal(cases.length, 914);
    const held = cases.filter((/** @type {any} */ { key, sig, msg }) => holds(bytesOf(key), utf8(msg), bytesOf(sig)));
    // By the flags: what the rule refuses outright, and what holds by the cofactor alone.
    const refusedFlags = ['low_order_A', 'low_order_R', 'non_canonical_A', 'non_canonical_R', 'low_order_residue'];
    for (const { number, flags } of held) {
      assert.deepEqual((flags ?? []).filter((/** @type {string} */ flag) => refusedFlags.includes(flag)), [], `case ${number}`);
    }
    assert.equal(held.length, 43);
  });

  test('Wycheproof: 88 of 151 hold', wycheproof, () => {
    const { testGroups, numberOfTests } = readJson(wycheproof.path);
    let count = 0;
    for (const { publicKey, tests } of testGroups) {
      for (const { tcId, msg, sig, result } of tests) {
        assert.equal(holds(bytesOf(publicKey.pk), bytesOf(msg), bytesOf(sig)), result === 'valid', `case ${tcId}`);
        count += 1;
      }
    }
    assert.equal(count, numberOfTests);
    assert.equal(count, 151);
  });

  test('RFC 8032: all 128 hold, and no longer when a bit is another', rfc8032, () => {
    const lines = readFileSync(rfc8032.path, 'utf8').trim().split('\n');
    assert.equal(lines.length, 128);
    for (const [i, line] of lines.entries()) {
      const [, key = '', message = '', signed = ''] = line.split(':');
      const publicKey = bytesOf(key);
      const signature = bytesOf(signed).slice(0, 64);
      assert.ok(isPublicKey(publicKey));
      assert.ok(holds(publicKey, bytesOf(message), signature), `line ${i + 1}`);
      const bent = signature.slice();
      bent[i % 64] = /** @type {number} */ (bent[i % 64]) ^ (1 << (i % 8));
      assert.ok(!holds(publicKey, bytesOf(message), bent), `line ${i + 1}, bent`);
    }
  });

  test('a length that is not its own is refused, not an exception', () => {
    const empty = new Uint8Array();
    assert.equal(holds(new Uint8Array(31), empty, new Uint8Array(64)), false);
    assert.equal(holds(new Uint8Array(32), empty, new Uint8Array(63)), false);
    assert.equal(isPublicKey(new Uint8Array(33)), false);
  });

  test('keys of small order, and other spellings of points, are no keys', () => {
    const identity = `01${'00'.repeat(31)}`;
    const signOfZero = `01${'00'.repeat(30)}80`;
    const orderTwo = `ec${'ff'.repeat(30)}7f`;
    const field = `ed${'ff'.repeat(30)}7f`;
    const beyond = `ff${'ff'.repeat(30)}7f`;
    for (const key of [identity, signOfZero, orderTwo, field, beyond]) assert.equal(isPublicKey(bytesOf(key)), false, key);
  });
});
