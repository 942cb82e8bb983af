/**
 * Bundles that hold, each otherwise than the good story in one thing, and what is to be said of them.
 * @module
 */

import { compareBytes } from '../src/bytes.js';
import { lawHash } from '../src/digest.js';
import { draft, header, model, shown } from './bend.js';
import { Signer, checkpointText, noteOf, seedOf } from './signer.js';
import { LAWS, LOG, OLD, ORDER, ORIGIN, TENANT, TRUST, TRUST_NONE, UNIVERSE, UNIVERSE_LOG, WITNESSES, rootDraft, tell } from './story.js';
import { handle } from './world.js';

/** @typedef {import('./story.js').Bend} Bend */

const HASH = new Uint8Array(32).fill(9);
const ACCOUNT = ['Pazar::Account', 'ayse'];
const ROLE = ['Pazar::Role', 'buyers'];
const [W1, W2] = /** @type {[Signer, Signer]} */ (WITNESSES);

/**
 * What a record says of the law it was judged under.
 * @param {(name: string) => Uint8Array} of
 */
export const judged = (of) => ({ 10: of('law-2'), 11: LAWS[1]?.hash ?? null });

/** The logs in the epoch behind the one in which all of the story was sealed. */
const EPOCH_1 = { log: new Signer(ORIGIN.replace(/0$/, '1'), LOG.seed), universe: new Signer(UNIVERSE.replace(/0$/, '1'), LOG.seed) };

const FORMER = new Signer(ORIGIN, seedOf(70));

/**
 * The story in that later epoch, and the checkpoints of the one before that were kept.
 * @param {string[]} [against]
 * @param {string} [named] more lines of the trust file
 * @returns {[bend: Bend, given: { trust: string, against: string[] }, changes: object]}
 */
function laterEpoch(against = [], named = '') {
  const { log, universe } = EPOCH_1;
  return [
    {
      text: (text) => text.replace(ORIGIN, log.name),
      signers: [log, W1, W2],
      universeNote: (text) => noteOf(text.replace(UNIVERSE, universe.name), universe),
      model: (m) => void (m.keys = [[0, log.vkey, 0, 0], [1, universe.vkey, 0, 0]]),
    },
    { trust: named + TRUST.replace(LOG.vkey, log.vkey), against },
    { origin: log.name },
  ];
}

const FILES = Array.from({ length: 4096 }, (_, i) => ({ path: `policies/${String(i).padStart(4, '0')}.cedar`, bytes: HASH }));
const MANY = { hash: lawHash(FILES), files: FILES };

const LATER = { name: 'later', tenant: TENANT, thread: handle(0x55), header: { 8: 1, 19: 'order' } };
/**
 * The witnesses that sign the order's checkpoint, and those that sign the universe's.
 * @param {Signer[]} own
 * @param {Signer[]} through
 */
export const signing = (own, through) => ({ signers: [LOG, ...own], universeNote: (/** @type {string} */ text) => noteOf(text, UNIVERSE_LOG, ...through) });

/** The verdict of the good story. */
export const GOOD = {
  verdict: 'anchored',
  code: null,
  where: null,
  origin: ORIGIN,
  size: 11,
  instance: { contract: 'order', id: 'o-17' },
  records: 3,
  gapless: 2,
  complete: { as_of: 10, of: 'instance' },
  parts: { opened: 8, hidden: 1, erased: 1 },
  witnesses: ['w1', 'w2'],
  notices: ['hidden_parts', 'erased_parts', 'claimed_time', 'weak_durability'],
};

/** The order's payment as a row of an older log. */
export const ROW = { at: [2, 'datetime', '2024-03-01T10:00:00.000Z'], from: 'new', to: 'paid', event: 'pay', actor: 'ayşe', key: 'log:7' };

/**
 * The payment is told by an older log.
 * @param {(one: import('./world.js').Draft) => void} [change]
 * @param {Record<string, any>} [row]
 * @returns {Bend}
 */
export const telling = (change = () => {}, row = ROW) =>
  draft('paid', (one) => {
    one.header = { ...one.header, 8: 15, 16: 0, 18: [] };
    one.parts = [{ slot: 8, content: new Map(Object.entries(row)) }];
    change(one);
  });
