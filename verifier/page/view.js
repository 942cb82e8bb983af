/**
 * What holds, as plain data for showing: nothing of it is a verdict, all of it is text.
 * @module
 */

import { toHex } from '../src/bytes.js';
import { changeOf, legacyRowOf, principalOf, sliceOf, textOfPart, valuesOf } from '../src/contents.js';
import { decodeItem } from '../src/item.js';
import { LEGACY } from '../src/legacy.js';
import { Refusal, attempt } from '../src/refusal.js';
import { fromUtf8 } from '../src/text.js';
import { placeOf } from '../src/threads.js';
import { pathOf } from '../words/index.js';
import { plain } from '../words/plain.js';

/** How many characters of one value are shown. */
const SHOWN_MAX = 1200;
/** How many bytes of a part are read for showing, and how many names of one. */
const READ_MAX = 65_536;
const NAMES_MAX = 100;

/**
 * @typedef {import('../src/proved.js').Proved} Proved
 * @typedef {import('../src/verdict.js').Story} Story
 * @typedef {{ text: string, cut: number }} Shown `cut`: how many characters more there were
 * @typedef {{ slot: number, index: number, shown: 'opened' | 'hidden' | 'erased', values: [Shown, Shown][], text: Shown | null }} PartView
 * @typedef {{ n: string, seq: string, kind: number, time: number, event: string, from: string, to: string, decision: number,
 *   refusal: string, policies: string[], mode: number, durability: number, contract: string, request: string, law: string,
 *   record: string, parts: PartView[] }} RecordView
 */

/**
 * @param {Story} story
 */
export function overview({ records, laws, belief }) {
  return {
    path: pathOf(records).slice(0, 50).map(plain),
    key: toHex(belief.key.publicKey),
    laws: laws.map(({ hash, files }) => ({ hash: toHex(hash), files: files.slice(0, 512).map(({ path, bytes }) => ({ path: shorten(path), size: bytes.length })) })),
  };
}

/**
 * @param {Proved} proved
 * @returns {RecordView}
 */
export function recordView({ header, entry, record, opened, withheld }) {
  const parts = [
    ...opened.map((part) => ({ slot: part.slot, index: part.index, shown: /** @type {const} */ ('opened'), ...contentView(header.kind, part) })),
    ...withheld.map(({ slot, index, erased }) => ({ slot, index, shown: erased ? /** @type {const} */ ('erased') : /** @type {const} */ ('hidden'), values: [], text: null })),
  ];
  return {
    n: `${placeOf(header, entry).n}`,
    seq: `${entry.seq}`,
    kind: header.kind,
    time: header.time,
    event: header.event ?? '',
    from: header.from ?? '',
    to: header.to ?? '',
    decision: header.decision,
    refusal: header.refusal ?? '',
    policies: header.policies.map(plain),
    mode: header.mode,
    durability: header.durability,
    contract: header.contract === null ? '' : `${header.contract}${header.contractVersion === null ? '' : ` ${header.contractVersion}`}`,
    request: header.request ?? '',
    law: header.law === null ? '' : toHex(header.law),
    record: toHex(record),
    parts: parts.sort((a, b) => a.slot - b.slot || a.index - b.index),
  };
}

/**
 * A part's content by its slot; what cannot be read so is shown as it is.
 * @param {number} kind
 * @param {{ slot: number, plaintext: Uint8Array }} part
 * @returns {{ values: [Shown, Shown][], text: Shown | null }}
 */
function contentView(kind, { slot, plaintext }) {
  if (plaintext.length > READ_MAX) return { values: [], text: { text: raw(plaintext.subarray(0, SHOWN_MAX)).slice(0, SHOWN_MAX), cut: plaintext.length - SHOWN_MAX } };
  const view = attempt(() => {
    if (slot === 1) return text(entityText(principalOf(plaintext)));
    if (slot === 2) return named(sliceView(plaintext));
    if (slot === 3 || slot === 4 || slot === 5) return named([...valuesOf(plaintext)].map(([name, value]) => [name, valueText(value)]));
    if (slot === 6 || slot === 12) return text(textOfPart(plaintext));
    if (slot === 8 && kind === LEGACY) return named([...legacyRowOf(plaintext)].map(([name, value]) => [name, valueText(value)]));
    if (slot === 8) return text(raw(plaintext));
    if (slot === 9 && kind === 8) return named(changeView(plaintext));
    return text(itemText(decodeItem(plaintext)));
  });
  return view instanceof Refusal ? text(raw(plaintext)) : view;
}

