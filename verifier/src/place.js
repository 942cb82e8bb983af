/**
 * Where the reading of a bundle stands, so that a refusal can say where.
 * @module
 */

/** Where the reading stands. */
export class Place {
  /** @type {string | null} */
  where = null;

  /**
   * @template T
   * @param {string} where
   * @param {() => T} check
   */
  at(where, check) {
    this.where = where;
    const outcome = check();
    this.where = null;
    return outcome;
  }
}
