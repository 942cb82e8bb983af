/**
 * Where the tests find their vectors, and how they read them.
 * @module
 */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromHex } from '../src/bytes.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SHARED = process.env.HOS_SHARED_DATA ?? path.join(ROOT, '..', 'shared', 'data');

/**
 * The project's own vectors of one room, by what they are about; none where there is no such room yet.
 * @param {'record' | 'chain' | 'heads' | 'trust' | 'bundle'} room
 * @returns {{ file: string, what: string, given: any }[]}
 */
export function ownVectors(room) {
  const directory = path.join(ROOT, 'testdata', 'vectors', room);
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory).filter((name) => name.endsWith('.json'));
  return files.sort().map((name) => {
    const given = readJson(path.join(directory, name));
    return { file: `${room}/${name}`, what: given.what, given };
  });
}

/**
 * A file or folder of the vectors that nobody in this project wrote.
 * @param {...string} names
 * @returns {{ path: string, skip: string | false }} to be handed to a test as its options
 */
export function sharedVectors(...names) {
  const found = path.join(SHARED, 'vectors', ...names);
  return { path: found, skip: existsSync(found) ? false : `${names.join('/')} is not there: set HOS_SHARED_DATA` };
}

/**
 * JSON whose integers may take 64 bits: those beyond a number's exactness become bigints.
 * @param {string} file
 */
export function readJson(file) {
  const text = readFileSync(file, 'utf8');
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}/g, (token) => (token.startsWith('"') ? token : `{"$int":"${token}"}`));
  return JSON.parse(marked, (_, value) => (typeof value?.$int === 'string' ? BigInt(value.$int) : value));
}

/**
 * @param {string} text
 * @returns {Uint8Array}
 */
export function bytesOf(text) {
  const bytes = fromHex(text);
  if (bytes === null) throw new Error(`no hexadecimal: ${text}`);
  return bytes;
}

/**
 * @param {string} text
 * @returns {Uint8Array}
 */
export function base64Of(text) {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/**
 * Every file below a folder.
 * @param {string} folder
 * @returns {string[]}
 */
export function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}
