/**
 * Bundles that must be refused: each fails one duty and no other, bent in its making and signed again.
 * @module
 */

import { concatBytes } from '../src/bytes.js';
import { headsLabel, headsThread } from '../src/digest.js';
import { COSIGNATURE_TYPE } from '../src/key.js';
import { utf8 } from '../src/text.js';
import { cited, content, draft, entry, fields, header, model, record, shown, slice } from './bend.js';
import { encode } from './encode.js';
import { Signer, checkpointText, noteOf, seedOf } from './signer.js';
import { ROW, signing, telling } from './holding.js';
import { LAWS, LOG, OLD, ORDER, ORIGIN, TENANT, TRUST, UNIVERSE, UNIVERSE_LOG, WITNESSES, rootDraft, tell } from './story.js';
import { handle } from './world.js';

/** @typedef {import('./story.js').Bend} Bend */
/** @typedef {import('./world.js').Draft} Draft */

const HASH = new Uint8Array(32).fill(9);
const ROLE = ['Pazar::Role', 'buyers'];
/** How long a key's text form is behind its name. */
const KEY_REST = new Signer('x', seedOf(9)).vkey.length - 1;
const [W1, W2] = /** @type {[Signer, Signer]} */ (WITNESSES);
const [LAW_1, LAW_2] = /** @type {[typeof LAWS[0] & {}, typeof LAWS[0] & {}]} */ (LAWS);

