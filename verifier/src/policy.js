/**
 * Trust files: whom a verifier believes, said before it looks. A C2SP tlog-policy, read octet by octet.
 * @module
 */

import { equalBytes } from './bytes.js';
import { COSIGNATURE_TYPE, ED25519_TYPE, parseVerifierKey } from './key.js';
import { Refusal, attempt, refuse } from './refusal.js';
import { fromUtf8 } from './text.js';

/** The longest trust file. */
export const POLICY_BYTES_MAX = 65_536;
/** The most logs, the most witnesses, the most groups. */
export const POLICY_LINES_MAX = 64;

const NONE = 'none';
// Octets as characters of the same number: what is beyond ASCII is opaque.
const OCTETS = /^[\t\x20-\x7e\x80-\xff]*$/;
const COUNT = /^[1-9][0-9]*$/;

/**
 * @typedef {import('./key.js').VerifierKey} VerifierKey
 * @typedef {{ name: string, key: VerifierKey }} Witness
 * @typedef {{ name: string, threshold: number, members: string[] }} Group
 * @typedef {{ logs: VerifierKey[], witnesses: Witness[], groups: Map<string, Group>, quorum: string | null }} Policy names are octets
 *   as characters; a quorum of null asks for no witness
 */

/**
 * @param {Uint8Array} bytes
 * @returns {Policy}
 */
export function parsePolicy(bytes) {
  if (bytes.length > POLICY_BYTES_MAX) refuse('policy.too_large', `${bytes.length} bytes`);
  let text = '';
  for (const octet of bytes) text += String.fromCharCode(octet);
  const reader = new PolicyReader();
  text.split('\n').forEach((line, i) => {
    if (!OCTETS.test(line)) refuse('policy.syntax', `a control character, in line ${i + 1}`);
    const words = line.split(/[\t ]+/).filter((word) => word !== '');
    if (words.length > 0 && !words[0]?.startsWith('#')) reader.line(words, i + 1);
  });
  return reader.finish();
}

/**
 * Whether enough witnesses vouch.
 * @param {Policy} policy
 * @param {Set<string>} witnesses the names of those whose signature holds
 */
export function quorumMet(policy, witnesses) {
  // Members stand above their group, so this ends.
  const vouches = (/** @type {string} */ name) => {
    const group = policy.groups.get(name);
    if (group === undefined) return witnesses.has(name);
    return group.members.filter(vouches).length >= group.threshold;
  };
  return policy.quorum === null || vouches(policy.quorum);
}

/** Reads line by line; the first that is wrong is told of. */
class PolicyReader {
  /** @type {VerifierKey[]} */
  #logs = [];
  /** @type {Witness[]} */
  #witnesses = [];
  /** @type {Map<string, Group>} */
  #groups = new Map();
  /** @type {Set<string>} */
  #names = new Set([NONE]);
  /** @type {Set<string>} */
  #members = new Set();
  /** @type {string | null | undefined} undefined: there was no such line yet */
  #quorum = undefined;
  #at = 0;

  /**
   * @param {string[]} words one at least
   * @param {number} number of the line
   */
  line(words, number) {
    this.#at = number;
    const [what, ...rest] = words;
    if (what === 'log' && between(rest, 1, 2)) this.#log(rest);
    else if (what === 'witness' && between(rest, 2, 3)) this.#witness(rest);
    else if (what === 'group' && between(rest, 3, Infinity)) this.#group(rest);
    else if (what === 'quorum' && between(rest, 1, 1)) this.#setQuorum(rest);
    else this.#refuse('syntax', 'no line of a log, a witness, a group or a quorum');
  }

  /** @returns {Policy} */
  finish() {
    if (this.#quorum === undefined) return refuse('policy.no_quorum', 'no line of a quorum');
    if (this.#logs.length === 0) return refuse('policy.no_log', 'no log');
    return { logs: this.#logs, witnesses: this.#witnesses, groups: this.#groups, quorum: this.#quorum };
  }

  /** @param {string[]} words */
  #log([word = '']) {
    this.#room(this.#logs.length, 'logs');
    const key = this.#key(word, ED25519_TYPE);
    this.#logs.push(key);
  }

  /** @param {string[]} words */
  #witness([name = '', word = '']) {
    this.#room(this.#witnesses.length, 'witnesses');
    this.#define(name);
    this.#witnesses.push({ name, key: this.#key(word, COSIGNATURE_TYPE) });
  }

  /** @param {string[]} words */
  #group([name = '', count = '', ...members]) {
    this.#room(this.#groups.size, 'groups');
    const threshold = count === 'any' ? 1 : count === 'all' ? members.length : COUNT.test(count) ? Number(count) : 0;
    if (threshold < 1 || threshold > members.length) this.#refuse('syntax', `${count} of ${members.length} members`);
    for (const member of members) {
      this.#known(member);
      if (this.#members.has(member)) this.#refuse('duplicate', `the member ${member}`);
      this.#members.add(member);
    }
    this.#define(name);
    this.#groups.set(name, { name, threshold, members });
  }

  /** @param {string[]} words */
  #setQuorum([name = '']) {
    if (this.#quorum !== undefined) this.#refuse('no_quorum', 'a second line of a quorum');
    if (name !== NONE) this.#known(name);
    this.#quorum = name === NONE ? null : name;
  }

  /** @param {string} name */
  #define(name) {
    if (this.#names.has(name)) this.#refuse('duplicate', `the name ${name}`);
    this.#names.add(name);
  }

  /** @param {string} name */
  #known(name) {
    if (name === NONE || !this.#names.has(name)) this.#refuse('unknown_name', name);
  }

  /**
   * @param {string} word
   * @param {number} type
   * @returns {VerifierKey}
   */
  #key(word, type) {
    const text = fromUtf8(Uint8Array.from(word, (octet) => octet.charCodeAt(0)));
    const key = attempt(() => parseVerifierKey(text ?? '', type));
    if (key instanceof Refusal) return this.#refuse('key', key.detail);
    const keys = [...this.#logs, ...this.#witnesses.map((witness) => witness.key)];
    if (keys.some(({ publicKey }) => equalBytes(publicKey, key.publicKey))) this.#refuse('duplicate', `the key ${word}`);
    return key;
  }

  /**
   * @param {number} count
   * @param {string} what
   */
  #room(count, what) {
    if (count >= POLICY_LINES_MAX) this.#refuse('too_large', `more than ${POLICY_LINES_MAX} ${what}`);
  }

  /**
   * @param {string} word
   * @param {string} detail
   * @returns {never}
   */
  #refuse(word, detail) {
    return refuse(`policy.${word}`, `${detail}, in line ${this.#at}`);
  }
}

/**
 * @param {string[]} words
 * @param {number} least
 * @param {number} most
 */
function between({ length }, least, most) {
  return length >= least && length <= most;
}
