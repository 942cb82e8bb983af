/**
 * What a verifier says when it does not accept: a stable word for programs, a sentence for people.
 * @module
 */

/**
 * The words of every layer, some of them behind their layer's name and a dot. A word is never renamed; callers compare it and
 * nothing else.
 * @typedef {string} Code
 */

/** A refusal. Whatever else is thrown is a fault of this program or of its caller, and no verdict. */
export class Refusal extends Error {
  /**
   * @param {Code} code
   * @param {string} detail for people; lower case, no full stop
   */
  constructor(code, detail) {
    super(`${code}: ${detail}`);
    this.name = 'Refusal';
    /** @type {Code} */
    this.code = code;
    /** @type {string} */
    this.detail = detail;
  }
}

/**
 * Refuses.
 * @param {Code} code
 * @param {string} detail
 * @returns {never}
 */
export function refuse(code, detail) {
  throw new Refusal(code, detail);
}

/**
 * Gives what the check gives, or its refusal. A fault goes on upwards: it must never read as a verdict.
 * @template T
 * @param {() => T} check
 * @returns {T | Refusal}
 */
export function attempt(check) {
  try {
    return check();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/**
 * Gives what the check gives; its refusal with the layer's name before the word.
 * @template T
 * @param {string} layer
 * @param {() => T} check
 * @returns {T}
 */
export function within(layer, check) {
  const outcome = attempt(check);
  if (outcome instanceof Refusal) return refuse(`${layer}.${outcome.code}`, outcome.detail);
  return outcome;
}
