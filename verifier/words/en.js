/**
 * What a verdict says to people, in English.
 * @module
 */

/** @type {import('./index.js').Words} */
export const EN = {
  levels: { refused: 'refused', intact: 'intact', anchored: 'anchored' },
  meanings: {
    refused: 'Something does not hold. Nothing in this file may be believed.',
    intact: 'All of it holds, under a log key that your trust file names. Whoever has that key could still have written two histories.',
    anchored: 'All of it holds, and someone besides the log vouches for it: witnesses of your trust file, or a checkpoint that you kept.',
  },
  complete: 'complete',
  gapless: 'gapless',
  completeAs: { instance: 'all records of this instance, as of entry {as_of} of {origin}', thread: 'all records of this thread, as of entry {as_of} of {origin}' },
  gaplessTo: 'records 0 to {gapless}; whether more follow is not shown',
  records: { one: '{count} record', many: '{count} records' },
  at: 'at',
  parts: 'parts',
  partsAre: '{opened} opened, {hidden} hidden, {erased} erased',
  witnesses: 'witnesses',
  nobody: 'none',
  notice: 'notice',
  notices: {
    hidden_parts: 'Whoever made this file hid parts of the records. What they say is not known, but it cannot be changed either.',
    erased_parts: 'Parts are said to be erased: their keys are gone. That is the storekeeper\u2019s word.',
    claimed_time: 'Times are what the store claimed, not what a clock of yours saw.',
    weak_durability: 'Of a record it is not known that it was safely on disk before it was answered.',
    no_map: 'There is no map of heads: later records may exist and be left out.',
    later_entries: 'The log went on behind the map: what came later is not covered.',
    no_witness: 'No witness of your trust file vouches for the checkpoint.',
    directory_withheld: 'Of some persons or roles it could not be seen that they were as the records say: what it takes is withheld.',
    attested: 'A record was taken over from outside, not judged by the law.',
  },
  layers: {
    policy: 'your trust file is not one',
    bundle: 'the file is no bundle, or is not spelled as it must be',
    trust: 'your trust file does not vouch for this log',
    checkpoint: 'the checkpoint of the log does not hold',
    log: 'the checkpoint is of another log',
    key: 'the key is not listed for this size of the log',
    entry: 'an entry of the log is malformed',
    header: 'a record is malformed',
    foreign: 'a record is of another store or tenant',
    disputed: 'the store itself disputes a record',
    inclusion: 'a record is not in the log that was signed',
    part: 'a part is not what its record commits to',
    thread: 'the records do not follow one another',
    heads: 'the map says that the thread ends elsewhere',
    law: 'a law that a record names is missing, or its files are others',
    activation: 'a record was not judged under the law that was in force',
    directory: 'a person or role was not as the record says',
  },
  usage: 'usage: node verifier/cli.mjs FILE --trust POLICY [--against NOTE]... [--json] [--language en|tr]',
  wrongNote: 'no checkpoint',
  unreadable: 'cannot be read',
  fault: 'not verified: a fault of this program',
};
