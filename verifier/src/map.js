/**
 * The map of heads made anew from its leaves, as an auditor does who has the whole log, and the proofs of it.
 * @module
 */

import { equalBytes } from './bytes.js';
import { headsLeaf, headsNode } from './digest.js';
import { NOTHING, bitOf, compareKeys } from './heads.js';

/** @typedef {import('./heads.js').HeadsLeaf} HeadsLeaf */

/** A map that is whole: for every set of leaves there is one, whatever the order in which they came. */
export class HeadsMap {
  #leaves;

  /** @param {HeadsLeaf[]} leaves of different keys */
  constructor(leaves) {
    this.#leaves = [...leaves].sort(compareKeys);
    const twice = this.#leaves.some((leaf, i) => i > 0 && equalBytes(leaf.key, /** @type {HeadsLeaf} */ (this.#leaves[i - 1]).key));
    if (twice) throw new Error('two leaves of one key');
  }

  /** How many leaves there are. */
  get count() {
    return this.#leaves.length;
  }

  root() {
    return this.#subtree(0, this.#leaves.length, 0);
  }

  /**
   * The way of a key: what stands at its end, and the siblings from there up to the root. The end is the key's own leaf, another
   * key's, or nothing.
   * @param {Uint8Array} key
   * @returns {{ end: HeadsLeaf | null, siblings: Uint8Array[] }}
   */
  prove(key) {
    let [from, to] = [0, this.#leaves.length];
    /** @type {Uint8Array[]} */
    const siblings = [];
    for (let depth = 0; to - from > 1; depth += 1) {
      const middle = this.#middle(from, to, depth);
      const left = bitOf(key, depth) === 0;
      siblings.unshift(left ? this.#subtree(middle, to, depth + 1) : this.#subtree(from, middle, depth + 1));
      [from, to] = left ? [from, middle] : [middle, to];
    }
    return { end: to > from ? /** @type {HeadsLeaf} */ (this.#leaves[from]) : null, siblings };
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {number} depth
   * @returns {Uint8Array}
   */
  #subtree(from, to, depth) {
    if (from === to) return NOTHING;
    if (to - from === 1) return headsLeaf(/** @type {HeadsLeaf} */ (this.#leaves[from]));
    const middle = this.#middle(from, to, depth);
    return headsNode(this.#subtree(from, middle, depth + 1), this.#subtree(middle, to, depth + 1));
  }

  /**
   * Where the keys begin whose bit at this depth is 1.
   * @param {number} from
   * @param {number} to
   * @param {number} depth
   */
  #middle(from, to, depth) {
    let [low, high] = [from, to];
    while (low < high) {
      const place = (low + high) >> 1;
      if (bitOf(/** @type {HeadsLeaf} */ (this.#leaves[place]).key, depth) === 0) low = place + 1;
      else high = place;
    }
    return low;
  }
}
