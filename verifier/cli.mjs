#!/usr/bin/env node
/**
 * Verifies a bundle offline: `node verifier/cli.mjs FILE --trust POLICY`.
 *
 * Exit codes: 0 not refused, 3 refused, 2 a trust file or option that is wrong, 4 a file that cannot be read (and any fault of
 * this program, which is no verdict).
 * @module
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BUNDLE_BYTES_MAX, POLICY_BYTES_MAX, Refusal, attempt, judgeBundle, parsePolicy, refusedVerdict, verdictJson } from './src/index.js';
import { EN } from './words/en.js';
import { WORDS, fill, meaningOf, pathOf, wordOf } from './words/index.js';
import { plain } from './words/plain.js';

const EXIT = Object.freeze({ GOOD: 0, WRONG: 2, REFUSED: 3, UNREADABLE: 4 });
const NOTE_BYTES_MAX = 65_536;
const WIDTH = 12;

/** What ends the command without a verdict. */
class Ended extends Error {
  /**
   * @param {number} exit
   * @param {string} code
   * @param {string} message
   */
  constructor(exit, code, message) {
    super(message);
    this.exit = exit;
    this.code = code;
  }
}

let words = EN;
let json = false;
process.stdout.on('error', () => process.exit());
try {
  process.exitCode = run(process.argv.slice(2));
} catch (error) {
  const { exit, code, message } = error instanceof Ended ? error : new Ended(EXIT.UNREADABLE, 'fault', words.fault);
  if (json) say(verdictJson({ error: { code, message, faults: [] } }));
  else process.stderr.write(`${plain(message)}\n`);
  process.exitCode = exit;
}

/** @param {string[]} args */
function run(args) {
  const { file, trust, against } = options(args);
  const trustBytes = read(trust, POLICY_BYTES_MAX);
  const notes = against.map((path) => note(path));
  const policy = trustBytes === null ? new Refusal('policy.too_large', 'too many bytes') : attempt(() => parsePolicy(trustBytes));
  const bundle = read(file, BUNDLE_BYTES_MAX);
  const judged =
    policy instanceof Refusal ? refusal(policy, null)
    : bundle === null ? refusal(new Refusal('bundle.too_large', `more than ${BUNDLE_BYTES_MAX} bytes`), 'bundle')
    : judgeBundle(bundle, /** @type {Uint8Array} */ (trustBytes), notes);
  if (json) say(verdictJson(judged.verdict));
  else for (const line of told(judged)) say(line);
  if (policy instanceof Refusal) return EXIT.WRONG;
  return judged.verdict.verdict === 'refused' ? EXIT.REFUSED : EXIT.GOOD;
}

/**
 * @param {Refusal} outcome
 * @param {string | null} where
 */
function refusal({ code, detail }, where) {
  return { verdict: refusedVerdict(code, where), detail, story: null };
}

/** @param {string[]} args */
function options(args) {
  // The manner of speaking first, so that what is wrong with the rest is said in it.
  json = args.includes('--json');
  const parsed = parse(args);
  const language = parsed.values.language ?? 'en';
  const spoken = Object.hasOwn(WORDS, language) ? WORDS[language] : undefined;
  if (spoken === undefined) throw new Ended(EXIT.WRONG, 'usage', words.usage);
  words = spoken;
  if (parsed.values.help) {
    say(words.usage);
    process.exit(EXIT.GOOD);
  }
  const [file, ...more] = parsed.positionals;
  const [trust, ...others] = parsed.values.trust ?? [];
  if (file === undefined || trust === undefined || more.length + others.length > 0) throw new Ended(EXIT.WRONG, 'usage', words.usage);
  return { file, trust, against: parsed.values.against ?? [] };
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        trust: { type: 'string', multiple: true },
        against: { type: 'string', multiple: true },
        json: { type: 'boolean' },
        language: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch {
    throw new Ended(EXIT.WRONG, 'usage', words.usage);
  }
}

/**
 * A checkpoint that was kept; whether it is one is the verdict's to say. Of one that is too large as many bytes stand for it as are too many.
 * @param {string} path
 */
function note(path) {
  return read(path, NOTE_BYTES_MAX) ?? new Uint8Array(NOTE_BYTES_MAX + 1);
}

/**
 * A file's bytes. The size is asked before anything is read, and held against while reading, for a file may grow or be a pipe.
 * @param {string} path
 * @param {number} max
 * @returns {Uint8Array | null} null where there are more
 */
function read(path, max) {
  let file;
  try {
    file = openSync(path, 'r');
    const { size } = fstatSync(file);
    if (size > max) return null;
    /** @type {Uint8Array[]} */
    const chunks = [];
    let length = 0;
    for (;;) {
      const chunk = new Uint8Array(Math.min(Math.max(size - length, 1) + 1, 1 << 20));
      const count = readSync(file, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      length += count;
      if (length > max) return null;
    }
    return new Uint8Array(Buffer.concat(chunks));
  } catch {
    throw new Ended(EXIT.UNREADABLE, 'unreadable', `${path}: ${words.unreadable}`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * The verdict for a person, line by line.
 * @param {ReturnType<typeof judgeBundle>} judged
 */
function told({ verdict, detail, story }) {
  const line = (/** @type {string} */ head, /** @type {string} */ rest) => plain(`${head.padEnd(WIDTH)}${rest}`);
  if (verdict.verdict === 'refused' || story === null) {
    const code = verdict.code ?? '';
    const where = verdict.where === null ? '' : `, ${words.at} ${verdict.where}`;
    return [line(wordOf(words.levels, 'refused'), `${code}${where}`), line('', `${meaningOf(words, code)} (${detail})`),
      // Of a trust file that is wrong nothing follows for the bundle.
      ...(code.startsWith('policy.') ? [] : [line('', wordOf(words.meanings, 'refused'))])];
  }
  const { instance, complete, gapless, origin, parts, witnesses, notices, records } = verdict;
  const path = pathOf(story.records).join(' -> ');
  const count = fill(records === 1 ? words.records.one : words.records.many, { count: records });
  const name = [instance?.contract, instance?.id].filter((piece) => piece != null).join('/') || story.belief.checkpoint.origin;
  return [
    line(wordOf(words.levels, verdict.verdict), `${name}: ${count}${path === '' ? '' : `, ${path}`}`),
    complete === null
      ? line(words.gapless, fill(words.gaplessTo, { gapless }))
      : line(words.complete, fill(wordOf(words.completeAs, complete.of), { as_of: complete.as_of, origin })),
    line(words.parts, fill(words.partsAre, parts ?? {})),
    line(words.witnesses, witnesses.join(', ') || words.nobody),
    line('', wordOf(words.meanings, verdict.verdict)),
    ...notices.map((notice) => line(words.notice, wordOf(words.notices, notice))),
  ];
}

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}
