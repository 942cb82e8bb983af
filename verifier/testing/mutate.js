/**
 * One change of a tree or of bytes, by chance.
 * @module
 */

import { Folded, copy } from './unfold.js';

/** @typedef {(below: number) => number} Roll */

/** Where a bundle is changed, by its fields: most of it is records and what they cite. */
const FIELDS = [1, 2, 3, 4, 4, 5, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8, 9, 9, 10, 10].map(BigInt);

/**
 * @param {Map<bigint, any>} fields of a bundle
 * @param {Roll} roll
 * @param {Map<bigint, any>} other
 */
export function mutateBundle(fields, roll, other) {
  const key = FIELDS[roll(FIELDS.length)] ?? 1n;
  if (roll(40) === 0 || !fields.has(key)) changedMap(fields, roll);
  else fields.set(key, mutate(fields.get(key), roll, other.get(key)));
}

const TEXTS = ['universe', 'pazar-tr', 'hos.law', 'hos.keys', 'hos.heads', 'order', '', 'a.b', 'A b', 'é', '\u{10400}', 'x'.repeat(300)];
const EDGES = [0n, 1n, 2n, 9n, 17n, 18n, 19n, 23n, 24n, 255n, 256n, 65535n, 65536n, 2n ** 32n, 9_214_646_399_999n, 9_214_646_400_000n, 2n ** 63n, 2n ** 64n - 1n];

/**
 * Changes something somewhere below, in place where it can.
 * @param {any} item
 * @param {Roll} roll
 * @param {any} other a tree of the same make, from which pieces are taken
 * @returns {any} what stands there from now on
 */
export function mutate(item, roll, other) {
  if (item instanceof Folded) {
    item.item = mutate(item.item, roll, other instanceof Folded ? other.item : other);
    return item;
  }
  const keys = item instanceof Map ? [...item.keys()] : Array.isArray(item) ? [...item.keys()] : [];
  if (keys.length === 0 || roll(12) === 0) return changed(item, roll, other);
  const key = keys[roll(keys.length)];
  const theirs = other instanceof Map ? other.get(key) : Array.isArray(other) ? other[roll(Math.max(other.length, 1))] : undefined;
  if (item instanceof Map) item.set(key, mutate(item.get(key), roll, theirs));
  else item[/** @type {number} */ (key)] = mutate(item[/** @type {number} */ (key)], roll, theirs);
  return item;
}

/** @param {any} item @param {Roll} roll @param {any} other */
function changed(item, roll, other) {
  if (other !== undefined && roll(4) === 0) return copy(other);
  if (typeof item === 'bigint') return [item + 1n, item > 0n ? item - 1n : 1n, EDGES[roll(EDGES.length)] ?? 0n, BigInt(roll(40))][roll(4)];
  if (typeof item === 'string') return roll(2) === 0 ? TEXTS[roll(TEXTS.length)] : changedText(item, roll);
  if (item instanceof Uint8Array) return changedBytes(item, roll);
  if (typeof item === 'boolean') return !item;
  if (Array.isArray(item)) return changedList(item, roll, other);
  if (item instanceof Map) return changedMap(item, roll);
  return item;
}

/** @param {string} text @param {Roll} roll */
function changedText(text, roll) {
  const letters = [...text];
  const at = roll(letters.length + 1);
  const letter = ['A', 'b', '0', '9', '\n', ' ', '+', '/', '=', '—', '\t', '\u0000'][roll(12)] ?? '';
  if (roll(3) === 0) letters.splice(at, 1);
  else letters.splice(at, roll(2), letter);
  return letters.join('');
}

/** @param {Uint8Array} bytes @param {Roll} roll */
export function changedBytes(bytes, roll) {
  const at = roll(Math.max(bytes.length, 1));
  const out = bytes.slice();
  switch (roll(5)) {
    case 0:
    case 1:
      if (out.length > 0) out[at] = /** @type {number} */ (out[at]) ^ (1 << roll(8));
      return out;
    case 2:
      return out.subarray(0, at);
    case 3:
      return new Uint8Array([...out.subarray(0, at), roll(256), ...out.subarray(at)]);
    default:
      return new Uint8Array(out.length).fill(roll(3));
  }
}

/** What is done to a list, as often as it stands here. */
const TURNS = ['out', 'out', 'twice', 'swap', 'swap', 'swap', 'end', 'back', 'theirs', 'theirs', 'theirs', 'theirs', 'theirs', 'none'];

/** @param {any[]} list @param {Roll} roll @param {any} other */
function changedList(list, roll, other) {
  const [at, to] = [roll(list.length + 1), roll(list.length + 1)];
  switch (TURNS[roll(TURNS.length)]) {
    case 'out':
      list.splice(at, 1);
      break;
    case 'twice':
      if (at < list.length) list.splice(to, 0, copy(list[at]));
      break;
    case 'swap':
      if (at < list.length && to < list.length) [list[at], list[to]] = [list[to], list[at]];
      break;
    case 'end':
      list.length = at;
      break;
    case 'back':
      list.reverse();
      break;
    case 'theirs':
      if (Array.isArray(other) && other.length > 0) list.splice(at, 0, copy(other[roll(other.length)]));
      break;
    default:
      return [[], 0n, '', new Uint8Array(), new Map(), [[list]]][roll(6)];
  }
  return list;
}

/** @param {Map<any, any>} map @param {Roll} roll */
function changedMap(map, roll) {
  const keys = [...map.keys()];
  const key = keys[roll(Math.max(keys.length, 1))];
  const deep = Array.from({ length: roll(8) }).reduce((inner) => [inner], /** @type {any} */ (0n));
  const value = [deep, 0n, 1n, 'x', new Uint8Array(32), new Uint8Array(16).fill(1), [], false][roll(8)];
  if (roll(2) === 0) map.delete(key);
  else map.set(BigInt(roll(30)), value);
  return map;
}
