// Trust files and what is believed by them: every code, groups of groups, cosignatures and the ways they can be bent.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, u64Bytes } from '../src/bytes.js';
import { COSIGNATURE_TYPE, keyText, parseVerifierKey } from '../src/key.js';
import { parsePolicy, quorumMet } from '../src/policy.js';
import { utf8 } from '../src/text.js';
import { believe } from '../src/trust.js';
import { refused } from '../testing/expect.js';
import { Signer, checkpointText, noteOf, seedOf } from '../testing/signer.js';

const ORIGIN = 'hos/b883fcb71d90c0a6f983537e40fc5952/pazar-tr/0';
const LOG = new Signer(ORIGIN, seedOf(1));
const OTHER = new Signer('example.com/other', seedOf(2));
const [W1, W2, W3] = [3, 4, 5].map((byte) => new Signer(`witness.example/${byte}`, seedOf(byte), COSIGNATURE_TYPE));
const many = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => new Signer('x.example', Uint8Array.from({ length: 32 }, () => 100 + (i % 100)), 4));
if (W1 === undefined || W2 === undefined || W3 === undefined) throw new Error('three witnesses');

const BASE = `log ${LOG.vkey}\nwitness w1 ${W1.vkey}\nwitness w2 ${W2.vkey}\nwitness w3 ${W3.vkey}\n`;
const policy = (/** @type {string} */ text) => parsePolicy(utf8(text));

describe('trust files that read', () => {
  test('the example of the page', () => {
    const read = policy(`# the marketplace's log\n${BASE}group   most 2 w1 w2 w3\nquorum  most\n`);
    assert.deepEqual(read.logs.map(({ name }) => name), [ORIGIN]);
    assert.deepEqual(read.witnesses.map(({ name }) => name), ['w1', 'w2', 'w3']);
    assert.deepEqual(read.groups.get('most'), { name: 'most', threshold: 2, members: ['w1', 'w2', 'w3'] });
    assert.equal(read.quorum, 'most');
  });

  /** @type {[string, string][]} */
  const accepted = [
    ['tabs, spaces, empty lines, comments behind spaces, no last newline', `\t\n  # x\n \tlog\t ${LOG.vkey}  \n\nquorum none`],
    ['addresses', `log ${LOG.vkey} https://log.example/\nwitness w ${W1.vkey} https://w.example/#a\nquorum w\n`],
    ['octets beyond ASCII that are no UTF-8 in a comment, a name', `log ${LOG.vkey}\n# ş\nwitness ş ${W1.vkey}\nquorum ş\n`],
    ['names that are words of the format', `log ${LOG.vkey}\nwitness log ${W1.vkey}\ngroup quorum any log\nquorum quorum\n`],
    ['a witness outside every group', `${BASE}group a any w1\nquorum a\n`],
    ['the quorum a single witness, in a group too', `${BASE}group a all w1 w2\nquorum w1\n`],
    ['two keys of one log', `log ${LOG.vkey}\nlog ${new Signer(ORIGIN, seedOf(9)).vkey}\nquorum none\n`],
    ['64 witnesses', `log ${LOG.vkey}\n${many(64).map(({ vkey }, i) => `witness n${i} ${vkey}\n`).join('')}quorum none\n`],
  ];
  for (const [about, text] of accepted) test(about, () => assert.ok(policy(text).logs.length > 0));

  test('65536 bytes are the most', () => {
    const text = `${BASE}quorum none\n#`;
    policy(text.padEnd(65_536, 'x'));
    refused('policy.too_large', () => policy(text.padEnd(65_537, 'x')));
  });

  test('a key has 1024 bytes at most, in bytes and not in characters', () => {
    const rest = new Signer('x', seedOf(9)).vkey.length - 1;
    const longest = (/** @type {number} */ more) => new Signer(`ş${'x'.repeat(1024 - rest - 2 + more)}`, seedOf(9)).vkey;
    assert.equal(utf8(longest(0)).length, 1024);
    assert.equal(policy(`log ${longest(0)}\nquorum none\n`).logs.length, 1);
    refused('policy.key', () => policy(`log ${longest(1)}\nquorum none\n`));
  });

  test('any octet from 80 to FF is one of a name', () => {
    const bytes = concatBytes(utf8(`log ${LOG.vkey}\nwitness `), Uint8Array.of(0xff, 0x80), utf8(` ${W1?.vkey}\nquorum `), Uint8Array.of(0xff, 0x80), utf8('\n'));
    assert.equal(parsePolicy(bytes).quorum, '\u00ff\u0080');
  });
});

