/**
 * An entry of a log: a record's place, given by the sealer.
 * @module
 */

import { HASH_BYTES } from './digest.js';
import { Fields, textOf, timeOf, uintOf } from './fields.js';
import { HEADER_BYTES_MAX } from './header.js';
import { refuse } from './refusal.js';
import { isTenant } from './text.js';

/** The longest entry. */
export const ENTRY_BYTES_MAX = 16_896;

const HANDLE_BYTES = 16;

/** @typedef {ReturnType<typeof decodeEntry>} Entry */

/** @param {Uint8Array} bytes */
export function decodeEntry(bytes) {
  if (bytes.length > ENTRY_BYTES_MAX) refuse('too_large', `an entry of ${bytes.length} bytes`);
  const fields = new Fields(bytes);
  fields.versionAndSuite();
  const entry = {
    store: fields.need(3).bytesOf(HANDLE_BYTES),
    epoch: fields.need(4).uint(),
    tenant: textOf(fields.need(5), isTenant, 'tenant'),
    seq: fields.need(6).uint(),
    prev: fields.need(7).bytesOf(HASH_BYTES),
    sealedAt: timeOf(fields.need(8)),
    streamN: fields.optional(9, (reader) => reader.uint()),
    streamPrev: fields.optional(10, (reader) => reader.bytesOf(HASH_BYTES)),
    disputed: fields.optional(11, (reader) => uintOf(reader, 16)),
    header: header(fields.need(12)),
  };
  fields.end();
  if ((entry.streamPrev !== null) !== (entry.streamN !== null && entry.streamN > 0n)) {
    refuse('place', "a stream's previous hash stands exactly behind a place above 0");
  }
  return entry;
}

/** @param {import('./cbor.js').Reader} reader */
function header(reader) {
  const bytes = reader.bytes();
  if (bytes.length > HEADER_BYTES_MAX) refuse('too_large', `a header of ${bytes.length} bytes`);
  return bytes;
}
