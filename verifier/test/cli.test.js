// The command: words for a person, one JSON object for a program, exit codes, and no stack trace whatever comes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, closeSync, ftruncateSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EN } from '../words/en.js';
import { meaningOf } from '../words/index.js';
import { plain } from '../words/plain.js';
import { TR } from '../words/tr.js';
import { TRUST, TRUST_NONE, tell } from '../testing/story.js';

const CLI = fileURLToPath(new URL('../cli.mjs', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'hos-verifier-'));
after(() => rmSync(folder, { recursive: true }));

/** @param {string} name @param {string | Uint8Array} content */
function file(name, content) {
  const at = path.join(folder, name);
  writeFileSync(at, content);
  return at;
}

/** @param {...string} args */
function cli(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
  assert.doesNotMatch(stdout + stderr, /\n\s+at .*:\d+|node:internal/, 'no stack trace');
  return { status, stdout, stderr };
}

const good = tell();
const GOOD = file('good.hosb', good.bytes);
const TRUSTED = file('trust', TRUST);
const NOBODY = file('trust-none', TRUST_NONE);
const BENT = file('bent.hosb', tell({ model: (model) => void (model.laws = []) }).bytes);
const KEPT = file('kept.note', good.note);
const ODD = file('odd.hosb', tell({ drafts: (one) => void (one.name === 'begun' && ((one.header = { ...one.header, 28: null }), (one.parts = (one.parts ?? []).map((part) => (part.slot === 6 ? { ...part, content: 'o\u001b[2J\u202e17' } : part))))) }).bytes);

describe('for a person', () => {
  test('what holds', () => {
    const { status, stdout, stderr } = cli(GOOD, '--trust', TRUSTED);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^anchored {4}order\/o-17: 3 records, new -> paid -> shipped\ncomplete {4}all records of this instance, as of entry 10 of hos\/b883/);
    assert.match(stdout, /\nparts {7}8 opened, 1 hidden, 1 erased\nwitnesses {3}w1, w2\n/);
  });

  test('what does not', () => {
    const { status, stdout } = cli(BENT, '--trust', TRUSTED);
    assert.equal(status, 3);
    assert.match(stdout, /^refused {5}law\.missing, at records 0\n/);
    assert.doesNotMatch(stdout, /intact|anchored|complete/);
  });

  test('in Turkish', () => {
    assert.match(cli('--language', 'tr', GOOD, '--trust', NOBODY).stdout, /^sağlam {6}order\/o-17: 3 kayıt, new -> paid -> shipped\ntam {9}/);
    assert.match(cli('--language', 'tr', BENT, '--trust', NOBODY).stdout, /^reddedildi {2}law\.missing, yer: records 0\n/);
  });

  test('nothing foreign moves the cursor or turns the writing', () => {
    const { status, stdout } = cli(ODD, '--trust', TRUSTED);
    assert.equal(status, 0);
    assert.match(stdout, /order\/o\\u\{1b\}\[2J\\u\{202e\}17/);
    assert.equal(plain('a\u200fb\u2066c\u00add\u2028e\u{e0001}f\ud800g\u3164'), 'a\\u{200f}b\\u{2066}c\\u{ad}d\\u{2028}e\\u{e0001}f\\u{d800}g\\u{3164}');
    assert.equal(plain('İstanbul’da 4.200 ₺ 日本語 👍'), 'İstanbul’da 4.200 ₺ 日本語 👍');
  });
});

