/**
 * The story of one order, bundled: a universe that knows a person, a tenant with roles, a shop and a grant, two activations, three
 * records, the map of heads. Every step of its making can be bent.
 * @module
 */

import { compareBytes, fromHex } from '../src/bytes.js';
import { originOf } from '../src/checkpoint.js';
import { headsKey } from '../src/heads.js';
import { decodeHeader } from '../src/header.js';
import { headsLabel, lawHash } from '../src/digest.js';
import { decodeEntry } from '../src/entry.js';
import { COSIGNATURE_TYPE } from '../src/key.js';
import { HeadsMap } from '../src/map.js';
import { Refusal, attempt } from '../src/refusal.js';
import { utf8 } from '../src/text.js';
import { encodeFields } from './encode.js';
import { Signer, checkpointText, noteOf, seedOf } from './signer.js';
import { World, handle } from './world.js';

/** @typedef {import('./world.js').Draft} Draft */
/** @typedef {import('./world.js').Sealed} Sealed */

export const STORE = /** @type {Uint8Array} */ (fromHex('b883fcb71d90c0a6f983537e40fc5952'));
export const TENANT = 'pazar-tr';
export const ORIGIN = originOf({ store: STORE, tenant: TENANT, epoch: 0n });
export const UNIVERSE = originOf({ store: STORE, tenant: 'universe', epoch: 0n });
export const LOG = new Signer(ORIGIN, seedOf(1));
export const UNIVERSE_LOG = new Signer(UNIVERSE, seedOf(1));
export const WITNESSES = [3, 4, 5].map((byte) => new Signer(`witness.example/${byte}`, seedOf(byte), COSIGNATURE_TYPE));
const names = WITNESSES.map((_, i) => `w${i + 1}`);
const lines = WITNESSES.map(({ vkey }, i) => `witness w${i + 1} ${vkey}\n`).join('');
/** Two of three witnesses. */
export const TRUST = `log ${LOG.vkey}\n${lines}group most 2 ${names.join(' ')}\nquorum most\n`;
/** The same log and witnesses, and nobody asked. */
export const TRUST_NONE = `log ${LOG.vkey}\n${lines}quorum none\n`;

export const ORDER = handle(0x11);
const ACCOUNT = ['Pazar::Account', 'ayse'];
const ROLE = ['Pazar::Role', 'buyers'];
const FAMILY = ['Pazar::Group', 'everybody'];
const SHOP = ['Pazar::Shop', 's-1'];

/** @param {string} name */
const lawFiles = (name) => [
  { path: 'law.toml', bytes: utf8(`name = "${name}"\nnamespace = "Pazar"\n`) },
  { path: 'policies/orders.cedar', bytes: utf8('@id("buyer-orders") permit (principal, action, resource);\n') },
  { path: 'schema.cedarschema', bytes: utf8('namespace Pazar { entity Account; }\n') },
];
export const LAWS = ['pazar', 'pazar-2'].map((name) => ({ files: lawFiles(name), hash: lawHash(lawFiles(name)) }));
const [LAW_1, LAW_2] = /** @type {[typeof LAWS[0] & {}, typeof LAWS[0] & {}]} */ (LAWS);

const NO_HASH = new Uint8Array();
const MODES = /** @type {Uint8Array} */ (fromHex('83010280'));
const values = (/** @type {Record<string, any>} */ given) => new Map(Object.entries(given));
export const ACTIVE = values({ active: true, city: 'İzmir' });
export const OLD = values({ active: true, city: 'Konya' });
const SHOP_VALUES = values({ open: true });

/**
 * @typedef {(name: string) => Uint8Array} RecordOf the record hash of what was sealed before
 */

/**
 * Everything that is sealed, in its order; those that cite others are made when their turn comes.
 * @returns {((of: RecordOf) => Draft)[]}
 */
