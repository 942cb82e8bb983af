/**
 * The tree of RFC 6962 as it grows: what is kept is the roots of its complete subtrees, at most 64 hashes.
 * @module
 */

import { emptyRoot, leafHash, nodeHash } from './digest.js';

/** A tree that only grows. */
export class Tree {
  /** @type {Uint8Array[]} roots of complete subtrees, the largest first: one for each bit of the size */
  #roots = [];
  #size = 0;

  /** How many leaves there are. */
  get size() {
    return this.#size;
  }

  /** @param {Uint8Array} entry the leaf's bytes */
  append(entry) {
    this.appendHash(leafHash(entry));
  }

  /** @param {Uint8Array} leaf the leaf's hash */
  appendHash(leaf) {
    let root = leaf;
    for (let complete = this.#size; complete % 2 === 1; complete = (complete - 1) / 2) {
      root = nodeHash(/** @type {Uint8Array} */ (this.#roots.pop()), root);
    }
    this.#roots.push(root);
    this.#size += 1;
  }

  /** @returns {Uint8Array} */
  root() {
    const roots = [...this.#roots];
    let root = roots.pop();
    if (root === undefined) return emptyRoot();
    for (let left = roots.pop(); left !== undefined; left = roots.pop()) root = nodeHash(left, root);
    return root;
  }
}
