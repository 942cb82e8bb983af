/**
 * Ways to bend the making of a story, each in one place.
 * @module
 */

import { TENANT } from './story.js';
import { handle } from './world.js';

/** @typedef {import('./story.js').Bend} Bend */
/** @typedef {import('./story.js').Model} Model */
/** @typedef {import('./world.js').Draft} Draft */

/** @param {Model} model @param {number} i */
export const record = (model, i) => /** @type {Model['records'][0]} */ (model.records[i]);
/** @param {Model} model @param {number} i */
export const cited = (model, i) => /** @type {Model['cited'][0]} */ (model.cited[i]);
/** @param {string} name @param {(draft: Draft) => void} change @returns {Bend} */
export const draft = (name, change) => ({ drafts: (one) => (one.name === name ? void change(one) : undefined) });
/** @param {string} name @param {Record<number, any>} fields @returns {Bend} */
export const header = (name, fields) => draft(name, (one) => void (one.header = { ...one.header, ...fields }));
/** @param {string} name @param {Record<number, any>} fields @returns {Bend} */
export const entry = (name, fields) => draft(name, (one) => void (one.entry = fields));
/** @param {(model: Model) => void} change @returns {Bend} */
export const model = (change) => ({ model: change });
/** @param {(fields: Record<number, any>) => void} change @returns {Bend} */
export const fields = (change) => ({ fields: change });
/** @param {string} name @param {number} slot @param {(content: any) => any} change @returns {Bend} */
export const content = (name, slot, change) =>
  draft(name, (one) => {
    one.parts = (one.parts ?? []).map((part) => (part.slot === slot ? { ...part, content: change(part.content) } : part));
  });
/** @param {string} name @param {(slice: any[][]) => void} change @returns {Bend} */
export const slice = (name, change) => content(name, 2, (given) => (change(given), given));
/** @param {string} name @param {number} slot @param {'hidden' | 'erased' | 'opened'} shown @returns {Bend} */
export const shown = (name, slot, shown) => draft(name, (one) => void (one.parts = (one.parts ?? []).map((part) => (part.slot === slot ? { ...part, shown } : part))));
/** @param {Partial<Draft> & { name: string }} one */
export const row = (one) => () => ({ tenant: TENANT, thread: handle(0x81), header: { 8: 8, 16: 1 }, ...one });