const TOLD = { parts: { opened: 7, hidden: 0, erased: 0 }, notices: ['claimed_time', 'weak_durability', 'attested'] };

/** @type {[about: string, bend: Bend, given: { trust?: string, against?: string[] }, changes: object][]} what is otherwise than in the good story */
export const HOLDING = [
  ['no quorum: intact', {}, { trust: TRUST_NONE }, { verdict: 'intact' }],
  ['no quorum and no witness', { signers: [LOG] }, { trust: TRUST_NONE }, { verdict: 'intact', witnesses: [], notices: [...GOOD.notices, 'no_witness'] }],
  ['no quorum, and a checkpoint that was kept: anchored', {}, { trust: TRUST_NONE, against: [tell().note] }, { verdict: 'anchored' }],
  ['a checkpoint kept of another size says nothing', {}, { trust: TRUST_NONE, against: [tell({ size: 4 }).note] }, { verdict: 'intact' }],
  ['a log alone, nothing of the universe in it', { drafts: (one) => void (['begun', 'paid', 'shipped'].includes(one.name) && (one.parts = (one.parts ?? []).filter(({ slot }) => slot !== 2))), model: (m) => ((m.logs.length = 1), (m.cited = m.cited.filter(({ log }) => log === 0)), void (m.keys.length = 1)) }, {}, { parts: { opened: 5, hidden: 1, erased: 1 } }],
  ['no map', model((m) => void (m.heads = null)), {}, { complete: null, notices: ['hidden_parts', 'erased_parts', 'claimed_time', 'weak_durability', 'no_map'] }],
  ['entries behind the map', { later: [() => LATER] }, {}, { size: 12, notices: [...GOOD.notices, 'later_entries'] }],
  ['a thread without a label is this thread', header('begun', { 28: null }), {}, { complete: { as_of: 10, of: 'thread' } }],
  ['the id hidden', shown('begun', 6, 'hidden'), {}, { instance: { contract: 'order', id: null }, parts: { opened: 7, hidden: 2, erased: 1 } }],
  ['nothing hidden or erased, all synced', { drafts: (one) => void ((one.parts = (one.parts ?? []).map((part) => ({ ...part, shown: /** @type {const} */ ('opened') }))), one.header && delete one.header[24]) }, {}, { parts: { opened: 10, hidden: 0, erased: 0 }, notices: ['claimed_time'] }],
  ['attested', header('paid', { 8: 13 }), {}, { notices: [...GOOD.notices, 'attested'] }],
  ['adopted', header('begun', { 8: 14 }), {}, { notices: [...GOOD.notices, 'attested'] }],
  ['what an older log tells', telling(), {}, TOLD],
  ['its words are none of the law\'s', telling((one) => void (one.header = { ...one.header, 21: null, 22: null, 23: null })), {}, TOLD],
  ['told of the first instant', telling(() => {}, { ...ROW, at: [2, 'datetime', '1970-01-01T00:00:00.000Z'] }), {}, TOLD],
  ['told on a leap day', telling(() => {}, { ...ROW, at: [2, 'datetime', '2000-02-29T23:59:59.999Z'] }), {}, TOLD],
  ['told of the last instant', telling(() => {}, { ...ROW, at: [2, 'datetime', '2261-12-31T23:59:59.999Z'] }), {}, TOLD],
  ['its row hidden', telling((one) => void (one.parts = (one.parts ?? []).map((part) => ({ ...part, shown: /** @type {const} */ ('hidden') })))), {}, { parts: { opened: 6, hidden: 1, erased: 0 }, notices: ['hidden_parts', ...TOLD.notices] }],
  ['a directory record whose content is withheld', shown('member', 9, 'hidden'), {}, { notices: [...GOOD.notices, 'directory_withheld'] }],
  ['a grant whose content is erased', shown('grant', 9, 'erased'), {}, { notices: [...GOOD.notices, 'directory_withheld'] }],
  ["the universe's row withheld", { drafts: (one) => (one.tenant === 'universe' ? void (one.parts = (one.parts ?? []).map((part) => ({ ...part, shown: /** @type {const} */ ('hidden') }))) : undefined) }, {}, { notices: [...GOOD.notices, 'directory_withheld'] }],
  ['a slice that is hidden is not looked at, and that is told', { drafts: (one) => void (one.name === 'paid' && (one.parts = (one.parts ?? []).map((part) => (part.slot === 2 ? { ...part, content: [[], [], []], shown: /** @type {const} */ ('hidden') } : part)))) }, {}, { parts: { opened: 7, hidden: 2, erased: 1 }, notices: [...GOOD.notices, 'directory_withheld'] }],
  ["an earlier row of the universe", { drafts: (one) => void (one.name === 'begun' && (one.parts = (one.parts ?? []).map((part) => (part.slot === 2 ? { ...part, content: [[[ACCOUNT, OLD, [ROLE], part.content[0][0][3]]], []] } : part)))) }, {}, {}],
  ['an erased instance', { more: [(of) => ({ name: 'erased', tenant: TENANT, thread: ORDER, header: { 8: 17, ...judged(of) }, parts: [{ slot: 9, content: [new Uint8Array(16), 'ask'] }] })], records: ['begun', 'paid', 'shipped', 'erased'], model: (m) => void (m.heads && (m.heads.kind = 2)) }, {}, { size: 12, records: 4, gapless: 3, complete: { as_of: 11, of: 'instance' }, parts: { opened: 9, hidden: 1, erased: 1 } }],
  ['a record without a guard law', header('shipped', { 12: null }), {}, {}],
  ['a claimed time 5 seconds behind the next activation', header('paid', { 9: 1_783_000_000_000 + 8 * 1000 + 5000 }), {}, {}],
  ['a claimed time 5 seconds before its own activation', header('begun', { 9: 1_783_000_000_000 + 1000 - 5000 }), {}, {}],
  ['a key until this very size', model((m) => void (m.keys[0] = [0, LOG.vkey, 11, 11])), {}, {}],
  ['a key of several', model((m) => void m.keys.splice(0, 1, [0, 'an older key', 0, 4], [0, LOG.vkey, 5, 0])), {}, {}],
  ['entries of an earlier epoch', ...laterEpoch()],
  ['a checkpoint kept of an earlier epoch, of another size, says nothing', ...laterEpoch([tell({ size: 4 }).note])],
  ['a checkpoint kept of an earlier epoch, with another root at this size, says nothing either', ...laterEpoch([noteOf(checkpointText(ORIGIN, 11, HASH), LOG)])],
  ['a checkpoint kept of an earlier epoch, under a key named for that epoch', ...laterEpoch([noteOf(checkpointText(ORIGIN, 4, HASH), FORMER)], `log ${FORMER.vkey}\n`)],
  ['4096 files of a law that no record names', model((m) => void (m.laws = [...m.laws, MANY].sort((a, b) => compareBytes(a.hash, b.hash)))), {}, {}],
  ['a signature of a stranger is passed over', { signers: [LOG, new Signer('stranger.example', seedOf(40)), W1, W2] }, {}, {}],
  ["the universe's witnesses, and its record of the order's log", { ...signing([], [W1, W2]), roots: (own) => [rootDraft(own)], cite: ['root'] }, {}, {}],
  ["a witness of the order's log, another of the universe's", { ...signing([W2], [W1]), roots: (own) => [rootDraft(own)], cite: ['root'] }, {}, {}],
  ['the record alone, of many in its stream', { ...signing([], [W1, W2]), roots: (own) => [rootDraft(['pazar-de', ...own.slice(1)], { name: 'before' }), rootDraft(own)], cite: ['root'] }, {}, {}],
  ['records of other tenants and sizes are passed over', { ...signing([W1, W2], []), roots: (own) => [rootDraft(['pazar-de', 0, own[2], HASH], { name: 'other' }), rootDraft([TENANT, 0, own[2] + 1, HASH], { name: 'further' }), rootDraft([TENANT, 1, own[2], HASH], { name: 'epoch' })], cite: ['other', 'further', 'epoch'] }, {}, {}],
  ['no quorum, and a witness of the universe alone', { ...signing([], [W2]), roots: (own) => [rootDraft(own)], cite: ['root'] }, { trust: TRUST_NONE }, { verdict: 'intact', witnesses: ['w2'] }],
  ['laws that no record names', model((m) => void (m.laws = [{ hash: lawHash([]), files: [] }, ...m.laws].sort((a, b) => compareBytes(a.hash, b.hash)))), {}, {}],
];
