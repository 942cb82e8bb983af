/**
 * The page: files in, a worker that judges them, what it found. Whatever is odd is told as *not verified*; a verdict is shown for
 * the files that are chosen now, and for no others.
 * @module
 */

import { BUNDLE_BYTES_MAX } from '../src/bundle.js';
import { NOTE_BYTES_MAX } from '../src/note.js';
import { POLICY_BYTES_MAX, parsePolicy } from '../src/policy.js';
import { Refusal, attempt } from '../src/refusal.js';
import { utf8 } from '../src/text.js';
import { refusedVerdict } from '../src/verdict.js';
import { plain } from '../words/plain.js';
import { byId, element } from './element.js';
import { Speech, showHeld, showLaws, showNotices, showPending, showRecord, showRefused } from './show.js';

/** How long a verdict may take. */
const PATIENCE_MS = 180_000;
/** How many records are drawn at a time. */
const RECORDS_AT_ONCE = 50;

/** Put in when the page is built. */
const WORKER = /** @type {any} */ (globalThis).HOS_WORKER_SOURCE;

const level = byId('verdict');
const storyBox = byId('story');
const bundleInput = /** @type {HTMLInputElement} */ (byId('bundle'));
const trustInput = /** @type {HTMLInputElement} */ (byId('trust'));
const trustText = /** @type {HTMLTextAreaElement} */ (byId('trust-text'));
const againstInput = /** @type {HTMLInputElement} */ (byId('against'));

/** @type {{ bundle: File | null, trust: File | string | null, against: File[] }} */
const chosen = { bundle: null, trust: null, against: [] };
let speech = new Speech(navigator.language.toLowerCase().startsWith('tr') ? 'tr' : 'en');

/**
 * @typedef {{ pending: import('./show.js').Pending }
 *   | { verdict: import('../src/verdict.js').Verdict, detail: string | null, overview: import('./show.js').Overview | null,
 *       records: import('./view.js').RecordView[] }} Found
 */

/** @type {Found} */
let found = { pending: { level: 'waiting', why: 'waitingBoth' } };
/** @type {Worker | null} */
let worker = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let patience;
/** Which choice of files is judged; what comes of an earlier one is dropped. */
let turn = 0;

/** Begins anew with what is chosen now: whatever was said before is taken back first. */
async function restart() {
  turn += 1;
  const now = turn;
  stop();
  const { bundle, trust, against } = chosen;
  if (bundle === null || trust === null) {
    const why = bundle === null ? (trust === null ? 'waitingBoth' : 'waitingBundle') : 'waitingTrust';
    return show({ pending: { level: 'waiting', why } });
  }
  show({ pending: { level: 'working', why: 'workingHint' } });
  try {
    const trustBytes = typeof trust === 'string' ? utf8(trust) : await bytesOf(trust, POLICY_BYTES_MAX);
    const notes = await Promise.all(against.map((file) => bytesOf(file, NOTE_BYTES_MAX)));
    const bundleBytes = await bytesOf(bundle, BUNDLE_BYTES_MAX);
    if (now !== turn) return;
    const policy = trustBytes === null ? new Refusal('policy.too_large', 'too many bytes') : attempt(() => parsePolicy(trustBytes));
    if (policy instanceof Refusal || trustBytes === null) return refused(policy instanceof Refusal ? policy.code : 'policy.too_large', policy instanceof Refusal ? policy.detail : '');
    if (bundleBytes === null) return refused('bundle.too_large', `more than ${BUNDLE_BYTES_MAX} bytes`);
    if (notes.includes(null)) return show({ pending: { level: 'unverified', why: 'unverifiedRead' } });
    judge(now, bundleBytes, trustBytes, /** @type {Uint8Array[]} */ (notes));
  } catch {
    if (now === turn) show({ pending: { level: 'unverified', why: 'unverifiedRead' } });
  }
}

/**
 * @param {number} now
 * @param {Uint8Array} bundle
 * @param {Uint8Array} trust
 * @param {Uint8Array[]} against
 */
function judge(now, bundle, trust, against) {
  const own = startWorker();
  worker = own;
  const fail = (/** @type {string} */ why) => {
    if (now !== turn) return;
    stop();
    show({ pending: { level: 'unverified', why } });
  };
  patience = setTimeout(() => fail('unverifiedTime'), PATIENCE_MS);
  own.addEventListener('error', () => fail('unverifiedFault'));
  own.addEventListener('messageerror', () => fail('unverifiedFault'));
  own.addEventListener('message', ({ data }) => {
    if (now !== turn) return;
    if (data.what === 'judged') {
      clearTimeout(patience);
      const { verdict, detail, overview } = data;
      if (!isVerdict(verdict) || (overview === null) !== (verdict.verdict === 'refused')) return fail('unverifiedFault');
      show({ verdict, detail, overview, records: [] });
      if (overview !== null) own.postMessage({ what: 'records', from: 0, count: RECORDS_AT_ONCE });
    } else if (data.what === 'records' && 'records' in found && data.from === found.records.length) {
      found.records.push(...data.records);
      drawRecords(data.from);
    }
  });
  own.postMessage({ what: 'judge', bundle, trust, against }, [bundle.buffer]);
}

/** @param {import('../src/verdict.js').Verdict} verdict */
function isVerdict(verdict) {
  return ['refused', 'intact', 'anchored'].includes(verdict.verdict) && (verdict.code === null) === (verdict.verdict !== 'refused');
}

