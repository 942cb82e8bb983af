// The rows of the directory's threads: what a row had been at one of its records, found without looking at each.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { equalBytes } from '../src/bytes.js';
import { Rows, nameOf } from '../src/rows.js';
import { encode } from '../testing/encode.js';
import { dice } from '../testing/signer.js';

const WHO = ['T', 'i'];
const role = (/** @type {number | string} */ of) => ['R', `r${of}`];
const attributes = (/** @type {number} */ of) => new Map([['a', of]]);

/** @param {any[][]} changes one a record */
const rowsOf = (changes) => new Rows(/** @type {any} */ (changes.map((change) => ({ header: { kind: 8, decision: 1, refusal: null }, opened: [{ slot: 9, plaintext: encode(change) }] }))));
const parentOf = (/** @type {number | string} */ of) => nameOf({ entity: /** @type {[string, string]} */ (role(of)) });

/**
 * The same, place by place.
 * @param {Rows} rows
 * @param {Uint8Array} encoding
 * @param {string[]} parents
 */
const walked = (rows, encoding, parents) =>
  rows.steps.some(
    ({ of, attributes: had }, place) => of === rows.named && had !== null && equalBytes(had, encoding) && parents.every((parent) => rows.isMember(parent, place)),
  );

describe('rows', () => {
  test('what a row had been is what it was at one of its records', () => {
    const roll = dice(40);
    let [were, wereNot] = [0, 0];
    for (let i = 0; i < 300; i += 1) {
      const changes = Array.from({ length: 1 + roll(12) }, () => {
        const which = roll(10);
        if (which < 2) return [0, WHO, attributes(roll(2))];
        if (which === 2 && roll(3) === 0) return [1, WHO];
        if (which === 3 && roll(12) === 0) return [0, ['T', 'other'], attributes(0)];
        return [2 + roll(2), WHO, role(roll(3))];
      });
      const rows = rowsOf([[0, WHO, attributes(0)], ...changes]);
      for (let asked = 0; asked < 16; asked += 1) {
        const encoding = encode(attributes(asked % 2));
        const parents = [0, 1, 2].filter((of) => (asked >> (1 + of)) % 2 === 1).map(parentOf);
        const was = walked(rows, encoding, parents);
        assert.equal(rows.hasBeen(encoding, parents), was, `${JSON.stringify(changes)}, ${asked}`);
        if (was) were += 1;
        else wereNot += 1;
      }
    }
    assert.ok(were > 500 && wereNot > 500, `${were} and ${wereNot}`);
  });

  test('who asks much of a long row waits no longer for it', () => {
    const named = Array.from({ length: 100 }, (_, i) => i);
    const joined = named.map((of) => [2, WHO, role(of)]);
    const turns = Array.from({ length: 3000 }, (_, i) => [2 + (i % 2), WHO, role('x')]);
    const rows = rowsOf([[0, WHO, attributes(0)], ...joined, ...turns, [2, WHO, role('z')]]);
    const parents = [...named.map(parentOf), parentOf('z')];
    const begun = performance.now();
    for (let i = 0; i < 3000; i += 1) assert.ok(rows.hasBeen(encode(attributes(0)), parents));
    // Place by place it is some minutes.
    assert.ok(performance.now() - begun < 10_000);
  });
});
