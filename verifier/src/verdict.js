/**
 * What a stranger may believe of a bundle: every duty in its order, and the verdict in words that are the same from every verifier.
 * @module
 */

import { Activations } from './activations.js';
import { equalBytes, toHex } from './bytes.js';
import { decodeBundle } from './bundle.js';
import { headsOf, textOfPart } from './contents.js';
import { headsLabel, lawHash } from './digest.js';
import { Directory } from './directory.js';
import { decodeEntry } from './entry.js';
import { ERASED, checkPresence, headsKey } from './heads.js';
import { checkKeys } from './keys.js';
import { LEGACY, checkLegacy } from './legacy.js';
import { believeLogs, vouches } from './logs.js';
import { Place } from './place.js';
import { parsePolicy } from './policy.js';
import { proveItem } from './proved.js';
import { checkWitnesses, saysRoot } from './roots.js';
import { Refusal, attempt, refuse, within } from './refusal.js';
import { Threads, placeOf } from './threads.js';
import { keysOfLog } from './trust.js';

const KIND = Object.freeze({ OBSERVED: 13, ADOPTED: 14, ERASED: 17, HEADS: 19 });
const FULL = 1;
const SLICE = 2;

/**
 * @typedef {import('./bundle.js').Bundle} Bundle
 * @typedef {import('./proved.js').BelievedLog} BelievedLog
 * @typedef {import('./proved.js').Proved} Proved
 * @typedef {import('./policy.js').Policy} Policy
 * @typedef {import('./trust.js').Belief} Belief
 * @typedef {'refused' | 'intact' | 'anchored'} Level
 * @typedef {{ as_of: number | bigint, of: 'instance' | 'thread' }} Complete
 * @typedef {{ verdict: Level, code: string | null, where: string | null, origin: string | null, size: number | bigint | null,
 *   instance: { contract: string, id: string | null } | null, records: number, gapless: number | null,
 *   complete: Complete | null, parts: { opened: number, hidden: number, erased: number }, witnesses: string[],
 *   notices: string[] }} Verdict
 * @typedef {{ records: Proved[], cited: Proved[], laws: import('./bundle.js').Law[], belief: Belief }} Story what holds, for whoever
 *   shows it
 * @typedef {{ verdict: Verdict, detail: string | null, story: Story | null }} Judged `detail` is for people; there is a story only
 *   where nothing is refused
 */

/**
 * @param {Uint8Array} bytes of the bundle
 * @param {Uint8Array} trust the verifier's own file
 * @param {Uint8Array[]} [against] checkpoints that the verifier kept
 * @returns {Judged}
 */
export function judgeBundle(bytes, trust, against = []) {
  const place = new Place();
  const outcome = attempt(() => judge(bytes, trust, against, place));
  if (!(outcome instanceof Refusal)) return { ...outcome, detail: null };
  return { verdict: refusedVerdict(outcome.code, place.where), detail: outcome.detail, story: null };
}

/**
 * The verdict of what does not hold: nothing of the bundle is repeated, for nothing of it is believed.
 * @param {string} code
 * @param {string | null} where
 * @returns {Verdict}
 */
export function refusedVerdict(code, where) {
  const nothing = { origin: null, size: null, instance: null, records: 0, gapless: null, complete: null };
  return { verdict: 'refused', code, where, ...nothing, parts: { opened: 0, hidden: 0, erased: 0 }, witnesses: [], notices: [] };
}

/**
 * @param {Uint8Array} bytes
 * @param {Uint8Array} trust
 * @param {Uint8Array[]} against
 * @param {Place} place
 * @returns {{ verdict: Verdict, story: Story }}
 */
function judge(bytes, trust, against, place) {
  const policy = parsePolicy(trust);
  const bundle = place.at('bundle', () => decodeBundle(bytes));
  checkCitedOrder(bundle, place);
  const { signed, logs } = believeLogs(bundle, policy, place);
  const records = proveRecords(bundle, logs, place);
  const { cited, roots } = proveCited(bundle, logs, place);
  const former = checkKeys(bundle, logs, cited, keysOfLog(policy, signed.checkpoint.origin), place);
  const belief = { ...signed, witnesses: checkWitnesses(logs, roots, policy, place) };
  const heads = bundle.heads === null ? null : place.at('heads', () => proveHeads(bundle, logs, records));
  checkLaws(bundle, records, place);
  const activations = new Activations(cited);
  records.forEach((record, i) => place.at(`records ${i}`, () => activations.checkLaw(record)));
  records.forEach((record, i) => place.at(`records ${i}`, () => activations.checkTime(record)));
  const directory = new Directory(cited);
  const seen = records.map((record, i) => place.at(`records ${i}`, () => slicesOf(record).map((slice) => directory.check(slice)).every(Boolean) && !record.withheld.some(({ slot }) => slot === SLICE)));
  const kept = against.map((note, i) => place.at(`against ${i}`, () => vouches(policy, belief, note))).some(Boolean);
  const findings = { policy, belief, kept, heads, withheld: !seen.every(Boolean), former };
  return { verdict: verdictOf(records, findings), story: { records, cited: [...cited, ...roots.map(({ record }) => record)], laws: bundle.laws, belief } };
}

