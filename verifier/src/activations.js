/**
 * Activations: which law was in force when a record was judged.
 * @module
 */

import { equalBytes, toHex } from './bytes.js';
import { activationOf } from './contents.js';
import { Refusal, attempt, refuse } from './refusal.js';

/** The kind of an activation. */
export const ACTIVATED_KIND = 9;
/** The stream's class, which its records' headers name. */
const STREAM = 'hos.law';
/** By how much claimed times may contradict each other, in milliseconds. */
export const SKEW_MAX = 5000;

/** @typedef {import('./proved.js').Proved} Proved */

/** The activations that a bundle cites. */
export class Activations {
  /** @type {Map<string, { record: Proved, next: Proved | null }>} by record hash */
  #activations = new Map();

  /** @param {Proved[]} cited in the order of their threads */
  constructor(cited) {
    /** @type {Map<string, { record: Proved, next: Proved | null }>} */
    const last = new Map();
    for (const record of cited) {
      // Of that stream: its place stands in the entry, its class in the header.
      const { kind, event } = record.header;
      if (kind !== ACTIVATED_KIND || event !== STREAM || record.entry.streamN === null) continue;
      const stream = `${record.log} ${toHex(record.header.thread)}`;
      const before = last.get(stream);
      if (before !== undefined) before.next = record;
      const activation = { record, next: null };
      last.set(stream, activation);
      this.#activations.set(toHex(record.record), activation);
    }
  }

  /**
   * Refuses a record that was not judged under an activation that is there, and of its law.
   * @param {Proved} record
   */
  checkLaw({ header }) {
    const found = header.activation === null ? undefined : this.#activations.get(toHex(header.activation));
    const part = found?.record.opened.find(({ slot }) => slot === 9);
    if (found === undefined || part === undefined) return refuse('activation.missing', 'the activation is not in the bundle, or not opened');
    const content = attempt(() => activationOf(part.plaintext));
    if (content instanceof Refusal) return refuse('activation.missing', `the activation cannot be read: ${content.detail}`);
    if (header.law === null || !equalBytes(content.law, header.law)) refuse('activation.law', 'the activation is of another law');
  }

  /**
   * Refuses a record that was claimed at a time at which its activation was not in force.
   * @param {Proved} record whose activation is there
   */
  checkTime({ header }) {
    const found = header.activation === null ? undefined : this.#activations.get(toHex(header.activation));
    if (found === undefined) return refuse('activation.missing', 'the activation is not in the bundle');
    if (found.next !== null && header.time > found.next.header.time + SKEW_MAX) refuse('activation.stale', 'claimed after the next activation');
    if (header.time < found.record.header.time - SKEW_MAX) refuse('activation.early', 'claimed before its activation');
  }
}