/** @param {Uint8Array} plaintext @returns {[string, string][]} */
function sliceView(plaintext) {
  const { entities, links } = sliceOf(plaintext);
  return [
    ...entities.map(({ entity, attributes, parents }) => {
      const members = parents.length === 0 ? '' : ` ∈ ${parents.map(entityText).join(', ')}`;
      return /** @type {[string, string]} */ ([entityText(entity), `${valueText(attributes)}${members}`]);
    }),
    ...links.map((link) => /** @type {[string, string]} */ ([link.id, grantText(link)])),
  ];
}

/** @param {Uint8Array} plaintext @returns {[string, string][]} */
function changeView(plaintext) {
  const change = changeOf(plaintext);
  if (change.op === 'grant') return [[`grant ${change.id}`, grantText(change)]];
  if (change.op === 'revoke') return [['revoke', change.id]];
  const more = change.op === 'put' ? valueText(change.attributes) : change.op === 'remove' ? '' : entityText(change.parent);
  return [[`${change.op} ${entityText(change.entity)}`, more]];
}

/** @param {import('../src/contents.js').Grant} grant */
function grantText({ template, principal, resource }) {
  const ends = [principal, resource].map((entity) => (entity === null ? '·' : entityText(entity)));
  return `${template}: ${ends.join(' → ')}`;
}

/** @param {import('../src/value.js').Entity} entity */
function entityText({ entity: [type, id] }) {
  return `${type}::${JSON.stringify(id)}`;
}

/**
 * @param {import('../src/value.js').Value} value
 * @returns {string}
 */
function valueText(value) {
  if (value instanceof Map) return `{ ${[...value].map(([name, member]) => `${name}: ${valueText(member)}`).join(', ')} }`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if ('entity' in value) return entityText(value);
  if ('ext' in value) return `${value.ext[0]}(${JSON.stringify(value.ext[1])})`;
  return `[${value.set.map(valueText).join(', ')}]`;
}

/**
 * @param {import('../src/item.js').Item} item
 * @returns {string}
 */
function itemText(item) {
  if (item instanceof Uint8Array) return item.length === 0 ? '·' : toHex(item.subarray(0, SHOWN_MAX));
  if (Array.isArray(item)) return `[${item.map(itemText).join(', ')}]`;
  if (item instanceof Map) return `{ ${[...item].map(([key, value]) => `${itemText(key)}: ${itemText(value)}`).join(', ')} }`;
  return typeof item === 'string' ? JSON.stringify(item) : String(item);
}

/**
 * Bytes as text where they are one, else in hexadecimal.
 * @param {Uint8Array} bytes
 */
function raw(bytes) {
  const read = fromUtf8(bytes);
  return read === null || read.includes('\u0000') ? toHex(bytes) : read;
}

/** @param {[string, string][]} pairs */
function named(pairs) {
  /** @type {[Shown, Shown][]} */
  const values = pairs.slice(0, NAMES_MAX).map(([name, value]) => [shorten(name), shorten(value)]);
  return { values, text: pairs.length > NAMES_MAX ? { text: '…', cut: 0 } : null };
}

/** @param {string} whole */
function text(whole) {
  return { values: /** @type {[Shown, Shown][]} */ ([]), text: shorten(whole) };
}

/**
 * @param {string} whole
 * @returns {Shown}
 */
function shorten(whole) {
  return { text: plain(whole.slice(0, SHOWN_MAX)), cut: Math.max(0, whole.length - SHOWN_MAX) };
}
