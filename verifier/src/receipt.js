/**
 * Receipts: what a caller keeps of its record. Only inclusion under the checkpoint means committed.
 * @module
 */

import { HASH_BYTES } from './digest.js';
import { Fields, textOf } from './fields.js';
import { refuse } from './refusal.js';
import { isTenant } from './text.js';

const HANDLE_BYTES = 16;

/** @typedef {{ seq: bigint, entry: Uint8Array, checkpoint: string }} Seal */

/** @param {Uint8Array} bytes */
export function decodeReceipt(bytes) {
  const fields = new Fields(bytes);
  fields.versionAndSuite();
  const receipt = {
    tenant: textOf(fields.need(3), isTenant, 'tenant'),
    thread: fields.need(4).bytesOf(HANDLE_BYTES),
    n: fields.optional(5, (reader) => reader.uint()),
    record: fields.need(6).bytesOf(HASH_BYTES),
    seal: seal(fields),
  };
  fields.end();
  return receipt;
}

/**
 * All of its fields or none.
 * @param {Fields} fields
 * @returns {Seal | null}
 */
function seal(fields) {
  const seq = fields.optional(7, (reader) => reader.uint());
  if (seq !== null) return { seq, entry: fields.need(8).bytesOf(HASH_BYTES), checkpoint: fields.need(9).text() };
  if (fields.has(8) || fields.has(9)) refuse('missing_field', 'field 7');
  return null;
}