function drafts() {
  const row = (/** @type {string} */ name, /** @type {string} */ tenant, /** @type {number} */ byte, /** @type {any} */ content) => () => ({
    name, tenant, thread: handle(byte), header: { 8: 8, 16: 1, 18: ['operators'] }, parts: [{ slot: 1, content: ACCOUNT, shown: /** @type {const} */ ('hidden') }, { slot: 9, content }],
  });
  const activation = (/** @type {string} */ name, /** @type {Uint8Array} */ law) => () => ({
    name, tenant: TENANT, thread: handle(0xa1), stream: true, header: { 8: 9, 21: 'hos.law' }, parts: [{ slot: 9, content: [law, NO_HASH, MODES] }],
  });
  const slice = (/** @type {RecordOf} */ of) => [
    [
      [ACCOUNT, ACTIVE, [FAMILY, ROLE], of('member')],
      [SHOP, SHOP_VALUES, [], of('shop')],
      [['Pazar::Order', 'o-17'], values({ total: 4200 }), [], NO_HASH],
    ],
    [
      ['g-1', 'shop-viewer', ACCOUNT, SHOP, of('grant')],
      ['g-0', 'given-with-the-call', ACCOUNT, [], NO_HASH],
    ],
  ];
  return [
    row('account', 'universe', 0x71, [0, ACCOUNT, OLD]),
    row('account-family', 'universe', 0x71, [2, ACCOUNT, FAMILY]),
    row('account-moved', 'universe', 0x71, [0, ACCOUNT, ACTIVE]),
    () => ({ name: 'key', tenant: TENANT, thread: handle(0xa2), stream: true, header: { 8: 18, 21: 'hos.keys' }, parts: [{ slot: 9, content: [1, LOG.publicKey, 0] }] }),
    activation('law-1', LAW_1.hash),
    row('member', TENANT, 0x81, [2, ACCOUNT, ROLE]),
    row('shop', TENANT, 0x82, [0, SHOP, SHOP_VALUES]),
    row('grant', TENANT, 0x83, [4, 'g-1', 'shop-viewer', ACCOUNT, SHOP]),
    (of) => ({
      name: 'begun', tenant: TENANT, thread: ORDER,
      header: { 8: 1, 10: of('law-1'), 11: LAW_1.hash, 16: 1, 18: ['buyer-orders'], 19: 'order', 20: 3, 21: 'place', 23: 'new', 25: 'req-1', 28: headsLabel(TENANT, 'order', 'o-17') },
      parts: [{ slot: 1, content: ACCOUNT }, { slot: 2, content: slice(of) }, { slot: 3, content: values({ total: 4200 }) }, { slot: 6, content: 'o-17' }],
    }),
    () => ({ name: 'other', tenant: TENANT, thread: handle(0x12), header: { 8: 1, 19: 'order', 21: 'place', 23: 'new', 28: headsLabel(TENANT, 'order', 'o-18') } }),
    (of) => ({
      name: 'paid', tenant: TENANT, thread: ORDER,
      header: { 8: 2, 10: of('law-1'), 11: LAW_1.hash, 12: LAW_1.hash, 16: 1, 18: ['buyer-orders'], 19: 'order', 20: 3, 21: 'pay', 22: 'new', 23: 'paid', 24: 2 },
      parts: [{ slot: 1, content: ACCOUNT, shown: 'hidden' }, { slot: 2, content: slice(of) }, { slot: 4, content: values({ amount: 4200, note: 'a\u202eb\u0007' }) }, { slot: 8, bytes: utf8('free'), shown: 'erased' }],
    }),
    activation('law-2', LAW_2.hash),
    (of) => ({
      name: 'shipped', tenant: TENANT, thread: ORDER,
      header: { 8: 2, 10: of('law-2'), 11: LAW_2.hash, 12: LAW_1.hash, 16: 1, 18: ['buyer-orders', 'g-1'], 19: 'order', 20: 3, 21: 'ship', 22: 'paid', 23: 'shipped' },
      parts: [{ slot: 1, content: ACCOUNT }, { slot: 2, content: slice(of) }],
    }),
  ];
}

const RECORDS = ['begun', 'paid', 'shipped'];
const CITED = ['key', 'law-1', 'member', 'shop', 'grant', 'law-2'];
const CITED_UNIVERSE = ['account', 'account-family', 'account-moved'];

