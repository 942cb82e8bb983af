/**
 * What tests expect of a check.
 * @module
 */

import assert from 'node:assert/strict';
import { Refusal } from '../src/refusal.js';

/**
 * The check must refuse with this word; a fault is no refusal.
 * @param {string} code
 * @param {() => unknown} check
 * @param {string} [about]
 */
export function refused(code, check, about = '') {
  assert.throws(check, (error) => {
    if (!(error instanceof Refusal)) throw error;
    assert.equal(error.code, code, `${about} ${error.message}`);
    return true;
  }, about);
}

/**
 * A vector's case: refused with its word, or else accepted as the function says.
 * @param {{ error?: string }} given
 * @param {() => unknown} check
 */
export function asGiven(given, check) {
  if (given.error !== undefined) refused(given.error, check);
  else check();
}