/** @returns {Worker} */
function startWorker() {
  const address = URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' }));
  try {
    return new Worker(/** @type {any} */ (trusted(address)));
  } finally {
    // The worker has begun to load it; nobody else needs it.
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
}

/** @type {any} */
let policy = null;

/**
 * Where the browser asks for it: the one address from which a script is run is the one made here.
 * @param {string} address
 */
function trusted(address) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (types === undefined) return address;
  policy ??= types.createPolicy('worker', { createScriptURL: (/** @type {string} */ url) => url });
  return policy.createScriptURL(address);
}

function stop() {
  clearTimeout(patience);
  worker?.terminate();
  worker = null;
}

/**
 * @param {string} code
 * @param {string} detail
 */
function refused(code, detail) {
  show({ verdict: refusedVerdict(code, null), detail, overview: null, records: [] });
}

/**
 * @param {File} file
 * @param {number} max
 * @returns {Promise<Uint8Array | null>} null where there are more; they are not read
 */
async function bytesOf(file, max) {
  return file.size > max ? null : new Uint8Array(await file.arrayBuffer());
}

/** @param {Found} next */
function show(next) {
  found = next;
  draw();
}

function draw() {
  storyBox.replaceChildren();
  storyBox.hidden = true;
  if ('pending' in found) {
    level.dataset.level = found.pending.level;
    level.replaceChildren(...showPending(speech, found.pending));
    return;
  }
  const { verdict, detail, overview } = found;
  if (verdict.verdict === 'refused' || overview === null) {
    level.dataset.level = verdict.code?.startsWith('policy.') ? 'unverified' : 'refused';
    level.replaceChildren(...showRefused(speech, verdict, detail));
    return;
  }
  level.dataset.level = verdict.verdict;
  level.replaceChildren(...showHeld(speech, verdict, overview));
  storyBox.replaceChildren(
    ...showNotices(speech, verdict),
    element('h2', {}, speech.text('timeline')),
    element('ol', { class: 'timeline', id: 'timeline' }),
    element('button', { type: 'button', class: 'more', id: 'more', hidden: '' }, speech.text('showMore')),
    ...showLaws(speech, overview.laws),
  );
  byId('more').addEventListener('click', more);
  storyBox.hidden = false;
  drawRecords(0);
}

/** @param {number} from */
function drawRecords(from) {
  if (!('records' in found) || found.overview === null) return;
  byId('timeline').append(...found.records.slice(from).map((record) => showRecord(speech, record)));
  byId('more').hidden = found.records.length >= (found.verdict.records ?? 0) || found.records.length === 0;
}

function more() {
  if ('records' in found) worker?.postMessage({ what: 'records', from: found.records.length, count: RECORDS_AT_ONCE });
}

/** @param {string} language */
function speak(language) {
  speech = new Speech(language);
  document.documentElement.lang = language;
  document.title = `${speech.text('title')} · H-OS`;
  for (const one of document.querySelectorAll('[data-word]')) one.textContent = speech.text(/** @type {HTMLElement} */ (one).dataset.word ?? '');
  for (const one of document.querySelectorAll('[data-language]')) one.setAttribute('aria-pressed', `${/** @type {HTMLElement} */ (one).dataset.language === language}`);
  draw();
}

/**
 * @param {'bundle' | 'trust'} what
 * @param {File | string | null} file
 */
function choose(what, file) {
  const name = file === null || typeof file === 'string' ? '' : `${plain(file.name)} · ${file.size} B`;
  byId(`${what}-chosen`).textContent = name;
  document.querySelector(`[data-drop="${what}"]`)?.classList.toggle('has', file !== null);
  if (what === 'trust') chosen.trust = file;
  else chosen.bundle = /** @type {File | null} */ (file);
  restart();
}

bundleInput.addEventListener('change', () => choose('bundle', bundleInput.files?.[0] ?? null));
trustInput.addEventListener('change', () => {
  trustText.value = '';
  choose('trust', trustInput.files?.[0] ?? null);
});
trustText.addEventListener('input', () => {
  trustInput.value = '';
  choose('trust', trustText.value.trim() === '' ? null : trustText.value);
});
againstInput.addEventListener('change', () => {
  chosen.against = [...(againstInput.files ?? [])];
  byId('against-chosen').textContent = chosen.against.map(({ name }) => plain(name)).join(', ');
  restart();
});
for (const box of document.querySelectorAll('[data-drop]')) {
  const what = /** @type {'bundle' | 'trust'} */ (/** @type {HTMLElement} */ (box).dataset.drop);
  box.addEventListener('dragover', () => box.classList.add('over'));
  box.addEventListener('dragleave', () => box.classList.remove('over'));
  box.addEventListener('drop', (event) => {
    box.classList.remove('over');
    const file = /** @type {DragEvent} */ (event).dataTransfer?.files[0];
    if (file === undefined) return;
    if (what === 'trust') [trustText.value, trustInput.value] = ['', ''];
    else bundleInput.value = '';
    choose(what, file);
  });
}
// A file that misses its box must not take the page's place.
for (const name of ['dragover', 'drop']) document.addEventListener(name, (event) => event.preventDefault());
for (const one of document.querySelectorAll('[data-language]')) one.addEventListener('click', () => speak(/** @type {HTMLElement} */ (one).dataset.language ?? 'en'));
// A page that is come back to may have kept its fields and nothing else.
for (const input of [bundleInput, trustInput, againstInput]) input.value = '';
trustText.value = '';
speak(speech.language);