/**
 * @typedef {[tenant: string, epoch: number, size: number, root: Uint8Array]} RootContent what the order's log is
 */

/**
 * A record that says what a tenant's log was.
 * @param {any} content
 * @param {Partial<Draft>} [other]
 * @returns {Draft}
 */
export const rootDraft = (content, other = {}) => ({
  name: 'root', tenant: 'universe', thread: handle(0xb1), stream: true, header: { 8: 22, 21: 'hos.checkpoints' }, parts: [{ slot: 9, content }], ...other,
});

/**
 * @typedef {ReturnType<World['item']>} Item
 * @typedef {{ logs: [string, string][], thread: Uint8Array, records: Item[], heads: { item: Item, kind: number, n: number | bigint,
 *   record: Uint8Array, siblings: Uint8Array[] } | null, cited: { log: number, item: Item }[],
 *   laws: { hash: Uint8Array, files: { path: string, bytes: Uint8Array }[] }[], keys: [number, string, number, number][] }} Model
 * @typedef {{
 *   drafts?: (draft: Draft, of: RecordOf) => void | Draft,
 *   more?: ((of: RecordOf) => Draft)[],
 *   cite?: string[],
 *   records?: string[],
 *   heads?: (content: { size: number, count: number, root: Uint8Array }) => any,
 *   leaf?: (leaf: import('../src/heads.js').HeadsLeaf) => import('../src/heads.js').HeadsLeaf,
 *   headsDraft?: (draft: Draft) => void,
 *   later?: ((of: RecordOf) => Draft)[],
 *   roots?: (own: RootContent) => Draft[],
 *   size?: number,
 *   signers?: Signer[],
 *   text?: (text: string) => string,
 *   note?: (note: string) => string,
 *   universeNote?: (text: string) => string,
 *   model?: (model: Model, sealed: (name: string) => Sealed, worlds: { tenant: World, universe: World }) => void,
 *   fields?: (fields: Record<number, any>) => void,
 * }} Bend where the making is bent; each hook changes what it is given
 */

/**
 * @param {Bend} [bend]
 */
