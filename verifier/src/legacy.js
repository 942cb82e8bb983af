/**
 * What a record of an older log may say: it was told by the old world, so nobody judged it and it changes nothing.
 * @module
 */

import { legacyRowOf } from './contents.js';
import { Refusal, attempt, refuse } from './refusal.js';

export const LEGACY = 15;
const ROW = 8;
/** Who brought it in, context, once-key. */
const BESIDE = new Set([1, 5, 7]);

/** @param {import('./proved.js').Proved} proved */
export function checkLegacy({ header, opened }) {
  if (header.kind !== LEGACY) return;
  if (header.n === null || header.n === 0n) refuse('legacy.place', 'where no instance is');
  if (header.decision !== 0 || header.refusal !== null || header.policies.length > 0) refuse('legacy.judged', 'said to have been judged');
  const rows = header.parts.filter(({ slot }) => slot === ROW);
  const strange = header.parts.some(({ slot, index }) => index !== 0 || (slot !== ROW && !BESIDE.has(slot)));
  if (rows.length !== 1 || strange) refuse('legacy.parts', 'a part that it may not have, or no row');
  const part = opened.find(({ slot }) => slot === ROW);
  if (part === undefined) return;
  const row = attempt(() => legacyRowOf(part.plaintext));
  if (row instanceof Refusal) return void refuse('legacy.entry', row.detail);
  const { from, to, event } = header;
  const holds = Object.entries({ from, to, event }).every(([name, word]) => word === null || word === row.get(name));
  if (!holds) refuse('legacy.entry', 'the row is not what the header says');
}