describe('trust files that do not', () => {
  const quorum = 'quorum none\n';
  /** @type {[string, string, string][]} */
  const bent = [
    ['syntax', 'a carriage return', `${BASE}quorum none\r\n`],
    ['syntax', 'NUL in a comment', `#\0\n${BASE}${quorum}`],
    ['syntax', 'DEL', `#\x7f\n${BASE}${quorum}`],
    ['syntax', 'another word', `${BASE}logs ${OTHER.vkey}\n${quorum}`],
    ['syntax', 'capitals', `Log ${LOG.vkey}\n${quorum}`],
    ['syntax', 'a log without a key', `log\n${quorum}`],
    ['syntax', 'a log of four words', `log ${LOG.vkey} x y\n${quorum}`],
    ['syntax', 'a comment behind a line', `log ${LOG.vkey} # my own\n${quorum}`],
    ['syntax', 'a witness without a key', `${BASE}witness w4\n${quorum}`],
    ['syntax', 'a witness of five words', `log ${LOG.vkey}\nwitness w ${W1.vkey} x y\n${quorum}`],
    ['syntax', 'a group without members', `${BASE}group g any\n${quorum}`],
    ['syntax', 'none of a group', `${BASE}group g 0 w1\n${quorum}`],
    ['syntax', 'more than a group has', `${BASE}group g 3 w1 w2\n${quorum}`],
    ['syntax', 'a leading zero', `${BASE}group g 01 w1 w2\n${quorum}`],
    ['syntax', 'a sign', `${BASE}group g +1 w1 w2\n${quorum}`],
    ['syntax', 'a number beyond all', `${BASE}group g 99999999999999999999 w1\n${quorum}`],
    ['syntax', 'most', `${BASE}group g most w1\n${quorum}`],
    ['syntax', 'a quorum of two', `${BASE}quorum w1 w2\n`],
    ['syntax', 'a quorum of nothing', `${BASE}quorum\n`],
    ['key', 'no key', `log abc\n${quorum}`],
    ['key', "a log with a witness's type", `log ${W1.vkey}\n${quorum}`],
    ['key', "a witness with a log's type", `log ${LOG.vkey}\nwitness w ${OTHER.vkey}\n${quorum}`],
    ['key', 'another id', `log ${LOG.vkey.replace('+291dd0bd', '')}\n${quorum}`.replace(/\+[0-9a-f]{8}\+/, '+00000000+')],
    ['duplicate', 'a key in two logs', `${BASE}log ${LOG.vkey}\n${quorum}`],
    ['duplicate', 'a key in two logs of different names', `${BASE}log ${new Signer('another', seedOf(1)).vkey}\n${quorum}`],
    ['duplicate', 'a key in two witnesses', `${BASE}witness w4 ${W1.vkey}\n${quorum}`],
    ['duplicate', "a witness with a log's key", `${BASE}witness w4 ${new Signer('w', seedOf(1), 4).vkey}\n${quorum}`],
    ['duplicate', "a log with a witness's key", `witness w4 ${new Signer('w', seedOf(1), 4).vkey}\nlog ${LOG.vkey}\n${quorum}`],
    ['duplicate', 'two witnesses of one name', `${BASE}witness w1 ${new Signer('w', seedOf(9), 4).vkey}\n${quorum}`],
    ['duplicate', "a group of a witness's name", `${BASE}group w1 any w2\n${quorum}`],
    ['duplicate', 'two groups of one name', `${BASE}group g any w1\ngroup g any w2\n${quorum}`],
    ['duplicate', 'a member twice', `${BASE}group g any w1 w1\n${quorum}`],
    ['duplicate', 'a member of two groups', `${BASE}group g any w1\ngroup h any w1\n${quorum}`],
    ['duplicate', 'a witness called none', `${BASE}witness none ${new Signer('w', seedOf(9), 4).vkey}\n${quorum}`],
    ['unknown_name', 'a member that is nobody', `${BASE}group g any w4\n${quorum}`],
    ['unknown_name', 'a member defined below', `${BASE}group g any h\ngroup h any w1\n${quorum}`],
    ['unknown_name', 'a group of itself', `${BASE}group g any g\n${quorum}`],
    ['unknown_name', 'none as a member', `${BASE}group g any none\n${quorum}`],
    ['unknown_name', 'a quorum that is nobody', `${BASE}quorum w4\n`],
    ['unknown_name', 'a quorum defined below', `log ${LOG.vkey}\nquorum w1\nwitness w1 ${W1.vkey}\n`],
    ['unknown_name', "a quorum by a key's name", `${BASE}quorum ${W1.name}\n`],
    ['no_quorum', 'no quorum', BASE],
    ['no_quorum', 'two', `${BASE}${quorum}${quorum}`],
    ['no_quorum', 'nothing at all', ''],
    ['no_log', 'no log', `witness w1 ${W1.vkey}\nquorum w1\n`],
    ['too_large', '65 witnesses', `log ${LOG.vkey}\n${many(65).map(({ vkey }, i) => `witness n${i} ${vkey}\n`).join('')}${quorum}`],
    ['too_large', '65 groups', `log ${LOG.vkey}\n${many(65).slice(0, 64).map(({ vkey }, i) => `witness n${i} ${vkey}\ngroup g${i} any n${i}\n`).join('')}group g64 any g0\n${quorum}`],
    ['too_large', '65 logs', `${Array.from({ length: 65 }, (_, i) => `log ${new Signer('l', seedOf(100 + i)).vkey}\n`).join('')}${quorum}`],
  ];
  for (const [code, about, text] of bent) test(`${code}: ${about}`, () => refused(`policy.${code}`, () => policy(text), about));

  test('every code is met', () => assert.equal(new Set(bent.map(([code]) => code)).size, 7));
});