/** The log in the epoch behind the one of the story. */
const LATER = new Signer(ORIGIN.replace(/0$/, '1'), LOG.seed);
const signedAs = (/** @type {string} */ text, /** @type {Signer[]} */ ...signers) => noteOf(text, ...signers);
/** @type {[code: string, where: string | null, about: string, bend: Bend, given?: { trust?: string, against?: string[] }][]} */
export const REFUSALS = [
  // 1
  ['policy.no_quorum', null, 'a trust file without a quorum', {}, { trust: `log ${LOG.vkey}\n` }],
  ['policy.key', null, 'a key of 1025 bytes', {}, { trust: `log ${new Signer('x'.repeat(1025 - KEY_REST), seedOf(9)).vkey}\nquorum none\n` }],
  ['policy.no_log', null, 'an empty trust file but for its quorum', fields((f) => void (f[1] = 2)), { trust: 'quorum none\n' }],
  // 2
  ['bundle.not_canonical', 'bundle', 'logs that are text', fields((f) => void (f[4] = 'logs'))],
  ['bundle.not_canonical', 'bundle', 'nested deeper', fields((f) => void (f[11] = [[[[[[0]]]]]]))],
  ['bundle.not_canonical', 'bundle', 'a thread of 15 bytes', fields((f) => void (f[5] = new Uint8Array(15)))],
  ['bundle.not_canonical', 'bundle', 'a record of three', fields((f) => void f[6][0].pop())],
  ['bundle.not_canonical', 'bundle', 'a proof of 31 bytes', model((m) => void (record(m, 0).proof[0] = HASH.slice(1)))],
  ['bundle.not_canonical', 'bundle', 'a salt of 31 bytes', model((m) => void (/** @type {any} */ (record(m, 0).opened[0])[2] = HASH.slice(1)))],
  ['bundle.version', 'bundle', 'version 2', fields((f) => void (f[1] = 2))],
  ['bundle.suite', 'bundle', 'suite 2', fields((f) => void (f[2] = 2))],
  ['bundle.what', 'bundle', 'another thing', fields((f) => void (f[3] = 'hos bundles'))],
  ['bundle.unknown_field', 'bundle', 'field 11', fields((f) => void (f[11] = 0))],
  ['bundle.unknown_field', 'bundle', 'field 0', fields((f) => void (f[0] = 0))],
  ['bundle.unknown_field', 'bundle', 'field 11, the least integer that CBOR has', fields((f) => void (f[11] = -(2n ** 64n)))],
  ...[1, 2, 3, 4, 5, 6, 8, 9, 10].map((key) => /** @type {[string, string, string, Bend]} */ (['bundle.missing_field', 'bundle', `no field ${key}`, fields((f) => void delete f[key])])),
  ['bundle.missing_field', 'bundle', 'a field that is missing comes before a limit', fields((f) => ((f[4] = []), void delete f[10]))],
  ['bundle.empty', 'bundle', 'no log', fields((f) => ((f[4] = []), void (f[10] = [])))],
  ['bundle.limit', 'bundle', 'three logs', model((m) => void m.logs.push(/** @type {any} */ (m.logs[1])))],
  ['bundle.limit', 'bundle', 'slot 14', model((m) => void (/** @type {any} */ (record(m, 0).opened.at(-1))[0] = 14))],
  ['bundle.limit', 'bundle', 'slot 0', model((m) => void (/** @type {any} */ (record(m, 0).opened[0])[0] = 0))],
  ['bundle.limit', 'bundle', 'index 256', model((m) => void (/** @type {any} */ (record(m, 0).opened.at(-1))[1] = 256))],
  ['bundle.limit', 'bundle', 'why 3', model((m) => void (/** @type {any} */ (record(m, 1).withheld[0])[2] = 3))],
  ['bundle.limit', 'bundle', 'why 0', model((m) => void (/** @type {any} */ (record(m, 1).withheld[0])[2] = 0))],
  ['bundle.limit', 'bundle', 'a cited record of log 2', model((m) => void (cited(m, 8).log = 2))],
  ['bundle.limit', 'bundle', 'a leaf of kind 3', model((m) => void (m.heads && (m.heads.kind = 3)))],
  ['bundle.limit', 'bundle', '65 hashes of a proof', model((m) => void (record(m, 0).proof = new Array(65).fill(HASH)))],
  ['bundle.limit', 'bundle', '257 siblings', model((m) => void (m.heads && (m.heads.siblings = new Array(257).fill(HASH))))],
  ['bundle.limit', 'bundle', '65 laws', model((m) => void (m.laws = Array.from({ length: 65 }, (_, i) => ({ hash: new Uint8Array(32).fill(i), files: [] }))))],
  ['bundle.limit', 'bundle', '4097 files of a law', model((m) => void (m.laws = [{ hash: HASH, files: Array.from({ length: 4097 }, (_, i) => ({ path: `policies/${String(i).padStart(4, '0')}.cedar`, bytes: HASH })) }]))],
  ['bundle.limit', 'bundle', 'of a limit and an order the first', model((m) => ((m.keys = []), (m.laws = [...m.laws].reverse()), void (/** @type {any} */ (record(m, 1).withheld[0])[2] = 3)))],
  ['bundle.limit', 'bundle', '257 keys', model((m) => void (m.keys = Array.from({ length: 257 }, (_, i) => [0, LOG.vkey, i, i])))],
  ['bundle.limit', 'bundle', 'an entry of 16897 bytes', model((m) => void (record(m, 0).entry = new Uint8Array(16_897)))],
  ['bundle.limit', 'bundle', 'a plaintext of 4194305 bytes', model((m) => void (/** @type {any} */ (record(m, 0).opened[0])[3] = new Uint8Array(4_194_305)))],
  ['bundle.limit', 'bundle', 'a note of 65537 bytes', { note: (note) => note.padEnd(65_537 - 4, 'x') }],
  ['bundle.empty', 'bundle', 'no record', model((m) => void (m.records = []))],
  ['bundle.order', 'bundle', 'parts twice', model((m) => void record(m, 0).opened.push(/** @type {any} */ (record(m, 0).opened.at(-1))))],
  ['bundle.order', 'bundle', 'withheld parts reversed', model((m) => void record(m, 1).withheld.reverse())],
  ['bundle.order', 'bundle', 'laws reversed', model((m) => void (m.laws = [...m.laws].reverse()))],
  ['bundle.order', 'bundle', 'files reversed', model((m) => void (m.laws = m.laws.map((law) => ({ ...law, files: [...law.files].reverse() }))))],
  ['bundle.order', 'bundle', 'keys twice', model((m) => void m.keys.push(/** @type {any} */ (m.keys[1])))],
  ['bundle.order', 'bundle', 'keys by log', model((m) => void m.keys.reverse())],
  ['bundle.order', 'cited 1', 'cited records swapped', model((m) => void m.cited.splice(0, 2, cited(m, 1), cited(m, 0)))],
  ['bundle.order', 'cited 1', 'a cited record twice', model((m) => void m.cited.splice(1, 0, cited(m, 0)))],
  ['bundle.order', 'cited 1', 'cited records by log', model((m) => void m.cited.reverse())],
  // 3
  ['trust.unknown_log', 'logs 0', 'a log that the trust file does not name', {}, { trust: TRUST.replace(LOG.vkey, new Signer(`${ORIGIN}1`, seedOf(1)).vkey) }],
  ['trust.quorum', 'logs 0', 'one witness of two', { signers: [LOG, W1] }],
  ['trust.quorum', 'logs 0', 'none of the witnesses', { signers: [LOG, new Signer(W1.name, seedOf(60), COSIGNATURE_TYPE)] }],
  ['checkpoint.unsigned', 'logs 0', 'not signed by the log', { signers: [W1, W2] }],
  ['checkpoint.unsigned', 'logs 0', 'signed by another key of that name', { signers: [new Signer(ORIGIN, seedOf(50)), W1, W2] }],
  ['checkpoint.signature', 'logs 0', 'a signature of another text', { note: (note) => note.replace('\n11\n', '\n12\n') }],
  ['checkpoint.signature', 'logs 0', "a witness's cosignature of another text", { note: (note) => note.replace(/— witness.example\/3 .*\n/, W1.line('x\n')) }],
  ['checkpoint.malformed', 'logs 0', 'no note', { note: () => 'x' }],
  ['checkpoint.name', 'logs 0', 'a name with a plus', { note: (note) => note.replace('— witness.', '— +witness.') }],
  ['checkpoint.too_large', 'logs 0', '17 signatures', { note: (note) => note + new Signer('s.example', seedOf(40)).line('x').repeat(14) }],
  ['checkpoint.checkpoint', 'logs 0', 'a size with a leading zero', { text: (text) => text.replace('\n11\n', '\n011\n') }],
  ['trust.fork', 'against 1', 'a kept checkpoint of this size and another root', {}, { against: [tell().note, signedAs(checkpointText(ORIGIN, 11, HASH), LOG)] }],
  ['checkpoint.malformed', 'against 0', 'what was kept is no note', {}, { against: ['x'] }],
  ['checkpoint.too_large', 'against 0', 'what was kept is too long for a note', {}, { against: ['x'.repeat(65_537)] }],
  ['checkpoint.unsigned', 'against 0', 'what was kept is signed by nobody', {}, { against: [signedAs(checkpointText(ORIGIN, 11, HASH), new Signer(ORIGIN, seedOf(99)))] }],
  ['checkpoint.checkpoint', 'against 0', 'what was kept is no checkpoint', {}, { against: [signedAs(`${ORIGIN}\nx\n`, LOG)] }],
  ['checkpoint.unsigned', 'against 0', 'what was kept is signed for another log', {}, { against: [signedAs(checkpointText(UNIVERSE, 11, HASH), UNIVERSE_LOG)] }],
  ['checkpoint.origin', 'against 0', 'what was kept is of another log', {}, { against: [signedAs(checkpointText(UNIVERSE, 11, HASH), LOG)] }],
  ['checkpoint.origin', 'against 0', 'what was kept is of a later epoch', {}, { against: [signedAs(checkpointText(LATER.name, 11, HASH), LATER)] }],
  ['log.origin', 'logs 0', 'of another tenant than it says', model((m) => void (/** @type {any} */ (m.logs[0])[0] = 'pazar-de'))],
  ['log.origin', 'logs 0', 'an origin that is no log of a store', { text: (text) => text.replace(ORIGIN, 'example.com/log'), signers: [new Signer('example.com/log', seedOf(1)), W1, W2] }, { trust: TRUST.replace(LOG.vkey, new Signer('example.com/log', seedOf(1)).vkey) }],
  ['log.origin', 'logs 0', 'an epoch with a leading zero', { text: (text) => text.replace(ORIGIN, `${ORIGIN}0`), signers: [new Signer(`${ORIGIN}0`, seedOf(1)), W1, W2] }, { trust: TRUST.replace(LOG.vkey, new Signer(`${ORIGIN}0`, seedOf(1)).vkey) }],
  ['log.origin', 'logs 1', 'a second log that is no universe', model((m) => void (/** @type {any} */ (m.logs[1])[0] = 'universes'))],
  ['log.origin', 'logs 1', "another epoch's universe", { universeNote: (text) => signedAs(text.replace(UNIVERSE, UNIVERSE.replace(/0$/, '1')), new Signer(UNIVERSE.replace(/0$/, '1'), seedOf(1))) }],
  ['log.origin', 'logs 1', "another store's universe", { universeNote: (text) => signedAs(text.replace('hos/b8', 'hos/b9'), new Signer(UNIVERSE.replace('hos/b8', 'hos/b9'), seedOf(1))) }],
  ['checkpoint.unsigned', 'logs 1', 'a universe signed by another key', { universeNote: (text) => signedAs(text, new Signer(UNIVERSE, seedOf(2))) }],
  ['checkpoint.unsigned', 'logs 1', "a universe signed under the tenant's name", { universeNote: (text) => signedAs(text, LOG) }],
  ['checkpoint.signature', 'logs 1', 'a universe signed otherwise', { universeNote: (text) => `${text}\n${UNIVERSE_LOG.line('x')}` }],
  ['checkpoint.malformed', 'logs 1', 'a universe without a note', { universeNote: () => UNIVERSE }],
  ['log.origin', 'logs 1', 'a universe without anything', { universeNote: () => '' }],
  ['log.origin', 'logs 1', 'a carriage return behind the name of the universe', { universeNote: (text) => text.replace(UNIVERSE, `${UNIVERSE}\r`) }],
  ['checkpoint.checkpoint', 'logs 1', 'a universe without a root', { universeNote: () => signedAs(`${UNIVERSE}\n3\n`, UNIVERSE_LOG) }],
  ['key.range', 'keys', 'no key listed', model((m) => void (m.keys = []))],
  ['key.range', 'keys', 'another key listed', model((m) => void (m.keys = [[0, new Signer(ORIGIN, seedOf(8)).vkey, 0, 0]]))],
  ['key.range', 'keys', 'until a size before', model((m) => void (m.keys = [[0, LOG.vkey, 0, 10]]))],
  ['key.range', 'keys', 'from a size behind', model((m) => void (m.keys = [[0, LOG.vkey, 12, 0]]))],
  ['key.range', 'keys', "listed for the universe's log", model((m) => void (m.keys = [[1, LOG.vkey, 0, 0]]))],
  // 4
  ['entry.not_canonical', 'records 1', 'an entry with a byte too many', model((m) => void (record(m, 1).entry = concatBytes(record(m, 1).entry, Uint8Array.of(0))))],
  ['entry.unknown_field', 'records 0', 'an entry with a field too many', entry('begun', { 13: 0 })],
  ['entry.time', 'records 0', 'sealed beyond the year 2262', entry('begun', { 8: 9_214_646_400_000 })],
  ['entry.time', 'records 0', 'sealed at a time that takes all 64 bits', entry('begun', { 8: 2n ** 63n })],
  ['header.time', 'records 1', 'claimed at a time that takes all 64 bits', header('paid', { 9: 2n ** 64n - 1n })],
  ['entry.version', 'records 2', 'an entry of version 2', entry('shipped', { 1: 2 })],
  ['foreign', 'records 0', "another store's entry", entry('begun', { 3: HASH.slice(16) })],
  ['foreign', 'records 0', "a later epoch's entry", entry('begun', { 4: 1 })],
  ['foreign', 'records 0', "another tenant's entry", entry('begun', { 5: 'pazar-de' })],
  ['disputed', 'records 1', 'disputed by the sealer', entry('paid', { 11: 9 })],
  ['header.unknown_number', 'records 1', 'an unknown kind', header('paid', { 8: 23 })],
  ['header.place', 'records 1', 'a label in a later record', header('paid', { 28: HASH })],
  ['header.malformed', 'records 1', 'a state that is no name', header('paid', { 23: 'p aid' })],
  ['foreign', 'records 1', 'a header of another tenant', header('paid', { 4: 'pazar-de' })],
  ['foreign', 'records 1', 'a header of another store', header('paid', { 3: HASH.slice(16) })],
  ['inclusion.range', 'records 2', 'beyond the checkpoint', { size: 9 }],
  ['inclusion.length', 'records 0', 'a hash too few', model((m) => void record(m, 0).proof.pop())],
  ['inclusion.length', 'records 0', 'a hash too many', model((m) => void record(m, 0).proof.push(HASH))],
  ['inclusion.root', 'records 0', 'another hash', model((m) => void (record(m, 0).proof[1] = HASH))],
  ['inclusion.root', 'records 0', 'an entry that was not sealed', model((m) => void (record(m, 0).entry = record(m, 0).entry.with(-1, 1 ^ /** @type {number} */ (record(m, 0).entry.at(-1)))))],
  ['part.unlisted', 'records 2', 'a part that the header does not list', model((m) => void record(m, 2).opened.push([8, 0, HASH, utf8('x')]))],
  ['part.unlisted', 'records 2', 'a withheld part that the header does not list', model((m) => void record(m, 2).withheld.push([8, 0, 1]))],
  ['part.missing', 'records 0', 'a part of which nothing is said', model((m) => void record(m, 0).opened.pop())],
  ['part.twice', 'records 0', 'a part both opened and withheld', model((m) => void record(m, 0).withheld.push([1, 0, 1]))],
  ['part.mismatch', 'records 0', 'another plaintext', model((m) => void (/** @type {any} */ (record(m, 0).opened[0])[3] = encode(['Pazar::Account', 'veli'])))],
  ['part.mismatch', 'records 0', 'another salt', model((m) => void (/** @type {any} */ (record(m, 0).opened[0])[2] = HASH))],
  ['thread.handle', 'records 0', 'another thread', model((m) => void (m.thread = handle(0x12)))],
  ['thread.handle', 'records 1', "another thread's record", { records: ['begun', 'other'] }],
  ['thread.placed', 'records 0', 'a place in header and entry', entry('begun', { 9: 0 })],
  ['thread.placed', 'records 0', 'a place in neither', header('begun', { 6: null, 28: null })],
  ['thread.thread_n', 'records 0', 'not from its beginning', { records: ['paid', 'shipped'] }],
  ['thread.thread_n', 'records 1', 'a record left out', { records: ['begun', 'shipped'] }],
  ['thread.thread_n', 'records 1', 'a record twice', { records: ['begun', 'begun'] }],
  ['thread.thread_prev', 'records 1', 'another record cited', header('paid', { 7: HASH })],
  ['thread.seq', 'records 1', 'sealed before the one it follows', swapped()],
  // what an older log tells
  ['legacy.place', 'records 0', 'what an older log tells, first in its thread', draft('begun', (one) => ((one.header = { ...one.header, 8: 15, 16: 0, 18: [] }), void (one.parts = [{ slot: 8, content: new Map(Object.entries(ROW)) }])))],
  ['legacy.judged', 'records 1', 'told, and allowed', telling((one) => void (one.header = { ...one.header, 16: 1 }))],
  ['legacy.judged', 'records 1', 'told, and a policy decided', telling((one) => void (one.header = { ...one.header, 18: ['buyer-orders'] }))],
  ['legacy.judged', 'records 1', 'told, and refused', telling((one) => void (one.header = { ...one.header, 17: 'hos.forbidden' }))],
  ['legacy.parts', 'records 1', 'told, with facts', telling((one) => void (one.parts = [{ slot: 3, content: new Map() }, ...(one.parts ?? [])]))],
  ['legacy.parts', 'records 1', 'told, without a row', telling((one) => void (one.parts = []))],
  ['legacy.parts', 'records 1', 'told, with two rows', telling((one) => void (one.parts = [...(one.parts ?? []), { slot: 8, index: 1, content: new Map() }]))],
  ['legacy.entry', 'records 1', 'told of another state', telling(() => {}, { ...ROW, to: 'shipped' })],
  ['legacy.entry', 'records 1', 'told without the state before', telling(() => {}, { at: ROW.at, to: 'paid', event: 'pay' })],
  ['legacy.entry', 'records 1', 'told without a time', telling(() => {}, { from: 'new', to: 'paid', event: 'pay' })],
  ['legacy.entry', 'records 1', 'told at no day of any year', telling(() => {}, { ...ROW, at: [2, 'datetime', '2024-02-30T10:00:00.000Z'] })],
  ['legacy.entry', 'records 1', 'told on a leap day of no leap year', telling(() => {}, { ...ROW, at: [2, 'datetime', '2100-02-29T10:00:00.000Z'] })],
  ['legacy.entry', 'records 1', 'told in a thirteenth month', telling(() => {}, { ...ROW, at: [2, 'datetime', '2024-13-01T10:00:00.000Z'] })],
  ['legacy.entry', 'records 1', 'told at a leap second', telling(() => {}, { ...ROW, at: [2, 'datetime', '2016-12-31T23:59:60.000Z'] })],
  ['legacy.entry', 'records 1', 'told of a time before all records', telling(() => {}, { ...ROW, at: [2, 'datetime', '1969-12-31T23:59:59.999Z'] })],
  ['legacy.entry', 'records 1', 'told of a time after all records', telling(() => {}, { ...ROW, at: [2, 'datetime', '2262-01-01T00:00:00.000Z'] })],
  ['legacy.entry', 'records 1', 'a row that says what no row says', telling(() => {}, { ...ROW, state: 'paid' })],
  ['legacy.entry', 'records 1', 'a row whose word is a number', telling(() => {}, { ...ROW, actor: 7 })],
  ['legacy.entry', 'records 1', 'a row that does not decode', telling((one) => void (one.parts = [{ slot: 8, bytes: utf8('free') }]))],
  ['thread.label', 'records 0', 'the label of another id', header('begun', { 28: headsLabel(TENANT, 'order', 'o-19') })],
  ['thread.label', 'records 0', 'the label of another contract', header('begun', { 19: 'orders' })],
  ['thread.label', 'records 0', 'a label and no contract', header('begun', { 19: null })],
  ['thread.label', 'records 0', 'an id that is no text', content('begun', 6, () => 17)],
  ['thread.label', 'records 1', 'another id in a later record', draft('paid', (one) => void (one.parts = (one.parts ?? []).map((part) => (part.slot === 4 ? { slot: 6, content: 'o-18' } : part))))],
  // 5
  ['entry.suite', 'cited 2', 'a cited entry of suite 2', entry('member', { 2: 2 })],
  ['foreign', 'cited 8', "the tenant's entry as the universe's", model((m) => void (cited(m, 8).item = { ...cited(m, 5).item }))],
  ['disputed', 'cited 1', 'a disputed activation', entry('law-1', { 11: 7 })],
  ['header.unknown_field', 'cited 3', 'a cited header with a field too many', header('shop', { 29: 0 })],
  ['inclusion.root', 'cited 6', 'an account that is not in its log', model((m) => void (cited(m, 6).item.proof[0] = HASH))],
  ['part.missing', 'cited 4', 'a grant of which nothing is said', model((m) => void cited(m, 4).item.opened.pop())],
  ['thread.thread_n', 'cited 6', "the universe's thread without its beginning", model((m) => void m.cited.splice(6, 1))],
  ['thread.thread_n', 'cited 4', 'the activations without their beginning', model((m) => void m.cited.splice(1, 1))],
  ['thread.thread_prev', 'cited 8', 'a cited record that cites another', header('account-moved', { 7: HASH })],
  ['trust.quorum', 'logs 0', "the universe's witnesses, and nothing that says the order's log", { ...signing([], [W1, W2]), roots: (own) => [rootDraft(own)] }],
  ['trust.quorum', 'logs 0', 'one witness of both logs', { ...signing([W1], [W1]), roots: (own) => [rootDraft(own)], cite: ['root'] }],
  ['trust.quorum', 'logs 0', 'a record of another size', { ...signing([], [W1, W2]), roots: ([tenant, epoch, size, root]) => [rootDraft([tenant, epoch, size - 1, root])], cite: ['root'] }],
  ['trust.quorum', 'logs 0', 'a record of another stream', { ...signing([], [W1, W2]), roots: (own) => [rootDraft(own, { header: { 8: 22, 21: 'hos.heads' } })], cite: ['root'] }],
  ['trust.quorum', 'logs 0', "a record in the tenant's own log", { ...signing([], [W1, W2]), later: [() => rootDraft([TENANT, 0, 12, HASH], { tenant: TENANT })], cite: ['root'] }],
  ['thread.thread_n', 'cited 10', 'a free record in that stream, not from its beginning', { ...signing([W1, W2], []), roots: (own) => [rootDraft(own), rootDraft(own, { name: 'free', header: { 8: 7, 21: 'hos.checkpoints' } })], cite: ['root', 'free'] }],
  ['thread.placed', 'cited 9', 'a root with a place in header and entry', { ...signing([W1, W2], []), roots: (own) => [rootDraft(own, { header: { 6: 0, 8: 22, 21: 'hos.checkpoints' } })], cite: ['root'] }],
  ['disputed', 'cited 9', 'a root that is disputed', { ...signing([W1, W2], []), roots: (own) => [rootDraft(own, { entry: { 11: 3 } })], cite: ['root'] }],
  ['roots.record', 'cited 9', 'a root that is hidden', { ...signing([W1, W2], []), roots: (own) => [rootDraft(own, { parts: [{ slot: 9, content: own, shown: 'hidden' }] })], cite: ['root'] }],
  ['roots.record', 'cited 9', 'a root in another slot', { ...signing([W1, W2], []), roots: (own) => [rootDraft(own, { parts: [{ slot: 8, content: own }] })], cite: ['root'] }],
  ['roots.record', 'cited 9', 'a root of three items', { ...signing([W1, W2], []), roots: (own) => [rootDraft(own.slice(1))], cite: ['root'] }],
  ['roots.record', 'cited 9', 'a root of 33 bytes', { ...signing([W1, W2], []), roots: (own) => [rootDraft([...own.slice(0, 3), new Uint8Array(33)])], cite: ['root'] }],
  ['roots.record', 'cited 9', 'a root of no tenant', { ...signing([W1, W2], []), roots: (own) => [rootDraft(['Pazar', ...own.slice(1)])], cite: ['root'] }],
  ['roots.fork', 'cited 9', 'another root of this size', { ...signing([W1, W2], []), roots: (own) => [rootDraft([...own.slice(0, 3), HASH])], cite: ['root'] }],
  ['roots.fork', 'cited 10', 'two roots of this size', { ...signing([], [W1, W2]), roots: (own) => [rootDraft(own), rootDraft([...own.slice(0, 3), HASH], { name: 'fork' })], cite: ['root', 'fork'] }],
  ['checkpoint.signature', 'logs 1', "a witness's cosignature of another text of the universe", { universeNote: (text) => noteOf(text, UNIVERSE_LOG) + W1.line('x\n') }],
  // 6
  ['heads.record', 'heads', 'another kind', { headsDraft: (one) => void (one.header = { 8: 7 }) }],
  ['heads.record', 'heads', 'its content hidden', { headsDraft: (one) => void (one.parts = (one.parts ?? []).map((part) => ({ ...part, shown: 'hidden' }))) }],
  ['heads.record', 'heads', 'its content of two', { headsDraft: (one) => void (one.parts = [{ slot: 9, content: [10, 7] }]) }],
  ['heads.record', 'heads', 'a root of 31 bytes', { headsDraft: (one) => void (one.parts = [{ slot: 9, content: [10, 7, HASH.slice(1)] }]) }],
  ['disputed', 'heads', 'a disputed map', { headsDraft: (one) => void (one.entry = { 11: 1 }) }],
  ['heads.size', 'heads', 'of more entries than are before it', { heads: (c) => ({ ...c, size: c.size + 1 }) }],
  ['heads.size', 'heads', 'of fewer', { heads: (c) => ({ ...c, size: c.size - 1 }) }],
  ['heads.behind', 'heads', 'a record behind it', { later: [() => ({ name: 'back', tenant: TENANT, thread: ORDER, header: { 8: 2, 19: 'order', 22: 'shipped', 23: 'paid' } })], records: ['begun', 'paid', 'shipped', 'back'] }],
  ['heads.root', 'heads', 'a sibling that is another', model((m) => void (m.heads && (m.heads.siblings[0] = HASH)))],
  ['heads.root', 'heads', 'a sibling too few', model((m) => void m.heads?.siblings.pop())],
  ['heads.root', 'heads', 'another root', { heads: (c) => ({ ...c, root: HASH }) }],
  ['heads.root', 'heads', 'another kind of leaf', model((m) => void (m.heads && (m.heads.kind = 2)))],
  ['heads.root', 'heads', 'another end', model((m) => void (m.heads && (m.heads.n = 1)))],
  ['heads.root', 'heads', 'under the thread key where there is a label', otherLeaf({ key: headsThread(TENANT, ORDER) })],
  ['heads.end', 'heads', 'the map ends behind the records', { more: [() => ({ name: 'back', tenant: TENANT, thread: ORDER, header: { 8: 2, 19: 'order' } })], model: (m, sealed) => void (m.heads && ((m.heads.n = 3), (m.heads.record = sealed('back').record))) }],
  ['heads.end', 'heads', 'a tombstone where nothing was erased', { ...otherLeaf({ kind: 2 }), ...model((m) => void (m.heads && (m.heads.kind = 2))) }],
  // 7
  ['law.hash', 'laws 0', 'another file', model((m) => void (m.laws = m.laws.map((law, i) => (i === 0 ? { ...law, files: law.files.slice(1) } : law))))],
  ['law.hash', 'laws 1', 'a comment more', model((m) => void (m.laws = m.laws.map((law, i) => (i === 1 ? { ...law, files: law.files.map((file, j) => (j === 0 ? { ...file, bytes: concatBytes(file.bytes, utf8('#')) } : file)) } : law))))],
  ['law.missing', 'records 2', 'the second law left out', model((m) => void (m.laws = m.laws.filter(({ hash }) => hash === LAW_1.hash)))],
  ['law.missing', 'records 0', 'no law at all', model((m) => void (m.laws = []))],
  ['law.missing', 'records 1', "the guards' law left out", header('paid', { 12: HASH })],
  // 8
  ['activation.missing', 'records 2', 'no activation', header('shipped', { 10: null, 11: null, 12: null })],
  ['activation.missing', 'records 0', 'an activation that is not there', header('begun', { 10: HASH })],
  ['activation.missing', 'records 0', 'a cited record of another kind', { drafts: (one, of) => void (one.name === 'begun' && (one.header = { ...one.header, 10: of('key') })) }],
  ['activation.missing', 'records 0', 'an activation of another stream', header('law-1', { 21: 'hos.laws' })],
  ['activation.missing', 'records 0', 'an activation in no stream', draft('law-1', (one) => ((one.stream = false), void (one.thread = handle(0xaf))))],
  ['activation.missing', 'records 0', 'an activation whose content is hidden', shown('law-1', 9, 'hidden')],
  ['activation.missing', 'records 0', 'an activation that cannot be read', content('law-1', 9, () => [LAW_1.hash])],
  ['activation.law', 'records 0', "another law than the activation's", header('begun', { 11: LAW_2.hash })],
  ['activation.law', 'records 0', "no law but the activation's", header('begun', { 11: null })],
  ['activation.law', 'records 2', 'an activation of another law', content('law-2', 9, ([, ...rest]) => [LAW_1.hash, ...rest])],
  ['activation.missing', 'records 1', 'a time that is wrong before it: every law is looked at before any time', { drafts: (one) => void (one.name === 'begun' ? (one.header = { ...one.header, 9: 1 }) : one.name === 'paid' && (one.header = { ...one.header, 10: HASH })) }],
  ['activation.stale', 'records 1', '5001 ms behind the next activation', header('paid', { 9: 1_783_000_000_000 + 8 * 1000 + 5001 })],
  ['activation.early', 'records 0', '5001 ms before its own', header('begun', { 9: 1_783_000_000_000 + 1000 - 5001 })],
  // 9
  ['directory.missing', 'records 0', 'a record that is not cited', slice('begun', ([entities]) => void (entities?.[1] && (entities[1][3] = HASH)))],
  ['directory.missing', 'records 2', 'a grant that is not cited', slice('shipped', ([, links]) => void (links?.[0] && (links[0][4] = HASH)))],
  ['directory.missing', 'records 0', 'the thread of the shop left out', model((m) => void m.cited.splice(3, 1))],
  ['directory.missing', 'records 0', 'a record of another kind', header('shop', { 8: 7 })],
  ['directory.missing', 'records 0', 'a refused record', header('shop', { 16: 2, 17: 'hos.forbidden' })],
  ['directory.other', 'records 0', 'a row of another entity', slice('begun', ([entities]) => void (entities?.[1] && (entities[1][0] = ['Pazar::Shop', 's-2'])))],
  ['directory.other', 'records 0', 'a parent twice', slice('begun', ([entities]) => void (entities?.[0] && (entities[0][2] = [ROLE, ROLE])))],
  ['directory.other', 'records 0', 'parents out of order', slice('begun', ([entities]) => void (entities?.[0] && (entities[0][2] = [ROLE, ['Pazar::Group', 'everybody']])))],
  ['directory.other', 'records 0', 'other attributes', slice('begun', ([entities]) => void (entities?.[1] && (entities[1][1] = new Map([['open', false]]))))],
  ['directory.other', 'records 0', 'an attribute more', slice('begun', ([entities]) => void (entities?.[1] && (entities[1][1] = new Map(/** @type {[string, any][]} */ ([['open', true], ['star', 5n]])))))],
  ['directory.other', 'records 0', 'a parent that the row lacks', slice('begun', ([entities]) => void entities?.[1]?.[2].push(ROLE))],
  ['directory.other', 'records 0', 'a parent that neither row has', slice('begun', ([entities]) => void entities?.[0]?.[2].push(['Pazar::Role', 'operators']))],
  ['directory.other', 'records 0', 'attributes that the universe never had', slice('begun', ([entities]) => void (entities?.[0] && (entities[0][1] = new Map([['active', true]]))))],
  ['directory.other', 'records 0', "attributes before the universe's membership", slice('begun', ([entities]) => void (entities?.[0] && ((entities[0][1] = OLD), entities[0][2].push(['Pazar::Group', 'nobody']))))],
  ['directory.other', 'records 0', 'a change that cannot be read', content('shop', 9, () => [9])],
  ['directory.other', 'records 0', 'a slice that cannot be read', content('begun', 2, () => [[]])],
  ['directory.other', 'records 0', 'a row that was never put', content('shop', 9, () => [2, ['Pazar::Shop', 's-1'], ROLE])],
  ['directory.other', 'records 0', 'a row that was removed', content('shop', 9, () => [1, ['Pazar::Shop', 's-1']])],
  ['directory.other', 'records 0', 'a membership left', content('member', 9, ([, ...rest]) => [3, ...rest])],
  ['directory.other', 'records 0', 'another template', slice('begun', ([, links]) => void (links?.[0] && (links[0][1] = 'shop-owner')))],
  ['directory.other', 'records 0', 'another principal', slice('begun', ([, links]) => void (links?.[0] && (links[0][2] = ['Pazar::Account', 'veli'])))],
  ['directory.other', 'records 0', 'no resource', slice('begun', ([, links]) => void (links?.[0] && (links[0][3] = [])))],
  ['directory.other', 'records 0', 'another id', slice('begun', ([, links]) => void (links?.[0] && (links[0][0] = 'g-2')))],
  ['directory.other', 'records 0', 'a revocation', content('grant', 9, () => [5, 'g-1'])],
  ['directory.other', 'records 0', 'an entity cited for a link', { drafts: (one, of) => void (one.name === 'begun' && (one.parts = (one.parts ?? []).map((part) => (part.slot === 2 ? ((part.content[1][0][4] = of('shop')), part) : part)))) }],
];

