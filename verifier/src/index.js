/**
 * The public interface. Bytes in, values or a `Refusal` out: no clock, no chance, no files, no network.
 * @module
 */

export { compareBytes, concatBytes, equalBytes, fromHex, toHex } from './bytes.js';
export { BUNDLE_BYTES_MAX, decodeBundle } from './bundle.js';
export { openCheckpoint, originOf, parseCheckpoint } from './checkpoint.js';
export { Reader } from './cbor.js';
export { activationOf, changeOf, headsOf, keyChangeOf, principalOf, sliceOf, textOfPart, valuesOf } from './contents.js';
export { commitment, emptyRoot, entryHash, genesisHash, headsLabel, headsThread, lawHash, leafHash, nodeHash, recordHash } from './digest.js';
export { holds, isPublicKey } from './ed25519.js';
export { decodeEntry } from './entry.js';
export { decodeHeader } from './header.js';
export { checkAbsence, checkPresence, headsKey } from './heads.js';
export { decodeItem } from './item.js';
export { keyText, parseVerifierKey } from './key.js';
export { LogVerifier } from './log.js';
export { HeadsMap } from './map.js';
export { checkSigned, parseNote } from './note.js';
export { checkOpening, checkParts } from './parts.js';
export { POLICY_BYTES_MAX, parsePolicy } from './policy.js';
export { checkConsistency, checkInclusion } from './proof.js';
export { decodeReceipt } from './receipt.js';
export { Refusal, attempt } from './refusal.js';
export { Threads, placeOf } from './threads.js';
export { Tree } from './tree.js';
export { believe } from './trust.js';
export { decodeValue } from './value.js';
export { judgeBundle, refusedVerdict, verdictJson } from './verdict.js';
