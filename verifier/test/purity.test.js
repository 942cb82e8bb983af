// By absence: no file, network, clock or chance in src/, and nothing that a browser lacks.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { filesBelow } from '../testing/vectors.js';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const FOREIGN = new Set(['@noble/curves/ed25519.js', '@noble/hashes/blake3.js', '@noble/hashes/sha2.js']);
const ELSEWHERE = /\b(?:Buffer|process|require|globalThis|window|document|fetch|Date|Math\.random|crypto|setTimeout|__dirname)\b\s*[.(]/;

test('src/ imports itself and the arithmetic, and asks nobody else', () => {
  const files = filesBelow(SRC);
  assert.ok(files.length > 15);
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    for (const [, from = ''] of code.matchAll(/from '([^']+)'/g)) {
      assert.ok(FOREIGN.has(from) || /^\.\/[a-z0-9]+\.js$/.test(from), `${path.basename(file)} imports ${from}`);
    }
    assert.doesNotMatch(code, ELSEWHERE, path.basename(file));
    assert.doesNotMatch(code, /\bimport\s*\(/, path.basename(file));
  }
});

test('words and page are as closed: their own files, no markup made of text, no way out', () => {
  const files = ['words', 'page'].flatMap((folder) => filesBelow(fileURLToPath(new URL(`../${folder}/`, import.meta.url))));
  const scripts = files.filter((file) => file.endsWith('.js') && path.basename(file) !== 'build.js');
  assert.ok(scripts.length >= 8);
  for (const file of scripts) {
    const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    for (const [, from = ''] of code.matchAll(/from '([^']+)'/g)) {
      assert.match(from, /^(?:\.|\.\.\/src|\.\.\/words)\/[a-z0-9]+\.js$/, `${path.basename(file)} imports ${from}`);
    }
    assert.doesNotMatch(code, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\bfetch\b|XMLHttpRequest|WebSocket|sendBeacon|localStorage|sessionStorage|\bcookie\b/, path.basename(file));
  }
});
