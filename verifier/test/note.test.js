// Notes and checkpoints: a log that others grew and signed, and the ways a note can be bent.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, toHex } from '../src/bytes.js';
import { openCheckpoint } from '../src/checkpoint.js';
import { keyId } from '../src/digest.js';
import { parseVerifierKey } from '../src/key.js';
import { checkSigned, parseNote } from '../src/note.js';
import { utf8 } from '../src/text.js';
import { Tree } from '../src/tree.js';
import { refused } from '../testing/expect.js';
import { filesBelow, sharedVectors } from '../testing/vectors.js';

const tessera = sharedVectors('tlog-tiles-tessera', 'testdata', 'log');
const TESSERA_KEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx';

describe('a log that others grew', () => {
  test('its 16 checkpoints hold, of the roots that its entries give', tessera, () => {
    const key = parseVerifierKey(TESSERA_KEY);
    /** @type {string[]} */
    const roots = [];
    const tree = new Tree();
    roots.push(toHex(tree.root()));
    for (const entry of bundle(readFileSync(path.join(tessera.path, 'tile', 'entries', '000.p', '15')))) {
      tree.append(entry);
      roots.push(toHex(tree.root()));
    }
    const files = filesBelow(tessera.path).filter((file) => /checkpoint\.\d+$/.test(file));
    const sizes = files.map((file) => {
      const { size, root } = openCheckpoint(new Uint8Array(readFileSync(file)), key);
      assert.equal(toHex(root), roots[Number(size)], file);
      return Number(size);
    });
    assert.deepEqual(sizes.sort((a, b) => a - b), Array.from({ length: 16 }, (_, i) => i));
    const last = new Uint8Array(readFileSync(path.join(tessera.path, 'checkpoint')));
    assert.equal(openCheckpoint(last, key).size, 15n);
    refused('origin', () => openCheckpoint(last, key, 'example.com/another'));
    for (let i = 0; i < last.length; i += 7) {
      const bent = last.slice();
      bent[i] = /** @type {number} */ (bent[i]) ^ 1;
      assert.throws(() => openCheckpoint(bent, key), { name: 'Refusal' }, `byte ${i}`);
    }
  });
});

/**
 * Entries of a tile: each behind its length in two bytes.
 * @param {Uint8Array} bytes
 */
function bundle(bytes) {
  const entries = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += 2 + view.getUint16(at)) entries.push(bytes.subarray(at + 2, at + 2 + view.getUint16(at)));
  return entries;
}

const SEED = new Uint8Array(32).fill(7);
const NAME = 'example.com/log';
const PUBLIC = ed25519.getPublicKey(SEED);
const ID = keyId(NAME, 1, PUBLIC);
const base64 = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString('base64');
const KEY = parseVerifierKey(`${NAME}+${toHex(ID)}+${base64(concatBytes(Uint8Array.of(1), PUBLIC))}`);
const ROOT = base64(new Uint8Array(32));

/** @param {string} text */
const line = (text, name = NAME) => `— ${name} ${base64(concatBytes(ID, ed25519.sign(utf8(text), SEED)))}\n`;
/** @param {string} text */
const sign = (text) => utf8(`${text}\n${line(text)}`);

