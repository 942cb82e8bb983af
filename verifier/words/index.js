/**
 * Verdicts in words. Codes are for programs and the same everywhere; these are for people, who may read another language.
 * @module
 */

import { LEGACY } from '../src/legacy.js';
import { EN } from './en.js';
import { TR } from './tr.js';

/**
 * @typedef {Record<string, string>} Texts
 * @typedef {{ levels: Texts, meanings: Texts, complete: string, gapless: string, completeAs: Texts, gaplessTo: string,
 *   records: { one: string, many: string }, at: string, parts: string, partsAre: string, witnesses: string, nobody: string,
 *   notice: string, notices: Texts, layers: Texts, usage: string, unreadable: string,
 *   fault: string }} Words
 */

/** @type {Record<string, Words>} */
export const WORDS = { en: EN, tr: TR };

/**
 * A word by its name, or the name where there is none: something is always there to read.
 * @param {Texts} texts
 * @param {string} name
 */
export function wordOf(texts, name) {
  return texts[name] ?? name;
}

/**
 * @param {string} text with names in braces
 * @param {Record<string, unknown>} values
 */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/**
 * What a code's layer means.
 * @param {Words} words
 * @param {string} code
 */
export function meaningOf({ layers }, code) {
  return wordOf(layers, code.split('.')[0] ?? code);
}

/**
 * The states that a thread went through, each once where it stays; what an older log tells is none of them.
 * @param {{ header: { kind: number, to: string | null } }[]} records
 */
export function pathOf(records) {
  /** @type {string[]} */
  const path = [];
  for (const { header } of records) if (header.kind !== LEGACY && header.to !== null && header.to !== path.at(-1)) path.push(header.to);
  return path;
}