/**
 * Step 2, the last of it: cited records ascend by log, then seq. An entry that cannot be read has none, and is refused when its
 * turn comes.
 * @param {Bundle} bundle
 * @param {Place} place
 */
function checkCitedOrder({ cited }, place) {
  /** @type {{ log: number, seq: bigint } | null} */
  let before = null;
  for (const [i, { log, item }] of cited.entries()) {
    const entry = attempt(() => decodeEntry(item.entry));
    const seq = entry instanceof Refusal ? null : entry.seq;
    const follows = before === null || log > before.log || (log === before.log && (seq === null || seq > before.seq));
    if (!follows) place.at(`cited ${i}`, () => refuse('bundle.order', 'cited records'));
    if (seq !== null) before = { log, seq };
  }
}

/**
 * Step 4: the thread's records, each in turn.
 * @param {Bundle} bundle
 * @param {BelievedLog[]} logs
 * @param {Place} place
 */
function proveRecords({ records, thread }, logs, place) {
  const threads = new Threads();
  /** @type {Proved[]} */
  const proved = [];
  records.forEach((item, i) =>
    place.at(`records ${i}`, () => {
      const record = proveItem(item, /** @type {BelievedLog} */ (logs[0]), 0);
      if (!equalBytes(record.header.thread, thread)) refuse('thread.handle', 'a record of another thread');
      follow(threads, record);
      const before = proved.at(-1);
      if (before !== undefined && record.entry.seq <= before.entry.seq) refuse('thread.seq', `entry ${record.entry.seq}`);
      checkLegacy(record);
      checkLabel(record, proved[0] ?? record);
      proved.push(record);
    }),
  );
  return proved;
}

/**
 * Step 5: cited records, whole threads of them; records of tenants' roots stand alone.
 * @param {Bundle} bundle
 * @param {BelievedLog[]} logs
 * @param {Place} place
 */
function proveCited({ cited }, logs, place) {
  const threads = logs.map(() => new Threads());
  /** @type {{ cited: Proved[], roots: { at: number, record: Proved }[] }} */
  const proved = { cited: [], roots: [] };
  cited.forEach(({ log, item }, i) =>
    place.at(`cited ${i}`, () => {
      const record = proveItem(item, /** @type {BelievedLog} */ (logs[log]), log);
      if (saysRoot(record)) return void proved.roots.push({ at: i, record });
      follow(/** @type {Threads} */ (threads[log]), record);
      return void proved.cited.push(record);
    }),
  );
  return proved;
}

/**
 * @param {Threads} threads
 * @param {Proved} proved
 */
function follow(threads, { header, entry, record }) {
  within('thread', () => {
    const at = placeOf(header, entry);
    threads.check(header.thread, at);
    threads.advance(header.thread, at.n, record);
  });
}

/**
 * A header whose n is not 0 bears no label, or it does not decode; what is left is that an opened id is the label's.
 * @param {Proved} record
 * @param {Proved} first of the thread
 */
function checkLabel({ header, opened }, { header: { label } }) {
  if (label === null) return;
  for (const { plaintext } of opened.filter(({ slot }) => slot === 6)) {
    const id = attempt(() => textOfPart(plaintext));
    const same = !(id instanceof Refusal) && header.contract !== null && equalBytes(headsLabel(header.tenant, header.contract, id), label);
    if (!same) refuse('thread.label', 'the id is not what the label was made of');
  }
}

/**
 * Step 6: the map says that the thread ends here.
 * @param {Bundle} bundle
 * @param {BelievedLog[]} logs
 * @param {Proved[]} records
 * @returns {Complete}
 */