describe('notes', () => {
  const text = 'some text\n';

  test('the last empty line ends the text', () => {
    const inner = 'one\n\nanother\n';
    const note = parseNote(sign(inner));
    assert.equal(note.text, inner);
    checkSigned(note, KEY);
    // The same bytes with the split moved are another text.
    refused('signature', () => checkSigned(parseNote(utf8(`one\n\n${line(inner)}`)), KEY));
  });

  test('16 signatures are the most, and strangers are passed over', () => {
    const strangers = (/** @type {number} */ count) => line(text, 'example.com/stranger').repeat(count);
    checkSigned(parseNote(utf8(`${text}\n${strangers(15)}${line(text)}`)), KEY);
    refused('too_large', () => parseNote(utf8(`${text}\n${strangers(16)}${line(text)}`)));
    refused('unsigned', () => checkSigned(parseNote(utf8(`${text}\n${strangers(2)}`)), KEY));
  });

  test('65536 bytes are the most', () => {
    const rest = sign('').length + 1;
    const long = `${'x'.repeat(65_536 - rest)}\n`;
    checkSigned(parseNote(sign(long)), KEY);
    refused('too_large', () => parseNote(sign(`x${long}`)));
  });

  test('a signature of another length is false, not passed over', () => {
    refused('signature', () => checkSigned(parseNote(utf8(`${text}\n— ${NAME} ${base64(concatBytes(ID, new Uint8Array(63)))}\n`)), KEY));
  });

  const whole = `${text}\n${line(text)}`;
  const lineOnly = line(text);
  /** @type {[string, string, string | Uint8Array][]} */
  const bent = [
    ['no empty line', 'malformed', `${text}${lineOnly}`],
    ['nothing', 'malformed', ''],
    ['a newline too many', 'malformed', `${whole}\n`],
    ['a tab', 'malformed', whole.replace('some', 'so\tme')],
    ['NUL', 'malformed', whole.replace('some', 'so\u0000me')],
    ['a carriage return', 'malformed', whole.replace('some', 'so\rme')],
    ['a control character in the name', 'name', whole.replace(`— ${NAME}`, '— example.com\u0085log')],
    ['not UTF-8', 'malformed', concatBytes(Uint8Array.of(0xff), utf8(whole))],
    ['two spaces', 'malformed', whole.replace(`${NAME} `, `${NAME}  `)],
    ['an en dash', 'malformed', whole.replace('—', '–')],
    ['no name', 'name', whole.replace(`— ${NAME}`, '— ')],
    ['a space that is not ASCII in the name', 'name', whole.replace(`— ${NAME}`, '— example.com\u2003log')],
    ['a plus in the name', 'name', whole.replace(`— ${NAME}`, '— example.com+log')],
    ['no padding', 'malformed', whole.replace(/=+\n$/, '\n')],
    ['a key id alone', 'malformed', `${text}\n— ${NAME} ${base64(ID)}\n`],
    ['base64 of addresses', 'malformed', `${text}\n— ${NAME} ${base64(new Uint8Array(68).fill(255)).replaceAll('/', '_')}\n`],
    ['bits beyond the last byte', 'malformed', `${text}\n— ${NAME} AAAAAAB=\n`],
  ];
  for (const [about, code, note] of bent) {
    test(`refused: ${about}`, () => {
      refused(code, () => parseNote(typeof note === 'string' ? utf8(note) : note));
    });
  }

  test('what is not below U+0020 is a character like any other', () => {
    for (const text of ['so\u007fme\n', 'so\u0085me\n', 'so\u2028me\n']) checkSigned(parseNote(sign(text)), KEY);
  });

  test('a byte-order mark is a character like any other', () => {
    const marked = `\ufeff${text}`;
    checkSigned(parseNote(sign(marked)), KEY);
    refused('signature', () => checkSigned(parseNote(utf8(`\ufeff${whole}`)), KEY));
  });
});

describe('checkpoints', () => {
  const good = `${NAME}\n18446744073709551615\n${ROOT}\n`;

  test('a size may take 64 bits', () => assert.equal(openCheckpoint(sign(good), KEY).size, 2n ** 64n - 1n));

  /** @type {[string, string][]} */
  const bent = [
    ['a size beyond 64 bits', good.replace('615\n', '616\n')],
    ['a leading zero', `${NAME}\n012\n${ROOT}\n`],
    ['a sign', `${NAME}\n+12\n${ROOT}\n`],
    ['no size', `${NAME}\n\n${ROOT}\n`],
    ['hexadecimal', `${NAME}\n0x12\n${ROOT}\n`],
    ['digits that are not ASCII', `${NAME}\n١٢\n${ROOT}\n`],
    ['a root of 31 bytes', `${NAME}\n12\n${base64(new Uint8Array(31))}\n`],
    ['a root with bits beyond its last byte', `${NAME}\n12\n${'A'.repeat(42)}B=\n`],
    ['no root', `${NAME}\n12\n`],
    ['an empty extension', `${good}\nx\n`],
    ['an empty origin', `\n12\n${ROOT}\n`],
  ];
  for (const [about, text] of bent) test(`refused: ${about}`, () => refused('checkpoint', () => openCheckpoint(sign(text), KEY)));

  test('another origin is refused', () => refused('origin', () => openCheckpoint(sign(good.replace(NAME, `${NAME}x`)), KEY)));
});

describe('verifier keys', () => {
  const typed = (/** @type {number} */ type) => base64(concatBytes(Uint8Array.of(type), PUBLIC));
  /** @type {[string, string][]} */
  const bent = [
    ['nothing', ''],
    ['capitals in the id', `${NAME}+${toHex(ID).toUpperCase()}+${typed(1)}`],
    ['another id', `${NAME}+00000000+${typed(1)}`],
    ['another type', `${NAME}+${toHex(keyId(NAME, 2, PUBLIC))}+${typed(2)}`],
    ['a space in the name', `a b+${toHex(keyId('a b', 1, PUBLIC))}+${typed(1)}`],
    ['no name', `+${toHex(keyId('', 1, PUBLIC))}+${typed(1)}`],
    ['a key of 31 bytes', `${NAME}+${toHex(keyId(NAME, 1, PUBLIC.slice(1)))}+${base64(concatBytes(Uint8Array.of(1), PUBLIC.slice(1)))}`],
  ];
  const small = concatBytes(Uint8Array.of(1), new Uint8Array(31));
  bent.push(['a key of small order', `${NAME}+${toHex(keyId(NAME, 1, small))}+${base64(concatBytes(Uint8Array.of(1), small))}`]);
  for (const [about, key] of bent) test(`refused: ${about}`, () => refused('verifier_key', () => parseVerifierKey(key)));
});