export function tell(bend = {}) {
  const worlds = { tenant: new World({ store: STORE, epoch: 0n, tenant: TENANT }), universe: new World({ store: STORE, epoch: 0n, tenant: 'universe' }) };
  /** @type {Map<string, Sealed>} */
  const sealed = new Map();
  const find = (/** @type {string} */ name) => {
    const found = sealed.get(name);
    if (found === undefined) throw new Error(`nothing called ${name}`);
    return found;
  };
  const of = (/** @type {string} */ name) => find(name).record;
  const seal = (/** @type {Draft} */ given) => {
    const draft = bend.drafts?.(given, of) ?? given;
    sealed.set(draft.name, (draft.tenant === TENANT ? worlds.tenant : worlds.universe).seal(draft));
  };
  for (const make of [...drafts(), ...(bend.more ?? [])]) seal(make(of));

  const map = new HeadsMap(leavesOf(worlds.tenant).map((leaf) => bend.leaf?.(leaf) ?? leaf));
  const content = { size: worlds.tenant.sealed.length, count: map.count, root: map.root() };
  const { size, count, root } = bend.heads?.(content) ?? content;
  const headsDraft = { name: 'heads', tenant: TENANT, thread: handle(0xa3), stream: true, header: { 8: 19, 21: 'hos.heads' }, parts: [{ slot: 9, content: [size, count, root] }] };
  bend.headsDraft?.(headsDraft);
  seal(headsDraft);
  for (const make of bend.later ?? []) seal(make(of));

  const records = bend.records ?? RECORDS;
  const signed = bend.size ?? worlds.tenant.sealed.length;
  for (const root of bend.roots?.([TENANT, 0, signed, worlds.tenant.root(Math.min(signed, worlds.tenant.sealed.length))]) ?? []) seal(root);
  const item = (/** @type {string} */ name) => {
    const found = find(name);
    return found.draft.tenant === TENANT ? worlds.tenant.item(found, signed) : worlds.universe.item(found);
  };
  const text = checkpointText(ORIGIN, signed, worlds.tenant.root(Math.min(signed, worlds.tenant.sealed.length)));
  const note = noteOf(bend.text?.(text) ?? text, ...(bend.signers ?? [LOG, .../** @type {Signer[]} */ (WITNESSES.slice(0, 2))]));
  const universeText = checkpointText(UNIVERSE, worlds.universe.sealed.length, worlds.universe.root());
  const first = find(/** @type {string} */ (records[0]));
  const last = find(/** @type {string} */ (records.at(-1)));
  const key = keyOfThread(first);
  const { siblings } = map.prove(bend.leaf?.({ key, kind: 1, thread: ORDER, n: 0n, record: key }).key ?? key);
  const cited = [...CITED, ...(bend.cite ?? [])].map(find);
  const inTenant = cited.filter(({ draft }) => draft.tenant === TENANT).sort((a, b) => a.seq - b.seq);
  const inUniverse = [...CITED_UNIVERSE.map(find), ...cited.filter(({ draft }) => draft.tenant !== TENANT)].sort((a, b) => a.seq - b.seq);
  /** @type {Model} */
  const model = {
    logs: [[TENANT, bend.note?.(note) ?? note], ['universe', bend.universeNote?.(universeText) ?? noteOf(universeText, UNIVERSE_LOG)]],
    thread: ORDER,
    records: records.map(item),
    heads: { item: item('heads'), kind: 1, n: last.n, record: last.record, siblings },
    cited: [...inTenant.map((one) => ({ log: 0, item: item(one.draft.name) })), ...inUniverse.map((one) => ({ log: 1, item: item(one.draft.name) }))],
    laws: [...LAWS].sort((a, b) => compareBytes(a.hash, b.hash)),
    keys: [[0, LOG.vkey, 0, 0], [1, UNIVERSE_LOG.vkey, 0, 0]],
  };
  bend.model?.(model, find, worlds);
  const fields = fieldsOf(model);
  bend.fields?.(fields);
  return { bytes: encodeFields(fields), note: model.logs[0]?.[1] ?? '', sealed: find, worlds, model };
}

/**
 * @param {Model} model
 * @returns {Record<number, any>}
 */
export function fieldsOf({ logs, thread, records, heads, cited, laws, keys }) {
  return {
    1: 1, 2: 1, 3: 'hos bundle', 4: logs, 5: thread, 6: records.map(arrayOf),
    7: heads && [arrayOf(heads.item), heads.kind, heads.n, heads.record, heads.siblings],
    8: cited.map(({ log, item }) => [log, arrayOf(item)]),
    9: laws.map(({ hash, files }) => [hash, files.map(({ path, bytes }) => [path, bytes])]),
    10: keys,
  };
}

/** @param {Item} item */
function arrayOf({ entry, proof, opened, withheld }) {
  return [entry, proof, opened, withheld];
}

/**
 * Where every thread of a log ends.
 * @param {World} world
 * @returns {import('../src/heads.js').HeadsLeaf[]}
 */
function leavesOf(world) {
  /** @type {Map<string, { key: Uint8Array, thread: Uint8Array }>} */
  const keys = new Map();
  /** @type {Map<string, number>} */
  const kinds = new Map();
  for (const one of world.sealed) {
    const header = attempt(() => decodeHeader(decodeEntry(one.entry).header));
    if (header instanceof Refusal) continue;
    const name = header.thread.join();
    kinds.set(name, header.kind === 17 ? 2 : 1);
    if (!keys.has(name)) keys.set(name, { key: headsKey(header), thread: header.thread });
  }
  return [...world.heads].flatMap(([name, { n, record }]) => {
    const found = keys.get(name);
    return found === undefined ? [] : [{ ...found, kind: kinds.get(name) ?? 1, n: BigInt(n), record }];
  });
}

/** @param {Sealed} first of a thread */
function keyOfThread({ entry }) {
  const header = attempt(() => decodeHeader(decodeEntry(entry).header));
  return header instanceof Refusal ? new Uint8Array(32) : headsKey(header);
}
