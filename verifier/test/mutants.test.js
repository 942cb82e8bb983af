// The mutants of the differential run: that they reach what is deep, and that a memory of signatures says what the rule says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import * as rule from '../src/ed25519.js';
import { utf8 } from '../src/text.js';
import { judgeBundle } from '../src/verdict.js';
import * as memory from '../testing/remembered.js';
import { LOG, WITNESSES } from '../testing/story.js';

/** @param {number} count @param {number} seed @returns {Buffer[]} */
function mutants(count, seed) {
  const script = fileURLToPath(new URL('../testing/mutants.mjs', import.meta.url));
  const { stdout, status } = spawnSync(process.execPath, [script, '--count', `${count}`, '--seed', `${seed}`], { maxBuffer: 1 << 28 });
  assert.equal(status, 0);
  const pieces = [];
  for (let at = 0; at < stdout.length; ) {
    const length = stdout.readUInt32BE(at);
    pieces.push(stdout.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return pieces;
}

test('one seed gives one series, and every step of the duties is reached', () => {
  const pieces = mutants(1200, 7);
  assert.equal(pieces.length, 2400);
  const codes = new Set();
  for (let i = 0; i < pieces.length; i += 2) codes.add(judgeBundle(new Uint8Array(/** @type {Buffer} */ (pieces[i])), new Uint8Array(/** @type {Buffer} */ (pieces[i + 1]))).verdict.code?.split('.')[0] ?? 'holds');
  const rooms = ['holds', 'activation', 'bundle', 'checkpoint', 'directory', 'entry', 'foreign', 'header', 'heads', 'inclusion', 'key', 'law', 'log', 'part', 'policy', 'thread', 'trust'];
  assert.deepEqual(rooms.filter((room) => !codes.has(room)), []);
  const [again, other] = [mutants(20, 7), mutants(20, 8)];
  assert.deepEqual(again, pieces.slice(0, 40));
  assert.notDeepEqual(again, other);
});

test('what is remembered of a signature is what was said of it', () => {
  const [text, line] = ['a text', LOG.line('a text')];
  const signature = new Uint8Array(Buffer.from(line.trim().split(' ').at(-1) ?? '', 'base64').subarray(4));
  const bent = signature.slice();
  bent[40] = /** @type {number} */ (bent[40]) ^ 1;
  const cases = [
    [LOG.publicKey, utf8(text), signature, true],
    [LOG.publicKey, utf8('a texu'), signature, false],
    [LOG.publicKey, utf8(text), bent, false],
    [/** @type {typeof LOG} */ (WITNESSES[0]).publicKey, utf8(text), signature, false],
    [LOG.publicKey, utf8(text), signature.subarray(1), false],
  ];
  for (const turn of [1, 2]) {
    for (const [key, message, signed, due] of /** @type {[Uint8Array, Uint8Array, Uint8Array, boolean][]} */ (cases)) {
      assert.equal(memory.holds(key, message, signed), due, `turn ${turn}`);
      assert.equal(rule.holds(key, message, signed), due);
    }
    assert.deepEqual([memory.isPublicKey(LOG.publicKey), memory.isPublicKey(new Uint8Array(32))], [true, false]);
  }
});