/**
 * The second record sealed before the first, whose hash is known beforehand from a log of the same course.
 * @param {Uint8Array} [first] the first record's hash
 * @returns {Bend}
 */
function swapped(first = firstOfSwapped()) {
  /** @type {Draft | null} */
  let begun = null;
  return {
    drafts: (one) => {
      if (one.name === 'begun' && begun === null) {
        begun = one;
        return { name: 'in its place', tenant: TENANT, thread: handle(0x61), header: { 8: 7 } };
      }
      if (one.name === 'paid') return { ...one, header: { ...one.header, 6: 1, 7: first } };
      return one.name === 'begun' ? { .../** @type {Draft} */ (begun), header: { .../** @type {Draft} */ (begun).header, 6: 0, 7: null } } : undefined;
    },
    more: [() => ({ name: 'begun', tenant: TENANT, thread: ORDER })],
    records: ['begun', 'paid'],
  };
}

function firstOfSwapped() {
  return tell(swapped(HASH)).sealed('begun').record;
}

/**
 * The order's leaf in the map is another.
 * @param {Partial<import('../src/heads.js').HeadsLeaf>} changes
 * @returns {Bend}
 */
function otherLeaf(changes) {
  return { leaf: (leaf) => (leaf.thread.join() === ORDER.join() ? { ...leaf, ...changes } : leaf) };
}
