/**
 * A bundle that was changed somewhere deep, made to fit again around the change: commitments, threads, citations, the map of heads, trees,
 * checkpoints. So a mutant reaches the duty that its change is about, and is not refused at the first hash.
 * @module
 */

import { createPrivateKey, sign } from 'node:crypto';
import { concatBytes, toHex, u64Bytes } from '../src/bytes.js';
import { commitment, headsLeaf, leafHash, recordHash } from '../src/digest.js';
import { headsKey } from '../src/heads.js';
import { utf8 } from '../src/text.js';
import { Signer, checkpointText, seedOf } from './signer.js';
import { TRUST, WITNESSES } from './story.js';
import { Folded, hashWas, itemsOf, readable, refold } from './unfold.js';
import { encode } from './encode.js';
import { proofOf, rootOf } from './world.js';

/** The seeds of the log's keys in this folder's stories. */
const SEEDS = [1, 21, 22];
const SIZE_MAX = 512;
const ELSEWHERE = new Uint8Array(32).fill(7);
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** @type {Map<string, Signer>} */
const signers = new Map();
/** @param {string} origin @param {number} seed */
function signerOf(origin, seed) {
  const name = `${seed} ${origin}`;
  const known = signers.get(name) ?? new Signer(origin, seedOf(seed));
  if (signers.size < 10_000) signers.set(name, known);
  return known;
}

/** @type {Map<string, import('node:crypto').KeyObject>} */
const secrets = new Map();
/** @param {Signer} signer @param {string} text @param {bigint} [time] of a cosignature */
function lineOf(signer, text, time) {
  const name = toHex(signer.seed);
  const key = secrets.get(name) ?? createPrivateKey({ key: Buffer.concat([PKCS8, signer.seed]), format: 'der', type: 'pkcs8' });
  secrets.set(name, key);
  const message = utf8(time === undefined ? text : `cosignature/v1\ntime ${time}\n${text}`);
  return signer.lineOf(concatBytes(time === undefined ? new Uint8Array() : u64Bytes(time), sign(null, message, key)));
}

/**
 * @param {Map<bigint, any>} fields changed in place, as far as it can be read
 * @param {{ trust: string, roll: (below: number) => number }} given
 * @returns {string} the trust file under which it is to be judged
 */
export function mend(fields, { trust, roll }) {
  const items = itemsOf(fields);
  /** @type {Map<string, Uint8Array>} */
  const renamed = new Map();
  const ordered = items.flatMap(({ log, item }) => (readable(item) ? [{ log, item, .../** @type {NonNullable<ReturnType<typeof readable>>} */ (readable(item)) }] : []));
  ordered.sort((a, b) => b.log - a.log || Number(BigInt(a.entry.get(6n) ?? 0) - BigInt(b.entry.get(6n) ?? 0)));
  /** @type {Map<string, Uint8Array>} */
  const ends = new Map();
  const keepsLinks = roll(8) === 0;
  for (const { log, item, entry, header, folded } of ordered) {
    if (item === fields.get(7n)?.[0]) mendHeads(fields, roll);
    for (const held of [entry, header, ...parts(item).map((part) => part[3])]) replace(held, renamed);
    const thread = `${log} ${header.get(5n)}`;
    const before = ends.get(thread);
    if (before !== undefined && !keepsLinks) [header.has(7n) ? header : entry].forEach((of) => of.set(of === header ? 7n : 10n, before));
    for (const part of parts(item)) {
      const listed = asList(header.get(27n)).find((one) => one?.[0] === part[0] && one?.[1] === part[1]);
      if (listed !== undefined && part[2] instanceof Uint8Array) listed[2] = commitment(part[2], bytesOf(part[3]));
    }
    const hash = recordHash(bytesOf(folded));
    renamed.set(toHex(hashWas(folded)), hash);
    ends.set(thread, hash);
  }
  return mendLogs(fields, items, { trust, roll });
}

/** @param {any} value */
const asList = (value) => /** @type {any[]} */ (Array.isArray(value) ? value : []);
/** @param {any[]} item */
const parts = (item) => asList(item[2]).filter((part) => Array.isArray(part) && part.length === 4);
/** @param {any} value a folded item, or bytes */
const bytesOf = (value) => (value instanceof Uint8Array ? value : encode(refold(value instanceof Folded ? value.item : value)));

