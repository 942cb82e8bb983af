//! The tables in SQLite's words.

use crate::store::Migration;

/// Each step, in order.
pub(super) const STEPS: &[Migration] = &[
    Migration { name: "three_doors", sql: THREE_DOORS },
    Migration { name: "epochs", sql: EPOCHS },
    Migration { name: "witnesses", sql: WITNESSES },
    Migration { name: "joined", sql: JOINED },
    Migration { name: "marks", sql: MARKS },
];

const MARKS: &str = "
-- The sum of the marks of the changes that a directory's version counts, modulo 2^32 (`hos_change` has those of the others): a database that
-- was put back may come to the same version again by other changes.
ALTER TABLE hos_tenant ADD COLUMN directory_mark INTEGER NOT NULL DEFAULT 0;

-- What waits of one thread, and of one stream, is found without reading all that waits.
CREATE INDEX hos_queue_thread ON hos_queue (tenant, thread, n);
CREATE INDEX hos_inbox_stream ON hos_inbox (tenant, stream);
";

const JOINED: &str = "
-- Records of named streams whose place in their thread is given when they are sealed (`stream` names it), and calls in shadow
-- (`stream` is empty, `parts` is the call, `about` is the label of its instance). Written in a host's transaction under a random id; nobody waits for them.
CREATE TABLE hos_inbox (
  tenant TEXT NOT NULL, id BLOB NOT NULL, stream TEXT NOT NULL, once BLOB, about BLOB, header BLOB NOT NULL, parts BLOB NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX hos_inbox_about ON hos_inbox (tenant, about);

-- Changes of a directory that its version does not count yet: an entity's, or a grant's (`type` is empty). `mark` is a number by
-- chance: by their sum, who has read some of them sees at once whether those are all.
CREATE TABLE hos_change (
  tenant TEXT NOT NULL, id BLOB NOT NULL, mark INTEGER NOT NULL, type TEXT NOT NULL, subject BLOB NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- Keys of persons, where the store lies in a database that others use too; in a store of its own they lie in a file beside it.
-- Dump it apart from the rest, and keep such a dump for a short time.
CREATE TABLE hos_vault (
  tenant TEXT NOT NULL, subject BLOB NOT NULL, key_id BLOB, key BLOB, created INTEGER NOT NULL, destroyed INTEGER,
  PRIMARY KEY (tenant, subject)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX hos_vault_key_id ON hos_vault (tenant, key_id);
";

const WITNESSES: &str = "
-- The newest root of each tenant that the universe's log says: its size, and its record's place in that stream.
CREATE TABLE hos_root (
  tenant TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Checkpoints with what witnesses signed; `witnesses` is the key of each who did, one a line.
CREATE TABLE hos_cosigned (
  tenant TEXT NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL, witnesses TEXT NOT NULL,
  PRIMARY KEY (tenant, size)
) STRICT, WITHOUT ROWID;
";

const EPOCHS: &str = "
-- Where each epoch after the first begins in a log, and the checkpoint that it goes on from.
CREATE TABLE hos_epoch (
  tenant TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, note TEXT NOT NULL,
  PRIMARY KEY (tenant, epoch)
) STRICT, WITHOUT ROWID;
";

// What a store was made by is held against this text letter for letter, so its words stay as they are; of `hos_instance` they name a column
// `erased` that is none: a tombstone is a row whose id is one (`erase::tombstone_id`).
const THREE_DOORS: &str = "
-- What the store is: its id, epoch, public key. One row a fact.
CREATE TABLE hos_store (
  tenant TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

-- Every law ever activated, by its hash.
CREATE TABLE hos_law (
  tenant TEXT NOT NULL, hash BLOB NOT NULL, files BLOB NOT NULL,
  PRIMARY KEY (tenant, hash)
) STRICT, WITHOUT ROWID;

-- Activations; the newest is in force.
CREATE TABLE hos_activation (
  tenant TEXT NOT NULL, n INTEGER NOT NULL, record BLOB NOT NULL, law BLOB NOT NULL, candidate BLOB, modes BLOB NOT NULL,
  PRIMARY KEY (tenant, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE hos_tenant (
  tenant TEXT NOT NULL PRIMARY KEY, directory_version INTEGER NOT NULL, opened_at INTEGER NOT NULL, once_floor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Named streams: their threads.
CREATE TABLE hos_stream (
  tenant TEXT NOT NULL, name TEXT NOT NULL, handle BLOB NOT NULL, n INTEGER NOT NULL, last BLOB NOT NULL,
  PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

-- Records: header and stored parts. Only ever inserted.
CREATE TABLE hos_record (
  tenant TEXT NOT NULL, thread BLOB NOT NULL, n INTEGER NOT NULL, header BLOB NOT NULL, parts BLOB NOT NULL,
  PRIMARY KEY (tenant, thread, n)
) STRICT;

-- The log: each record's place. `stream_prev` is what a stream's entry cites, `leaf` the entry's hash in the tree.
CREATE TABLE hos_entry (
  tenant TEXT NOT NULL, seq INTEGER NOT NULL, thread BLOB NOT NULL, n INTEGER NOT NULL, sealed_at INTEGER NOT NULL,
  stream_prev BLOB, disputed INTEGER, hash BLOB NOT NULL, leaf BLOB NOT NULL,
  PRIMARY KEY (tenant, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX hos_entry_thread ON hos_entry (tenant, thread, n);

-- The log's end: size, last entry, the tree's right edge.
CREATE TABLE hos_head (
  tenant TEXT NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, size INTEGER NOT NULL, entry BLOB NOT NULL,
  frontier BLOB NOT NULL, sealed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Complete tiles of 256 hashes (C2SP tlog-tiles).
CREATE TABLE hos_tile (
  tenant TEXT NOT NULL, level INTEGER NOT NULL, idx INTEGER NOT NULL, hashes BLOB NOT NULL,
  PRIMARY KEY (tenant, level, idx)
) STRICT, WITHOUT ROWID;

-- The newest checkpoint; receipts carry their own.
CREATE TABLE hos_checkpoint (
  tenant TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Records that wait for their place in the log.
CREATE TABLE hos_queue (
  tenant TEXT NOT NULL, pos INTEGER NOT NULL, thread BLOB NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (tenant, pos)
) STRICT, WITHOUT ROWID;

CREATE TABLE hos_once (
  tenant TEXT NOT NULL, key BLOB NOT NULL, digest BLOB NOT NULL, thread BLOB NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

-- Instances as they stand. `facts` is a stored part; `erased` is a tombstone.
CREATE TABLE hos_instance (
  tenant TEXT NOT NULL, contract TEXT NOT NULL, id BLOB NOT NULL, handle BLOB NOT NULL, n INTEGER NOT NULL, last BLOB NOT NULL,
  state TEXT NOT NULL, version INTEGER NOT NULL, entered_n INTEGER NOT NULL, entered_at INTEGER NOT NULL,
  last_time INTEGER NOT NULL, law BLOB NOT NULL, contract_version INTEGER NOT NULL,
  facts_key BLOB NOT NULL, facts BLOB NOT NULL, deadlines BLOB NOT NULL,
  PRIMARY KEY (tenant, contract, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE hos_deadline (
  tenant TEXT NOT NULL, due INTEGER NOT NULL, contract TEXT NOT NULL, id BLOB NOT NULL, place INTEGER NOT NULL,
  PRIMARY KEY (tenant, due, contract, id, place)
) STRICT, WITHOUT ROWID;

-- Messages for the world. `lease`, `leased_until`, `attempts` and `acked` are the queue's own.
CREATE TABLE hos_outbox (
  tenant TEXT NOT NULL, pos INTEGER NOT NULL, thread BLOB NOT NULL, n INTEGER NOT NULL, i INTEGER NOT NULL,
  kind TEXT NOT NULL, body_key BLOB NOT NULL, body BLOB NOT NULL,
  lease BLOB, leased_until INTEGER NOT NULL, attempts INTEGER NOT NULL, acked INTEGER NOT NULL,
  PRIMARY KEY (tenant, pos)
) STRICT, WITHOUT ROWID;
CREATE INDEX hos_outbox_waiting ON hos_outbox (tenant, pos) WHERE acked = 0;

-- Accounts, roles, groups: one thread a row.
CREATE TABLE hos_directory (
  tenant TEXT NOT NULL, type TEXT NOT NULL, id BLOB NOT NULL, handle BLOB NOT NULL, n INTEGER NOT NULL, last BLOB NOT NULL,
  removed INTEGER NOT NULL, attrs_key BLOB NOT NULL, attrs BLOB NOT NULL, parents BLOB NOT NULL,
  PRIMARY KEY (tenant, type, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE hos_grant (
  tenant TEXT NOT NULL, id BLOB NOT NULL, handle BLOB NOT NULL, n INTEGER NOT NULL, last BLOB NOT NULL,
  removed INTEGER NOT NULL, template TEXT NOT NULL, principal BLOB NOT NULL, resource BLOB NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- How many refusals were recorded for a principal in an hour: a bound, not evidence.
CREATE TABLE hos_refusal (
  tenant TEXT NOT NULL, principal BLOB NOT NULL, hour INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (tenant, principal, hour)
) STRICT, WITHOUT ROWID;
";
