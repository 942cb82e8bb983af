// Two verifiers that share no code say the same: every story of this folder is given to the first one too.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { utf8 } from '../src/text.js';
import { judgeBundle, verdictJson } from '../src/verdict.js';
import { HOLDING } from '../testing/holding.js';
import { COURSES, tellKeys } from '../testing/keys.js';
import { REFUSALS } from '../testing/refusals.js';
import { dice } from '../testing/signer.js';
import { TRUST, tell } from '../testing/story.js';

const HOS = process.env.HOS_BINARY;
const BENT = Number(process.env.HOS_BENT ?? 200);

describe('the first verifier and this one', { skip: HOS === undefined && 'set HOS_BINARY to the command hos' }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hos-both-'));
  after(() => rmSync(folder, { recursive: true }));

  /** @param {Uint8Array} bytes @param {string} trust @param {(string | Uint8Array)[]} against */
  function same(bytes, trust = TRUST, against = []) {
    const file = (/** @type {string} */ name, /** @type {string | Uint8Array} */ content) => {
      writeFileSync(path.join(folder, name), content);
      return path.join(folder, name);
    };
    const notes = against.flatMap((note, i) => ['--against', file(`${i}.note`, note)]);
    const args = ['verify', file('story.hosb', bytes), '--trust', file('mine.trust', trust), ...notes, '--json'];
    const { stdout } = spawnSync(String(HOS), args, { encoding: 'utf8' });
    const theirs = JSON.parse(stdout);
    const { verdict } = judgeBundle(bytes, utf8(trust), against.map((note) => (typeof note === 'string' ? utf8(note) : note)));
    // Of a trust file that is wrong the command says an error, not a verdict.
    if (verdict.code?.startsWith('policy.')) assert.equal(theirs.error?.code ?? theirs.code, verdict.code);
    else assert.deepEqual(theirs, JSON.parse(verdictJson(verdict)));
  }

  for (const [about, bend, given] of HOLDING) test(about, () => same(tell(bend).bytes, given.trust, given.against));
  for (const [code, , about, bend, given] of REFUSALS) test(`${code}: ${about}`, () => same(tell(bend).bytes, given?.trust, given?.against));

  for (const [code, about, course] of COURSES) {
    test(`keys, ${code ?? 'holds'}: ${about}`, () => {
      const { bytes, trust, against } = tellKeys(course);
      same(bytes, trust, against);
    });
  }

  test('a kept checkpoint with a byte that is no text', () => {
    const { bytes, note } = tell();
    same(bytes, TRUST, [Uint8Array.from([...utf8(`${note}— x`), 0xff, ...utf8(' AAAAAAAA\n')])]);
  });

  test('what a store exports right after a change of its key, under the trust file written with it', () => {
    const run = (/** @type {string[]} */ ...args) => {
      const { status, stderr } = spawnSync(String(HOS), args, { cwd: folder, encoding: 'utf8', env: { ...process.env, HOS_STORE: 'a.db', HOS_TENANT: 'pazar', HOS_AS: 'Account::root' } });
      assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
    };
    const law = fileURLToPath(new URL('../../hos-cli/tests/law', import.meta.url));
    run('init', '--law', law, '--founder', 'Account::root', '--role', 'Role::operator', '--attr', 'active=true');
    run('directory', 'put', 'Account::ayse', '--attr', 'active=true', '--tenant', 'universe');
    run('begin', 'order', 'o-1', 'place', '--fact', 'buyer=ayse', '--fact', 'total=4200', '--as', 'Account::ayse');
    run('keys', 'generate', 'new.key');
    run('keys', 'rotate', '--new-key', 'new.key');
    const read = (/** @type {string} */ name) => new Uint8Array(readFileSync(path.join(folder, name)));
    for (const [name, ...options] of [['idle', '--without-map'], ['mapped']]) {
      run('export', '--key-file', 'new.key', '--instance', 'order/o-1', '-o', `${name}.hosb`, '--trust-out', `${name}.trust`, ...options);
      const [bytes, trust] = [read(`${name}.hosb`), new TextDecoder().decode(read(`${name}.trust`))];
      assert.equal(trust.match(/^log /gm)?.length, name === 'idle' ? 2 : 1);
      assert.equal(judgeBundle(bytes, utf8(trust)).verdict.verdict, 'intact');
      same(bytes, trust);
    }
  });

  test(`${BENT} stories with a bit bent`, () => {
    const { bytes } = tell();
    const roll = dice(2026);
    for (let i = 0; i < BENT; i += 1) {
      const bent = bytes.slice();
      const at = roll(bent.length);
      bent[at] = /** @type {number} */ (bent[at]) ^ (1 << roll(8));
      same(bent);
    }
  });
});
