/**
 * C2SP signed notes: a text, and who signed it.
 * @module
 */

import { equalBytes } from './bytes.js';
import { holds } from './ed25519.js';
import { refuse } from './refusal.js';
import { fromBase64, fromUtf8, isKeyName, utf8 } from './text.js';

/** The longest note. */
export const NOTE_BYTES_MAX = 65_536;
/** The most signatures of a note. */
export const SIGNATURES_MAX = 16;

const KEY_ID_BYTES = 4;
const MARK = '— ';
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/**
 * @typedef {import('./key.js').VerifierKey} VerifierKey
 * @typedef {{ name: string, id: Uint8Array, signature: Uint8Array }} NoteSignature
 * @typedef {{ text: string, signatures: NoteSignature[] }} Note nobody has vouched for it yet
 */

/**
 * Takes a note apart. No signature is verified.
 * @param {Uint8Array} bytes
 * @returns {Note}
 */
export function parseNote(bytes) {
  if (bytes.length > NOTE_BYTES_MAX) refuse('too_large', `a note of ${bytes.length} bytes`);
  const whole = fromUtf8(bytes);
  if (whole === null || CONTROL.test(whole)) return refuse('malformed', 'not UTF-8, or a character below U+0020');
  // The text may have empty lines of its own: the last one ends it.
  const split = whole.lastIndexOf('\n\n');
  if (split < 0 || !whole.endsWith('\n')) refuse('malformed', 'no text, an empty line, and lines of signatures');
  const text = whole.slice(0, split + 1);
  const lines = whole.slice(split + 2).split('\n');
  lines.pop();
  if (lines.length === 0) refuse('malformed', 'no signature');
  if (lines.length > SIGNATURES_MAX) refuse('too_large', `${lines.length} signatures`);
  return { text, signatures: lines.map(parseSignature) };
}

/**
 * Refuses a note that the key's holder has not signed, or signed otherwise. Signatures of other names or ids say nothing here.
 * @param {Note} note
 * @param {VerifierKey} key
 */
export function checkSigned(note, key) {
  const own = note.signatures.filter(({ name, id }) => name === key.name && equalBytes(id, key.id));
  if (own.length === 0) refuse('unsigned', `no signature of ${key.name}`);
  const text = utf8(note.text);
  // One that does not hold makes the whole note false, whatever else it bears.
  if (!own.every(({ signature }) => holds(key.publicKey, text, signature))) refuse('signature', `a signature of ${key.name} does not hold`);
}

/**
 * @param {string} line
 * @returns {NoteSignature}
 */
function parseSignature(line) {
  if (!line.startsWith(MARK)) refuse('malformed', 'a line of a signature begins with an em dash and a space');
  const [name = '', ...encoded] = line.slice(MARK.length).split(' ');
  if (encoded.length === 0) return refuse('malformed', 'a name, a space, and a signature');
  if (!isKeyName(name)) refuse('name', `the name ${JSON.stringify(name)}`);
  // A second space is in no base64.
  const payload = fromBase64(encoded.join(' '));
  if (payload === null || payload.length <= KEY_ID_BYTES) return refuse('malformed', 'a signature is a key id and bytes in base64');
  return { name, id: payload.slice(0, KEY_ID_BYTES), signature: payload.slice(KEY_ID_BYTES) };
}
