/**
 * One thread of the directory, change after change: what its row is at each of its records.
 *
 * A thread may be long and be asked often, so it is walked once, and what holds from a record on is kept as the places where that begins
 * and ends.
 * @module
 */

import { toHex } from './bytes.js';
import { changeOf } from './contents.js';
import { Refusal, attempt } from './refusal.js';

/** The kind of a record of the directory. */
export const DIRECTORY_KIND = 8;

/** Whose a thread is that is no entity's; an entity's name is never this. */
export const GRANTS = 'grants';
const NOBODY = '';

const DENY = 2;
const CONTENT_SLOT = 9;

/**
 * @typedef {import('./contents.js').Change} Change
 * @typedef {import('./proved.js').Proved} Proved
 * @typedef {'unborn' | 'there' | 'removed'} Standing unborn: not put, or not again, though it may have memberships
 * @typedef {{ change: Change | null, of: string | null, standing: Standing, attributes: Uint8Array | null }} Step what the row is at a
 *   record; `change` is null where that record changed nothing
 * @typedef {[number, number]} Span places of a thread: the first, and the one behind the last
 */

/** A thread's records and what they come to. */
export class Rows {
  /** @type {Step[]} as far as every change is shown */
  #steps = [];
  /** @type {Map<string, number[]>} where memberships begin and end, by turns */
  #turns = new Map();
  /** @type {Set<string>} what the row is a member of now */
  #members = new Set();
  #shown = true;
  /** @type {Map<string, Span[]> | null} where the row had which attributes, by their bytes; made when it is first asked for */
  #stood = null;

  /** @param {Proved[]} records from the thread's beginning */
  constructor(records) {
    for (const record of records) {
      if (isUnread(record)) {
        this.#shown = false;
        break;
      }
      this.#steps.push(this.#after(record));
    }
  }

  /** Whether every change of the thread is shown. */
  get whole() {
    return this.#shown;
  }

  get steps() {
    return this.#steps;
  }

  /** The entity that the thread's first change names, by its name: the row is that entity's. */
  get named() {
    return this.#steps.find(({ change, of }) => change !== null || of !== null)?.of ?? null;
  }

  /**
   * @param {number} place of a record in the thread
   * @returns {Step | null} null where a change up to there is withheld
   */
  at(place) {
    return this.#steps[place] ?? null;
  }

  /**
   * Whether the row is a member of a parent at a record.
   * @param {string} parent
   * @param {number} place
   */
  isMember(parent, place) {
    return behind(this.#turns.get(parent) ?? [], place) % 2 === 1;
  }

  /**
   * Whether the row, as that of the entity that it is of, had these attributes at one of its records, and was a member of all these
   * parents then. What is asked comes from a stranger, who may ask much of a long thread: it is gone through where one of them begins or
   * ends, and never once for each of them.
   * @param {Uint8Array} encoding of the attributes
   * @param {string[]} parents none twice
   */
  hasBeen(encoding, parents) {
    this.#stood ??= this.#stretches();
    // Twice the place, and one more where something begins: at one place what ends comes first.
    const turns = (this.#stood.get(toHex(encoding)) ?? []).flatMap(([start, end]) => [2 * start + 1, 2 * end]);
    if (turns.length === 0) return false;
    for (const parent of parents) {
      const own = this.#turns.get(parent);
      if (own === undefined) return false;
      own.forEach((place, i) => turns.push(2 * place + (i % 2 === 0 ? 1 : 0)));
    }
    let holding = 0;
    return turns
      .sort((a, b) => a - b)
      .some((turn) => {
        holding += turn % 2 === 1 ? 1 : -1;
        return holding > parents.length;
      });
  }

  /** @returns {Map<string, Span[]>} */
  #stretches() {
    /** @type {Map<string, Span[]>} */
    const stood = new Map();
    const { named } = this;
    let last = /** @type {{ attributes: Uint8Array | null, span: Span }} */ ({ attributes: null, span: [0, 0] });
    for (const [place, { of, attributes: had }] of this.#steps.entries()) {
      const attributes = of === named ? had : null;
      if (attributes !== last.attributes) {
        last = { attributes, span: [place, place] };
        if (attributes !== null) {
          const key = toHex(attributes);
          const spans = stood.get(key);
          if (spans === undefined) stood.set(key, [last.span]);
          else spans.push(last.span);
        }
      }
      last.span[1] = place + 1;
    }
    return stood;
  }

  /**
   * @param {Proved} record
   * @returns {Step}
   */
  #after(record) {
    const before = this.#steps.at(-1) ?? { change: null, of: null, standing: 'unborn', attributes: null };
    if (!changesDirectory(record)) return { ...before, change: null };
    const change = attempt(() => changeOf(contentOf(record)?.plaintext ?? new Uint8Array()));
    // What cannot be read, or is of another entity or sort than the thread, makes the row nobody's.
    if (change instanceof Refusal) return { ...before, change: null, of: NOBODY };
    const whose = change.op === 'grant' || change.op === 'revoke' ? GRANTS : nameOf(change.entity);
    const of = before.of === null || before.of === whose ? whose : NOBODY;
    if (change.op === 'grant' || change.op === 'revoke') return { ...before, change, of };
    const place = this.#steps.length;
    if (change.op === 'put') return { change, of, standing: 'there', attributes: change.encoding };
    if (change.op === 'remove') {
      for (const parent of [...this.#members]) this.#turn(parent, false, place);
      return { change, of, standing: 'removed', attributes: null };
    }
    this.#turn(nameOf(change.parent), change.op === 'join', place);
    // What was removed begins anew by a membership too.
    const standing = before.standing === 'removed' && change.op === 'join' ? 'unborn' : before.standing;
    return { ...before, change, of, standing };
  }

  /**
   * @param {string} parent
   * @param {boolean} member from here on
   * @param {number} place
   */
  #turn(parent, member, place) {
    if (this.#members.has(parent) === member) return;
    if (member) this.#members.add(parent);
    else this.#members.delete(parent);
    const turns = this.#turns.get(parent) ?? [];
    turns.push(place);
    this.#turns.set(parent, turns);
  }
}

/**
 * How many of these turns have come at a place.
 * @param {number[]} turns
 * @param {number} place
 */
function behind(turns, place) {
  let [low, high] = [0, turns.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (turns[middle]) <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Whether a record is one of the directory that was not refused.
 * @param {Proved} record
 */
export function changesDirectory({ header }) {
  return header.kind === DIRECTORY_KIND && header.decision !== DENY && header.refusal === null;
}

/**
 * An entity as a key: type and id cannot run into each other.
 * @param {import('./value.js').Entity} entity
 */
export function nameOf({ entity }) {
  return JSON.stringify(entity);
}

/** @param {Proved} record */
function isUnread(record) {
  return changesDirectory(record) && contentOf(record) === undefined;
}

/** @param {Proved} record */
function contentOf({ opened }) {
  return opened.find(({ slot }) => slot === CONTENT_SLOT);
}