describe('quorums', () => {
  const nested = `${BASE}group inner 2 w1 w2\ngroup outer all inner w3\nquorum outer\n`;
  /** @type {[string, string, string[], boolean][]} */
  const cases = [
    ['none asks for nobody', `${BASE}quorum none\n`, [], true],
    ['one witness', `${BASE}quorum w2\n`, ['w2'], true],
    ['another witness', `${BASE}quorum w2\n`, ['w1', 'w3'], false],
    ['two of three', `${BASE}group g 2 w1 w2 w3\nquorum g\n`, ['w1', 'w3'], true],
    ['one of two of three', `${BASE}group g 2 w1 w2 w3\nquorum g\n`, ['w1'], false],
    ['any', `${BASE}group g any w1 w2\nquorum g\n`, ['w2'], true],
    ['all', `${BASE}group g all w1 w2\nquorum g\n`, ['w1', 'w3'], false],
    ['groups of groups', nested, ['w1', 'w2', 'w3'], true],
    ['groups of groups, one short', nested, ['w1', 'w3'], false],
  ];
  for (const [about, text, names, met] of cases) test(about, () => assert.equal(quorumMet(policy(text), new Set(names)), met));
});

describe('belief', () => {
  const text = checkpointText(ORIGIN, 42, new Uint8Array(32).fill(6));
  const two = policy(`${BASE}group most 2 w1 w2 w3\nquorum most\n`);
  const nobody = policy(`${BASE}quorum none\n`);
  const note = (/** @type {Signer[]} */ ...signers) => utf8(noteOf(text, ...signers));

  test('a log key and two of three witnesses, in the order of the file', () => {
    const belief = believe(two, note(W3, LOG, OTHER, W1));
    assert.deepEqual([belief.checkpoint.size, belief.witnesses, belief.key.name], [42n, ['w1', 'w3'], ORIGIN]);
    assert.equal(keyText(belief.key), LOG.vkey);
  });

  test('without a quorum witnesses are told all the same', () => {
    assert.deepEqual(believe(nobody, note(LOG)).witnesses, []);
    assert.deepEqual(believe(nobody, note(LOG, W2)).witnesses, ['w2']);
  });

  test('one of two keys of a log', () => {
    const later = new Signer(ORIGIN, seedOf(9));
    const both = policy(`log ${LOG.vkey}\nlog ${later.vkey}\nquorum none\n`);
    assert.equal(keyText(believe(both, note(later)).key), later.vkey);
    assert.equal(keyText(believe(both, note(LOG)).key), LOG.vkey);
    refused('checkpoint.signature', () => believe(both, utf8(`${noteOf(text, later)}${LOG.lineOf(new Uint8Array(64))}`)));
  });

  const signature = (/** @type {string} */ message, /** @type {Signer} */ { seed }) => ed25519.sign(utf8(message), seed);
  const cosigned = (/** @type {bigint} */ time, /** @type {string} */ message) => W2.lineOf(concatBytes(u64Bytes(time), signature(message, W2)));
  const good = noteOf(text, LOG, W1);
  /** @type {[string, string, Uint8Array | string][]} */
  const bent = [
    ['trust.unknown_log', 'a log that the file does not name', utf8(noteOf(text.replace('pazar-tr', 'pazar-de'), LOG, W1, W2))],
    ['trust.unknown_log', "the key's name in another line", noteOf(`x\n${text}`, LOG, W1, W2)],
    ['checkpoint.unsigned', 'witnesses and no log', note(W1, W2, OTHER)],
    ['checkpoint.unsigned', "a witness under the log's name", note(new Signer(ORIGIN, seedOf(1), 4), W1, W2)],
    ['checkpoint.signature', "a log's signature of another text", `${text}\n${LOG.line(`${text}x`)}${W1.line(text)}${W2.line(text)}`],
    ['checkpoint.signature', "a log's signature that holds and one that does not", `${good}${W2.line(text)}${LOG.lineOf(new Uint8Array(64))}`],
    ['checkpoint.malformed', 'no note', 'x'],
    ['checkpoint.checkpoint', 'a note that is no checkpoint', noteOf(`${ORIGIN}\nx\n`, LOG, W1, W2)],
    ['trust.quorum', 'one of two', good],
    ['trust.quorum', 'one twice', `${good}${W1.line(text)}`],
    ['trust.quorum', 'a stranger', `${good}${new Signer('w.example', seedOf(60), 4).line(text)}`],
    ['trust.quorum', 'the name of a witness and another key', `${good}${new Signer(W2.name, seedOf(61), 4).line(text)}`],
    ['trust.quorum', 'a witness who signs as logs do', `${good}${new Signer(W2.name, W2.seed, 1).line(text)}`],
    ['checkpoint.signature', 'another time', `${good}${cosigned(1n, `cosignature/v1\ntime 2\n${text}`)}`],
    ['checkpoint.signature', 'a time of 64 bits', `${good}${cosigned(2n ** 63n, `cosignature/v1\ntime ${2n ** 63n}\n${text}`)}`],
    ['checkpoint.signature', 'no time', `${good}${W2.lineOf(signature(text, W2))}`],
    ['checkpoint.signature', 'another head', `${good}${cosigned(1n, `cosignature/v2\ntime 1\n${text}`)}`],
    ['checkpoint.signature', 'another text', `${good}${W2.line(`${text}x`)}`],
    ['checkpoint.signature', 'a byte too many', `${good}${W2.lineOf(new Uint8Array(73))}`],
    ['checkpoint.signature', 'enough without it', `${noteOf(text, LOG, W1, W3)}${W2.lineOf(new Uint8Array(72))}`],
  ];
  for (const [code, about, bytes] of bent) {
    test(`${code}: ${about}`, () => refused(code, () => believe(two, typeof bytes === 'string' ? utf8(bytes) : bytes)));
  }

  test('the last second of 63 bits', () => {
    const last = 2n ** 63n - 1n;
    assert.deepEqual(believe(two, utf8(`${good}${cosigned(last, `cosignature/v1\ntime ${last}\n${text}`)}`)).witnesses, ['w1', 'w2']);
  });

  test('a key of a type is none of another', () => {
    refused('verifier_key', () => parseVerifierKey(W1.vkey));
    refused('verifier_key', () => parseVerifierKey(LOG.vkey, COSIGNATURE_TYPE));
  });
});
