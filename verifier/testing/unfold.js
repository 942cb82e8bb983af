/**
 * A bundle's bytes as a tree that can be changed at any depth: entries, headers and parts are bytes in it that hold items again.
 * @module
 */

import { recordHash } from '../src/digest.js';
import { decodeItem } from '../src/item.js';
import { Refusal, attempt } from '../src/refusal.js';
import { encode } from './encode.js';

/** Bytes that are an item. */
export class Folded {
  /** @param {any} item @param {Uint8Array} was its bytes */
  constructor(item, was) {
    this.item = item;
    this.was = was;
  }
}

/** @param {Uint8Array} bytes */
function fold(bytes, inner = (/** @type {any} */ item) => item) {
  const item = attempt(() => decodeItem(bytes));
  return item instanceof Refusal ? bytes : new Folded(inner(item), bytes);
}

/**
 * @param {Uint8Array} bytes of a bundle
 * @returns {Map<bigint, any> | null}
 */
export function unfold(bytes) {
  const fields = attempt(() => decodeItem(bytes));
  if (!(fields instanceof Map)) return null;
  itemsOf(fields).forEach(({ item }) => unfoldItem(item));
  return fields;
}

/** @param {any[]} item */
function unfoldItem(item) {
  if (item[0] instanceof Uint8Array) {
    item[0] = fold(item[0], (entry) => {
      const header = entry instanceof Map ? entry.get(12n) : undefined;
      if (header instanceof Uint8Array) entry.set(12n, fold(header));
      return entry;
    });
  }
  for (const part of Array.isArray(item[2]) ? item[2] : []) {
    if (Array.isArray(part) && part[3] instanceof Uint8Array) part[3] = fold(part[3]);
  }
}

/**
 * The items of a bundle, with the log of each.
 * @param {Map<bigint, any>} fields
 * @returns {{ log: number, item: any[] }[]}
 */
export function itemsOf(fields) {
  const list = (/** @type {bigint} */ key) => (Array.isArray(fields.get(key)) ? fields.get(key) : []);
  const own = list(6n).map((/** @type {any} */ item) => ({ log: 0, item }));
  const cited = list(8n).map((/** @type {any} */ pair) => ({ log: Number(pair?.[0]), item: pair?.[1] }));
  const heads = [fields.get(7n)?.[0]].map((item) => ({ log: 0, item }));
  return [...own, ...heads, ...cited].filter(({ item }) => Array.isArray(item));
}

/** @param {any} item @returns {any} without folds, a copy */
export function refold(item) {
  if (item instanceof Folded) return encode(refold(item.item));
  if (Array.isArray(item)) return item.map(refold);
  if (item instanceof Map) return new Map([...item].map(([key, value]) => [refold(key), refold(value)]));
  return item;
}

/** @param {any} item @returns {any} a copy that is folded as this is */
export function copy(item) {
  if (item instanceof Folded) return new Folded(copy(item.item), item.was);
  if (Array.isArray(item)) return item.map(copy);
  if (item instanceof Map) return new Map([...item].map(([key, value]) => [key, copy(value)]));
  return item instanceof Uint8Array ? item.slice() : item;
}

/** @param {any[]} item @returns {{ entry: Map<bigint, any>, header: Map<bigint, any>, folded: Folded } | null} null where it is no more such */
export function readable(item) {
  const entry = item[0] instanceof Folded ? item[0].item : null;
  const folded = entry instanceof Map ? entry.get(12n) : null;
  return folded instanceof Folded && folded.item instanceof Map ? { entry, header: folded.item, folded } : null;
}

/** @param {Folded} folded a header */
export const hashWas = (folded) => recordHash(folded.was);