function proveHeads({ heads }, logs, records) {
  if (heads === null) throw new Error('a map is proved where there is one');
  const { header, entry, opened } = proveItem(heads.item, /** @type {BelievedLog} */ (logs[0]), 0);
  const part = opened.find(({ slot }) => slot === 9);
  if (header.kind !== KIND.HEADS || part === undefined) return refuse('heads.record', 'no record of heads, or its content is not opened');
  const content = attempt(() => headsOf(part.plaintext));
  if (content instanceof Refusal) return refuse('heads.record', content.detail);
  if (content.size !== entry.seq) refuse('heads.size', `of ${content.size} entries, in place ${entry.seq}`);
  if (records.some((record) => record.entry.seq >= content.size)) refuse('heads.behind', 'a record of the bundle is not below it');
  const [first, last] = [records[0], records.at(-1)];
  if (first === undefined || last === undefined) throw new Error('a bundle has a record');
  const { kind, n, record, siblings } = heads;
  const leaf = { key: headsKey(first.header), kind, thread: first.header.thread, n, record };
  const present = attempt(() => checkPresence({ leaf, siblings, root: content.root }));
  if (present instanceof Refusal) refuse('heads.root', present.detail);
  const ends = n === placeOf(last.header, last.entry).n && equalBytes(record, last.record);
  if (!ends || (kind === ERASED) !== (last.header.kind === KIND.ERASED)) refuse('heads.end', 'the map ends the thread elsewhere');
  return { as_of: spoken(entry.seq), of: first.header.label === null ? 'thread' : 'instance' };
}

/**
 * Step 7: the laws are those that the records name.
 * @param {Bundle} bundle
 * @param {Proved[]} records
 * @param {Place} place
 */
function checkLaws({ laws }, records, place) {
  laws.forEach(({ hash, files }, i) =>
    place.at(`laws ${i}`, () => {
      if (!equalBytes(lawHash(files), hash)) refuse('law.hash', 'its files have another hash');
    }),
  );
  const there = new Set(laws.map(({ hash }) => toHex(hash)));
  records.forEach(({ header: { law, guardLaw } }, i) =>
    place.at(`records ${i}`, () => {
      const missing = [law, guardLaw].find((hash) => hash !== null && !there.has(toHex(hash)));
      if (missing !== undefined) refuse('law.missing', `the law ${missing === null ? '' : toHex(missing)}`);
    }),
  );
}

/**
 * @param {Proved[]} records
 * @param {{ policy: Policy, belief: Belief, kept: boolean, heads: Complete | null, withheld: boolean, former: boolean }} findings
 * @returns {Verdict}
 */
function verdictOf(records, { policy, belief, kept, heads, withheld, former }) {
  const [first, last] = [records[0], records.at(-1)];
  if (first === undefined || last === undefined) throw new Error('a bundle has a record');
  const { origin, size } = belief.checkpoint;
  const erased = count(records, (record) => record.withheld.filter((part) => part.erased).length);
  const hidden = count(records, (record) => record.withheld.length) - erased;
  /** @type {[string, boolean][]} */
  const notices = [
    ['hidden_parts', hidden > 0],
    ['erased_parts', erased > 0],
    ['claimed_time', true],
    ['weak_durability', records.some(({ header }) => header.durability !== FULL)],
    ['no_map', heads === null],
    ['later_entries', heads !== null && size > BigInt(heads.as_of) + 1n],
    ['no_witness', belief.witnesses.length === 0],
    ['directory_withheld', withheld],
    ['attested', records.some(({ header }) => header.kind === KIND.OBSERVED || header.kind === KIND.ADOPTED || header.kind === LEGACY)],
    ['former_key', former],
  ];
  return {
    verdict: policy.quorum !== null || kept ? 'anchored' : 'intact',
    code: null,
    where: null,
    origin,
    size: spoken(size),
    instance: first.header.contract === null ? null : { contract: first.header.contract, id: idOf(first) },
    records: records.length,
    gapless: Number(placeOf(last.header, last.entry).n),
    complete: heads,
    parts: { opened: count(records, ({ opened }) => opened.length), hidden, erased },
    witnesses: belief.witnesses,
    notices: notices.filter(([, due]) => due).map(([notice]) => notice),
  };
}

/**
 * The verdict as JSON; integers of 64 bits as they are.
 * @param {any} value
 * @returns {string}
 */
export function verdictJson(value) {
  if (typeof value === 'bigint') return `${value}`;
  if (Array.isArray(value)) return `[${value.map(verdictJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${verdictJson(member)}`).join(',')}}`;
}

/** @param {Proved} record */
function idOf({ opened }) {
  const part = opened.find(({ slot }) => slot === 6);
  const id = part === undefined ? null : attempt(() => textOfPart(part.plaintext));
  return id instanceof Refusal ? null : id;
}

/** @param {Proved} record */
function slicesOf({ opened }) {
  return opened.filter(({ slot }) => slot === SLICE).map(({ plaintext }) => plaintext);
}

/**
 * @param {Proved[]} records
 * @param {(record: Proved) => number} of
 */
function count(records, of) {
  return records.reduce((sum, record) => sum + of(record), 0);
}

/** @param {bigint} value a number where that is exact */
function spoken(value) {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}