describe('for a program', () => {
  test('one object, whatever the exit', () => {
    const verdict = JSON.parse(cli(GOOD, '--trust', NOBODY, '--json').stdout);
    assert.deepEqual([verdict.verdict, verdict.complete, verdict.notices[0]], ['intact', { as_of: 10, of: 'instance' }, 'hidden_parts']);
    assert.equal(JSON.parse(cli(GOOD, '--trust', NOBODY, '--against', KEPT, '--json').stdout).verdict, 'anchored');
    const refused = cli(BENT, '--json', '--trust', TRUSTED);
    assert.deepEqual([refused.status, JSON.parse(refused.stdout).code, JSON.parse(refused.stdout).where], [3, 'law.missing', 'records 0']);
    const usage = cli('--json');
    assert.deepEqual([usage.status, JSON.parse(usage.stdout).error.code, usage.stderr], [2, 'usage', '']);
    const nowhere = cli(path.join(folder, 'nowhere'), '--trust', TRUSTED, '--json');
    assert.deepEqual([nowhere.status, JSON.parse(nowhere.stdout).error.code], [4, 'unreadable']);
  });

  test('exit codes', () => {
    const large = openSync(path.join(folder, 'large.hosb'), 'w');
    ftruncateSync(large, 67_108_865);
    closeSync(large);
    /** @type {[string, number, ...string[]][]} */
    const cases = [
      ['not refused', 0, GOOD, '--trust', TRUSTED],
      ['help', 0, '--help'],
      ['refused', 3, BENT, '--trust', TRUSTED],
      ['no bundle', 3, TRUSTED, '--trust', TRUSTED],
      ['too large', 3, path.join(folder, 'large.hosb'), '--trust', TRUSTED],
      ['a wrong trust file', 2, GOOD, '--trust', KEPT],
      ['a trust file too large', 2, GOOD, '--trust', file('long', '#'.repeat(65_537))],
      ['a wrong trust file before a wrong bundle', 2, BENT, '--trust', KEPT],
      ['no trust file named', 2, GOOD],
      ['two trust files', 2, GOOD, '--trust', TRUSTED, '--trust', NOBODY],
      ['two bundles', 2, GOOD, GOOD, '--trust', TRUSTED],
      ['an option that is none', 2, GOOD, '--trust', TRUSTED, '--yes'],
      ['a language that is none', 2, GOOD, '--trust', TRUSTED, '--language', 'xx'],
      ['a language of the prototype', 2, GOOD, '--trust', TRUSTED, '--language', 'constructor'],
      ['what was kept is no checkpoint', 3, GOOD, '--trust', TRUSTED, '--against', TRUSTED],
      ['what was kept is too long for a checkpoint', 3, GOOD, '--trust', TRUSTED, '--against', file('long', '#'.repeat(65_537))],
      ['no such bundle', 4, path.join(folder, 'nowhere'), '--trust', TRUSTED],
      ['no such trust file', 4, GOOD, '--trust', path.join(folder, 'nowhere')],
      ['a folder', 4, folder, '--trust', TRUSTED],
    ];
    for (const [about, status, ...args] of cases) assert.equal(cli(...args).status, status, about);
    assert.match(cli(path.join(folder, 'large.hosb'), '--trust', TRUSTED).stdout, /bundle\.too_large/);
    assert.match(cli(path.join(folder, 'large.hosb'), '--trust', TRUSTED, '--json').stdout, /"where":"bundle"/);
  });
});

describe('words', () => {
  test('both languages say the same things, and each its own way', () => {
    /** @type {(words: any, at?: string) => string[]} */
    const paths = (words, at = '') => (Object.entries(words).flatMap(([name, word]) => (typeof word === 'string' ? [`${at}${name} ${(word.match(/\{\w+\}/g) ?? []).sort()}`] : paths(word, `${at}${name}.`))));
    assert.deepEqual(paths(TR), paths(EN));
  });

  test('every layer of a code has a meaning', () => {
    for (const code of ['policy.key', 'bundle.order', 'trust.quorum', 'checkpoint.root', 'log.origin', 'key.range', 'entry.suite', 'header.time', 'foreign', 'disputed', 'inclusion.root', 'part.twice', 'thread.seq', 'heads.end', 'law.hash', 'activation.early', 'directory.other']) {
      assert.notEqual(meaningOf(EN, code), code);
      assert.notEqual(meaningOf(TR, code), code);
    }
  });
});
