#!/usr/bin/env node
/**
 * Makes bundles out of this folder's stories and the vectors, changed by chance, most of them so that only what was changed is wrong; writes
 * them to standard output, two pieces each (bundle, trust file), each with its length in four bytes before it. The first verifier judges them:
 *
 *   node mutants.mjs --count 20000 --seed 1 | bundles --judge | node --import ./remember.mjs differential.mjs
 */

import { concatBytes } from '../src/bytes.js';
import { Refusal, attempt } from '../src/refusal.js';
import { utf8 } from '../src/text.js';
import { judgeBundle } from '../src/verdict.js';
import { encode } from './encode.js';
import { HOLDING } from './holding.js';
import { COURSES, tellKeys } from './keys.js';
import { mend } from './mend.js';
import { changedBytes, mutateBundle } from './mutate.js';
import { REFUSALS } from './refusals.js';
import { dice } from './signer.js';
import { TRUST, tell } from './story.js';
import { copy, refold, unfold } from './unfold.js';
import { bytesOf, ownVectors } from './vectors.js';

/** What is longer is left to the vectors. */
const BYTES_MAX = 20_000;
/** How many mutants are made before one of the bases is told anew. */
const BASE_LIFE = 150;

/** @typedef {{ bytes: Uint8Array, fields: Map<bigint, any>, trust: string }} Base */

/** @param {string} name @param {number} otherwise */
function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

/** @returns {Base[]} */
function bases() {
  const stories = [
    ...HOLDING.map(([, bend, given]) => ({ bytes: tell(bend).bytes, trust: given.trust ?? TRUST })),
    ...REFUSALS.map(([, , , bend, given]) => ({ bytes: tell(bend).bytes, trust: given?.trust ?? TRUST })),
    ...COURSES.flatMap(([, , course]) => [tellKeys(course), tellKeys({ ...course, named: 'ab' })]),
    ...ownVectors('bundle').map(({ given }) => ({ bytes: bytesOf(given.bundle), trust: String(given.trust) })),
  ];
  return stories.flatMap(({ bytes, trust }) => baseOf(bytes, trust));
}

/** @param {Uint8Array} bytes @param {string} trust @returns {Base[]} none where nothing of it would be looked at but its form */
function baseOf(bytes, trust) {
  const fields = bytes.length <= BYTES_MAX ? unfold(bytes) : null;
  const { code } = judgeBundle(bytes, utf8(trust)).verdict;
  return fields === null || code?.startsWith('bundle.') || code?.startsWith('policy.') ? [] : [{ bytes, fields, trust }];
}

/**
 * Two stories bent in their own ways, told as one.
 * @param {(below: number) => number} roll
 * @returns {Base[]}
 */
function both(roll) {
  const bends = [...HOLDING.map(([, bend]) => bend), ...REFUSALS.map(([, , , bend]) => bend)];
  const [one, other] = [bends[roll(bends.length)] ?? {}, bends[roll(bends.length)] ?? {}];
  const told = attemptAny(() =>
    tell({
      ...one,
      ...other,
      drafts: (draft, of) => other.drafts?.(one.drafts?.(draft, of) ?? draft, of) ?? one.drafts?.(draft, of),
      more: [...(one.more ?? []), ...(other.more ?? [])],
      model: (...given) => (one.model?.(...given), other.model?.(...given)),
      fields: (fields) => (one.fields?.(fields), other.fields?.(fields)),
    }),
  );
  return told === null ? [] : baseOf(told.bytes, TRUST);
}

/**
 * Not every two bends go together, and not everything that is left of a bundle can be written.
 * @template T
 * @param {() => T} make
 * @returns {T | null}
 */
function attemptAny(make) {
  try {
    const made = attempt(make);
    return made instanceof Refusal ? null : made;
  } catch {
    return null;
  }
}

/**
 * @param {Base} base
 * @param {Base} other
 * @param {(below: number) => number} roll
 * @returns {{ bytes: Uint8Array, trust: string }}
 */
function mutant(base, other, roll) {
  const kind = roll(32);
  if (kind === 0) return base;
  if (kind < 3) return { bytes: changedBytes(base.bytes, roll), trust: base.trust };
  if (kind === 3) {
    // The beginning of one, the end of another.
    const at = roll(base.bytes.length);
    return { bytes: concatBytes(base.bytes.subarray(0, at), other.bytes.subarray(roll(2) === 0 ? at : roll(other.bytes.length))), trust: base.trust };
  }
  if (kind === 4) return { bytes: base.bytes, trust: Buffer.from(changedBytes(utf8(base.trust), roll)).toString('latin1') };
  const fields = copy(base.fields);
  let { trust } = base;
  for (let left = [1, 1, 1, 2, 3][roll(5)] ?? 1; left > 0; left -= 1) mutateBundle(fields, roll, other.fields);
  if (kind > 8) trust = attemptAny(() => mend(fields, { trust, roll })) ?? trust;
  return { bytes: attemptAny(() => encode(refold(fields))) ?? base.bytes, trust };
}

/** @param {Uint8Array} piece */
function framed(piece) {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, piece.length);
  return concatBytes(length, piece);
}

function main() {
  const [count, seed] = [option('count', 1000), option('seed', 1)];
  const roll = dice(seed * 2 + 1);
  const known = bases();
  for (let number = 0; number < count; number += 1) {
    if (number % BASE_LIFE === BASE_LIFE - 1) known.splice(roll(known.length), 1, ...both(roll));
    const [base, other] = [known[roll(known.length)], known[roll(known.length)]];
    if (base === undefined || other === undefined) throw new Error('there is nothing to begin with');
    const { bytes, trust } = mutant(base, other, roll);
    process.stdout.write(concatBytes(framed(bytes), framed(utf8(trust))));
  }
}

main();
