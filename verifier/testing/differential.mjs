#!/usr/bin/env node
/**
 * Holds this verifier against the first one: bundles and what was said of them come from standard input, as
 * `cargo run -p hos-testkit --example bundles -- --count N --seed S` writes them: three pieces each (bundle, trust file, verdict as
 * JSON), each with its length in four bytes before it.
 *
 * One yes and one no is never allowed, and neither is a yes that says something else: exit code 1. Refusals with another code or place are counted
 * and shown; with `--strict` they are not allowed either. Exit code 2: what came is not whole, or nothing came.
 */

import { readSync } from 'node:fs';
import { judgeBundle, verdictJson } from '../src/verdict.js';

const SHOWN_MAX = 20;

/** @typedef {{ verdict: string, code: string | null, where: string | null }} Said */

class Input {
  #buffer = Buffer.alloc(1 << 20);
  #start = 0;
  #end = 0;

  /**
   * @param {number} length
   * @returns {Buffer | null} null where there is nothing more
   */
  take(length) {
    while (this.#end - this.#start < length) {
      if (!this.#fill(length)) {
        if (this.#end > this.#start) throw new Error('the input ends in the middle');
        return null;
      }
    }
    const piece = Buffer.from(this.#buffer.subarray(this.#start, this.#start + length));
    this.#start += length;
    return piece;
  }

  /** @returns {Buffer | null} */
  piece() {
    const head = this.take(4);
    if (head === null) return null;
    const length = head.readUInt32BE();
    const piece = this.take(length);
    if (piece === null && length > 0) throw new Error('the input ends in the middle');
    return piece ?? Buffer.alloc(0);
  }

  /** @param {number} length that is wanted in all */
  #fill(length) {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#buffer.length < length) this.#buffer = Buffer.concat([this.#buffer, Buffer.alloc(length)]);
    const read = readWaiting(this.#buffer, this.#end);
    this.#end += read;
    return read > 0;
  }
}

/**
 * A pipe may have nothing yet.
 * @param {Buffer} buffer
 * @param {number} offset
 */
function readWaiting(buffer, offset) {
  for (;;) {
    try {
      return readSync(0, buffer, offset, buffer.length - offset, null);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EOF') return 0;
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** @param {any} value with its members in one order */
function sorted(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]));
}

function main() {
  const strict = process.argv.includes('--strict');
  const input = new Input();
  const counts = { all: 0, yes: 0, no: 0, torn: 0, unlike: 0, words: 0 };
  /** @type {Map<string, number>} */
  const codes = new Map();
  /** @param {string} line */
  const show = (line) => {
    if (counts.torn + counts.unlike + counts.words <= SHOWN_MAX) console.log(line);
  };
  for (let bundle = input.piece(); bundle !== null; bundle = input.piece()) {
    const [trust, text] = [input.piece(), input.piece()];
    if (trust === null || text === null) throw new Error('the input ends in the middle');
    /** @type {Said} */
    const first = JSON.parse(text.toString('utf8'));
    const { verdict, detail } = judgeBundle(new Uint8Array(bundle), new Uint8Array(trust));
    /** @type {Said} */
    const second = JSON.parse(verdictJson(verdict));
    const number = counts.all;
    counts.all += 1;
    const [yes, also] = [first.verdict !== 'refused', second.verdict !== 'refused'];
    if (yes) counts.yes += 1;
    else counts.no += 1;
    codes.set(first.code ?? first.verdict, (codes.get(first.code ?? first.verdict) ?? 0) + 1);
    const [one, other] = [JSON.stringify(sorted(first)), JSON.stringify(sorted(second))];
    if (one === other) continue;
    if (yes !== also) counts.torn += 1;
    else if (yes) counts.unlike += 1;
    else counts.words += 1;
    const kind = yes !== also ? 'ONE YES, ONE NO' : yes ? 'UNLIKE' : 'words';
    show(`${kind} at ${number}: ${yes ? one : `${first.code} (${first.where})`} | ${also ? other : `${second.code} (${second.where}) ${detail}`}`);
  }
  for (const [code, count] of [...codes].sort((a, b) => b[1] - a[1])) console.log(`${String(count).padStart(8)}  ${code}`);
  console.log(`${counts.all} bundles: ${counts.yes} yes, ${counts.no} no; ${counts.torn} with one yes and one no, ${counts.unlike} believed and said unlike, ${counts.words} refused in other words`);
  if (counts.all === 0) return 2;
  return counts.torn + counts.unlike > 0 || (strict && counts.words > 0) ? 1 : 0;
}

process.exitCode = main();
