#!/usr/bin/env node
/**
 * Holds this verifier against the first one: bundles and what was said of them come from standard input, as
 * `cargo run -p hos-testkit --example bundles -- --count N --seed S` writes them: three pieces each (bundle, trust file, verdict as
 * JSON), each with its length in four bytes before it. `mutants.mjs` makes others, and says how they come here.
 *
 * `--import ./remember.mjs` makes it several times as fast: signatures that were held once are not held again. `--every N` tells how far
 * it is, `--keep FOLDER` keeps what the two differ in. `--skipping CODE` plants a fault: the second verifier says yes where it would have refused
 * with that code, as if it did not look.
 *
 * One yes and one no is never allowed, and neither is a yes that says something else: exit code 1. Refusals with another code or place are counted
 * and shown; with `--strict` they are not allowed either. Exit code 2: what came is not whole, or nothing came.
 */

import { mkdirSync, readSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { judgeBundle, verdictJson } from '../src/verdict.js';

const SHOWN_MAX = 50;

/** @typedef {{ verdict: string, code: string | null, where: string | null, notices: string[] }} Said */

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

/** @param {string} name */
function option(name) {
  const at = process.argv.indexOf(name);
  return at < 0 ? null : (process.argv[at + 1] ?? null);
}

function main() {
  const strict = process.argv.includes('--strict');
  const every = Number(option('--every') ?? 0);
  const folder = option('--keep');
  const skipping = option('--skipping');
  if (folder !== null) mkdirSync(folder, { recursive: true });
  const begun = Date.now();
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
    const told = JSON.parse(verdictJson(verdict));
    /** @type {Said} */
    const second = skipping !== null && told.code === skipping ? { ...told, verdict: 'verified', code: null, where: null } : told;
    const number = counts.all;
    counts.all += 1;
    const [yes, also] = [first.verdict !== 'refused', second.verdict !== 'refused'];
    if (yes) counts.yes += 1;
    else counts.no += 1;
    for (const outcome of [first.code ?? first.verdict, ...first.notices.map((notice) => `says ${notice}`)]) codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
    if (every > 0 && counts.all % every === 0) {
      const seconds = Math.max(1, Math.round((Date.now() - begun) / 1000));
      console.log(`${counts.all} after ${seconds} s: ${counts.yes} yes, ${counts.no} no, ${codes.size} outcomes; ${counts.torn} torn, ${counts.unlike} unlike, ${counts.words} in other words`);
    }
    const [one, other] = [JSON.stringify(sorted(first)), JSON.stringify(sorted(second))];
    if (one === other) continue;
    if (yes !== also) counts.torn += 1;
    else if (yes) counts.unlike += 1;
    else counts.words += 1;
    const kind = yes !== also ? 'ONE YES, ONE NO' : yes ? 'UNLIKE' : 'words';
    if (folder !== null && counts.torn + counts.unlike + counts.words <= SHOWN_MAX) {
      writeFileSync(path.join(folder, `${number}.hosb`), bundle);
      writeFileSync(path.join(folder, `${number}.trust`), trust);
    }
    show(`${kind} at ${number}: ${yes ? one : `${first.code} (${first.where})`} | ${also ? other : `${second.code} (${second.where}) ${detail}`}`);
  }
  for (const [code, count] of [...codes].sort((a, b) => b[1] - a[1])) console.log(`${String(count).padStart(8)}  ${code}`);
  console.log(`${counts.all} bundles: ${counts.yes} yes, ${counts.no} no; ${counts.torn} with one yes and one no, ${counts.unlike} believed and said unlike, ${counts.words} refused in other words`);
  if (counts.all === 0) return 2;
  return counts.torn + counts.unlike > 0 || (strict && counts.words > 0) ? 1 : 0;
}

process.exitCode = main();