/**
 * Hashes of records that are not what they were, wherever they are cited.
 * @param {any} value
 * @param {Map<string, Uint8Array>} renamed
 */
function replace(value, renamed) {
  const next = (/** @type {any} */ one) => (one instanceof Uint8Array && one.length === 32 ? (renamed.get(toHex(one)) ?? one) : (replace(one, renamed), one));
  if (value instanceof Folded) value.item = next(value.item);
  else if (Array.isArray(value)) value.forEach((one, i) => (value[i] = next(one)));
  else if (value instanceof Map) for (const [key, one] of value) value.set(key, next(one));
}

/**
 * A map of one leaf, which says that the thread ends where the last record is.
 * @param {Map<bigint, any>} fields
 * @param {(below: number) => number} roll
 */
function mendHeads(fields, roll) {
  const heads = fields.get(7n);
  const [first, last] = [fields.get(6n)?.[0], fields.get(6n)?.at(-1)].map((item) => (Array.isArray(item) ? readable(item) : null));
  const part = parts(heads?.[0] ?? []).find(([slot]) => slot === 9n)?.[3];
  if (!first || !last || !(part instanceof Folded) || !Array.isArray(part.item) || roll(16) === 0) return;
  const [tenant, thread, label] = [first.header.get(4n), first.header.get(5n), first.header.get(28n) ?? null];
  const n = last.header.get(6n) ?? last.entry.get(9n);
  if (typeof tenant !== 'string' || !(thread instanceof Uint8Array) || typeof n !== 'bigint' || n < 0n || (label !== null && !(label instanceof Uint8Array))) return;
  [heads[2], heads[3], heads[4]] = [n, recordHash(bytesOf(last.folded)), []];
  const kind = Number(heads[1]);
  part.item[2] = headsLeaf({ key: headsKey(/** @type {any} */ ({ tenant, thread, label })), kind, thread, n, record: heads[3] });
}

/**
 * @param {Map<bigint, any>} fields
 * @param {{ log: number, item: any[] }[]} items
 * @param {{ trust: string, roll: (below: number) => number }} given
 */
function mendLogs(fields, items, { trust, roll }) {
  for (const [i, log] of asList(fields.get(4n)).entries()) {
    const [, origin = '', size = ''] = /^([^\n]+)\n([0-9]{1,4})\n/.exec(String(log?.[1])) ?? [];
    if (!Array.isArray(log) || origin === '' || Number(size) > SIZE_MAX || Number(size) === 0) continue;
    const own = items.filter((one) => one.log === i).map(({ item }) => ({ item, seq: Number(readable(item)?.entry.get(6n) ?? -1) }));
    const leaves = Array.from({ length: Number(size) }, () => ELSEWHERE);
    for (const { item, seq } of own) if (seq >= 0 && seq < leaves.length) leaves[seq] = leafHash(bytesOf(item[0]));
    for (const { item, seq } of own) if (seq >= 0 && seq < leaves.length) item[1] = proofOf(leaves, seq);
    const text = checkpointText(origin, BigInt(size), rootOf(leaves));
    const all = SEEDS.map((seed) => signerOf(origin, seed));
    const were = all.filter((signer) => signedBy(log[1], signer));
    if (were.length === 0) {
      // A key of somebody else's: from here on it is one of ours.
      were.push(/** @type {Signer} */ (all[0]));
      if (i === 0) trust = TRUST.replace(/log .*\n/, `log ${all[0]?.vkey}\n`);
      for (const range of asList(fields.get(10n))) if (range?.[0] === BigInt(i)) range[1] = all[0]?.vkey;
    }
    const witnesses = i > 0 || !trust.includes('\nquorum most') ? [] : WITNESSES.slice(0, roll(16) === 0 ? roll(4) : 2);
    log[1] = `${text}\n${were.map((signer) => lineOf(signer, text)).join('')}${witnesses.map((signer) => lineOf(signer, text, 1_783_000_000n)).join('')}`;
  }
  return trust;
}

/** @param {string} note @param {Signer} signer */
function signedBy(note, signer) {
  const start = `— ${signer.name} `;
  const id = Buffer.from(signer.id).toString('base64').slice(0, 5);
  return note.split('\n').some((line) => line.startsWith(start) && line.slice(start.length).startsWith(id));
}
