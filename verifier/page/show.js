/**
 * Draws what was found: the verdict, the notices, the records, the laws.
 * @module
 */

import { WORDS, fill, meaningOf, wordOf } from '../words/index.js';
import { plain } from '../words/plain.js';
import { element, pairs } from './element.js';
import { PAGE_WORDS } from './words.js';

const MARKS = { refused: '✕', intact: '✓', anchored: '✓✓', unverified: '?', waiting: '…', working: '…' };
const DENY = 2;
const SLICE = 2;

/**
 * @typedef {import('../src/verdict.js').Verdict} Verdict
 * @typedef {import('./view.js').RecordView} RecordView
 * @typedef {import('./view.js').Shown} Shown
 * @typedef {{ path: string[], key: string, laws: { hash: string, files: { path: Shown, size: number }[] }[] }} Overview
 * @typedef {{ level: 'waiting' | 'working' | 'unverified', why: string }} Pending no verdict; `why` names a text
 */

/** The words of one language. */
export class Speech {
  /** @param {string} language */
  constructor(language) {
    this.language = language;
    this.words = /** @type {import('../words/index.js').Words} */ (WORDS[language]);
    this.page = /** @type {import('./words.js').PageWords} */ (PAGE_WORDS[language]);
  }

  /** @param {string} name */
  text(name) {
    return this.page.texts[name] ?? name;
  }
}

/**
 * @param {Speech} speech
 * @param {Pending} pending
 * @returns {Node[]}
 */
export function showPending(speech, { level, why }) {
  return [heading(level, speech.text(level)), element('p', {}, speech.text(why))];
}

/**
 * @param {Speech} speech
 * @param {Verdict} verdict
 * @param {string | null} detail
 * @returns {Node[]}
 */
export function showRefused(speech, verdict, detail) {
  const code = verdict.code ?? '';
  const own = code.startsWith('policy.');
  return [
    heading(own ? 'unverified' : 'refused', own ? speech.text('unverified') : capital(speech, wordOf(speech.words.levels, 'refused'))),
    element('p', { class: 'code' }, plain(code)),
    element('p', {}, `${capital(speech, meaningOf(speech.words, code))}.`),
    element('p', {}, own ? speech.text('nothingRead') : wordOf(speech.words.meanings, 'refused')),
    pairs([[speech.text('where'), verdict.where], [speech.text('more'), detail === null ? null : plain(detail)]]),
  ];
}

/**
 * @param {Speech} speech
 * @param {Verdict} verdict not refused
 * @param {Overview} overview
 * @returns {Node[]}
 */
export function showHeld(speech, verdict, overview) {
  const { words } = speech;
  const { complete, gapless, origin, instance, parts } = verdict;
  const ends =
    complete === null
      ? `${capital(speech, words.gapless)}: ${fill(words.gaplessTo, { gapless })}`
      : `${capital(speech, words.complete)}: ${fill(wordOf(words.completeAs, complete.of), { as_of: complete.as_of, origin })}`;
  const name = [instance?.contract, instance?.id].filter((piece) => piece !== null && piece !== undefined).join('/');
  return [
    heading(verdict.verdict, capital(speech, wordOf(words.levels, verdict.verdict))),
    element('p', {}, wordOf(words.meanings, verdict.verdict)),
    element('p', { class: 'complete' }, plain(`${ends}.`)),
    pairs([
      [speech.text('instance'), plain(name)],
      [speech.text('records'), `${verdict.records}`],
      [speech.text('path'), overview.path.join(' → ')],
      [speech.text('parts'), fill(words.partsAre, parts ?? {})],
      [speech.text('witnesses'), plain(verdict.witnesses.join(', ')) || speech.text('nobody')],
      [speech.text('log'), plain(origin ?? '')],
      [speech.text('size'), `${verdict.size}`],
      [speech.text('signer'), element('code', {}, overview.key)],
    ]),
  ];
}

/**
 * @param {Speech} speech
 * @param {Verdict} verdict
 * @returns {Node[]}
 */
export function showNotices(speech, verdict) {
  if (verdict.notices.length === 0) return [];
  const items = verdict.notices.map((notice) => element('li', { 'data-notice': notice }, wordOf(speech.words.notices, notice)));
  return [element('h2', {}, speech.text('notices')), element('ul', { class: 'notices' }, ...items)];
}

