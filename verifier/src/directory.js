/**
 * Slices against the directory: who had which role when a record was judged, by the records that gave it.
 * @module
 */

import { equalBytes, toHex } from './bytes.js';
import { sliceOf } from './contents.js';
import { Refusal, attempt, refuse } from './refusal.js';
import { DIRECTORY_KIND, GRANTS, Rows, changesDirectory, nameOf } from './rows.js';

/** The place of the universe's log in a bundle. */
const UNIVERSE = 1;

/**
 * @typedef {import('./contents.js').SliceEntity} SliceEntity
 * @typedef {import('./contents.js').SliceLink} SliceLink
 * @typedef {import('./proved.js').Proved} Proved
 * @typedef {{ log: number, records: Proved[], rows: Rows | null }} Thread its rows are made when they are first asked for
 * @typedef {{ record: Proved, thread: Thread, place: number }} Cited
 */

/** The directory's threads that a bundle cites. */
export class Directory {
  /** @type {Map<string, Thread>} */
  #threads = new Map();
  /** @type {Map<string, Cited>} by record hash */
  #cited = new Map();
  /** @type {{ rows: Map<string, Rows[]>, whole: boolean } | null} the universe's rows by entity */
  #universe = null;
  /** @type {Map<string, boolean>} entities that were looked at: the same persons stand in slice after slice */
  #seen = new Map();

  /** @param {Proved[]} cited whole threads, each from its beginning */
  constructor(cited) {
    for (const record of cited) {
      const name = `${record.log} ${toHex(record.header.thread)}`;
      const thread = this.#threads.get(name) ?? { log: record.log, records: [], rows: null };
      this.#threads.set(name, thread);
      this.#cited.set(toHex(record.record), { record, thread, place: thread.records.length });
      thread.records.push(record);
    }
  }

  /**
   * Refuses a slice that is not what the directory was.
   * @param {Uint8Array} plaintext of slot 2
   * @returns {boolean} whether all could be looked at; false where a part that it takes is withheld
   */
  check(plaintext) {
    const slice = attempt(() => sliceOf(plaintext));
    if (slice instanceof Refusal) return refuse('directory.other', `a slice that cannot be read: ${slice.detail}`);
    const entities = slice.entities.map((entity) => entity.record === null || this.#once(entity, entity.record));
    const links = slice.links.map((link) => link.record === null || this.#link(link, this.#find(link.record)));
    return [...entities, ...links].every(Boolean);
  }

  /**
   * @param {SliceEntity} entity
   * @param {Uint8Array} record that it cites
   */
  #once(entity, record) {
    const said = [toHex(record), nameOf(entity.entity), toHex(entity.encoding), ...entity.parents.map(nameOf)].join(' ');
    const known = this.#seen.get(said);
    if (known !== undefined) return known;
    const shown = this.#entity(entity, this.#find(record));
    this.#seen.set(said, shown);
    return shown;
  }

  /**
   * @param {Uint8Array} hash
   * @returns {Cited}
   */
  #find(hash) {
    const found = this.#cited.get(toHex(hash));
    if (found === undefined) return refuse('directory.missing', 'a record of the directory that is not in the bundle');
    if (!changesDirectory(found.record)) return refuse('directory.missing', 'the record cited did not change the directory');
    return found;
  }

  /**
   * @param {SliceEntity} entity
   * @param {Cited} cited
   */
  #entity(entity, { record, thread, place }) {
    const rows = rowsOf(thread);
    const row = rows.at(place);
    if (row === null) return false;
    const name = nameOf(entity.entity);
    if (row.of !== name || row.standing === 'removed') refuse('directory.other', `no row of ${name}`);
    const parents = entity.parents.map(nameOf).filter((parent) => !rows.isMember(parent, place));
    const universe = record.log === UNIVERSE ? { own: [], whole: true } : this.#universeOf(name);
    // The universe's row stands above the tenant's, which may hold memberships alone.
    const holds =
      universe.own.length === 0
        ? row.attributes !== null && equalBytes(row.attributes, entity.encoding) && parents.length === 0
        : universe.own.some((above) => above.hasBeen(entity.encoding, parents));
    if (holds) return true;
    // A row of the universe that is not shown may be the one that this slice was taken from.
    if (!universe.whole) return false;
    return refuse('directory.other', `${name} is not what the directory says`);
  }

  /**
   * @param {SliceLink} link
   * @param {Cited} cited
   */
  #link(link, { thread, place }) {
    const step = rowsOf(thread).at(place);
    if (step === null) return false;
    const { change, of } = step;
    const same =
      of === GRANTS &&
      change?.op === 'grant' &&
      change.id === link.id &&
      change.template === link.template &&
      sameEntity(change.principal, link.principal) &&
      sameEntity(change.resource, link.resource);
    if (!same) refuse('directory.other', `the record cited does not grant ${link.id}`);
    return true;
  }

  /**
   * @param {string} name of an entity
   * @returns {{ own: Rows[], whole: boolean }} `whole`: nothing of the universe's directory is withheld
   */
  #universeOf(name) {
    this.#universe ??= this.#readUniverse();
    return { own: this.#universe.rows.get(name) ?? [], whole: this.#universe.whole };
  }

  #readUniverse() {
    /** @type {Map<string, Rows[]>} */
    const found = new Map();
    let whole = true;
    for (const thread of this.#threads.values()) {
      if (thread.log !== UNIVERSE || !thread.records.some(({ header }) => header.kind === DIRECTORY_KIND)) continue;
      const rows = rowsOf(thread);
      whole &&= rows.whole;
      const { named } = rows;
      if (named === null) continue;
      const own = found.get(named);
      if (own === undefined) found.set(named, [rows]);
      else own.push(rows);
    }
    return { rows: found, whole };
  }
}

/** @param {Thread} thread */
function rowsOf(thread) {
  thread.rows ??= new Rows(thread.records);
  return thread.rows;
}

/**
 * @param {import('./value.js').Entity | null} a
 * @param {import('./value.js').Entity | null} b
 */
function sameEntity(a, b) {
  return a === null || b === null ? a === b : nameOf(a) === nameOf(b);
}