/**
 * @param {Speech} speech
 * @param {RecordView} record
 */
export function showRecord(speech, record) {
  const { page } = speech;
  const path = record.from !== '' && record.to !== '' ? `${record.from} → ${record.to}` : record.to || record.from;
  const decided = record.decision === 0 ? null : element('span', { class: `tag ${record.decision === DENY ? 'deny' : 'allow'}` }, page.decisions[record.decision] ?? '');
  return element(
    'li',
    { 'data-n': record.n, 'data-decision': `${record.decision}` },
    element(
      'div',
      { class: 'head' },
      element('span', { class: 'n' }, record.n),
      element('strong', {}, [page.kinds[record.kind] ?? `${record.kind}`, record.event].filter((word) => word !== '').join(' · ')),
      path === '' ? null : element('span', { class: 'path' }, path),
      decided,
      element('time', { datetime: instant(record.time) }, `${speech.text('claimed')}: ${instant(record.time).replace('T', ' ').replace(/\.(\d+)Z$/, ' UTC')}`),
    ),
    pairs([[speech.text('refusal'), record.refusal], [speech.text('policies'), record.policies.join(', ')]]),
    ...record.parts.map((part) => showPart(speech, part)),
    element(
      'details',
      {},
      element('summary', {}, speech.text('more')),
      pairs([
        [speech.text('contract'), record.contract],
        [speech.text('mode'), page.modes[record.mode] ?? ''],
        [speech.text('durability'), page.durabilities[record.durability] ?? ''],
        [speech.text('request'), record.request],
        [speech.text('entry'), record.seq],
        [speech.text('lawHash'), record.law === '' ? null : element('code', {}, record.law)],
        [speech.text('recordHash'), element('code', {}, record.record)],
      ]),
    ),
  );
}

/**
 * @param {Speech} speech
 * @param {Overview['laws']} laws
 * @returns {Node[]}
 */
export function showLaws(speech, laws) {
  if (laws.length === 0) return [];
  const sections = laws.map(({ hash, files }) => {
    const items = files.map(({ path, size }) => element('li', {}, path.text, ' ', element('span', {}, `${size} ${speech.text('bytes')}`)));
    return element('section', {}, element('code', {}, hash), element('ul', {}, ...items));
  });
  return [element('h2', {}, speech.text('laws')), element('div', { class: 'laws' }, ...sections)];
}

/**
 * @param {Speech} speech
 * @param {import('./view.js').PartView} part
 */
function showPart(speech, { slot, index, shown, values, text }) {
  const { page } = speech;
  const mark = shown === 'opened' ? null : element('span', { class: `tag ${shown}` }, page.shown[shown] ?? shown);
  const title = element('h4', {}, `${page.slots[slot] ?? slot}${index === 0 ? '' : ` ${index}`}`, mark);
  const list = values.length === 0 ? null : pairs(values.map(([name, value]) => [whole(speech, name), whole(speech, value) || '·']));
  const nothing = shown === 'opened' && values.length === 0 && (text === null || text.text === '') ? speech.text('empty') : null;
  const free = text === null || text.text === '' ? null : element('pre', {}, whole(speech, text));
  const box = element('div', { class: 'part', 'data-slot': `${slot}`, 'data-shown': shown });
  // What was judged is long, and told again by every record.
  if (slot === SLICE && shown === 'opened') box.append(element('details', {}, element('summary', {}, page.slots[slot] ?? ''), list ?? '', free ?? ''));
  else box.append(...[title, list, free, nothing].filter((child) => child !== null));
  return box;
}

/**
 * @param {Speech} speech
 * @param {Shown} shown
 */
function whole(speech, { text, cut }) {
  return cut > 0 ? `${text} ${fill(speech.text('cut'), { count: cut })}` : text;
}

/**
 * @param {keyof typeof MARKS} level
 * @param {string} text
 */
function heading(level, text) {
  return element('h2', {}, element('span', { class: 'mark', 'aria-hidden': 'true' }, MARKS[level]), text);
}

/**
 * @param {Speech} speech
 * @param {string} word
 */
function capital({ language }, word) {
  return word.charAt(0).toLocaleUpperCase(language) + word.slice(1);
}

/** @param {number} time within what may be claimed, so a date has it */
function instant(time) {
  return new Date(time).toISOString();
}
