//! The tables in the words of MySQL and MariaDB. Ids are bytes (`VARBINARY`, compared bytewise); texts that are part of keys
//! are ASCII by their own rules; texts that are shown as they are given are kept as bytes, whatever the connection's
//! character set; the places of queues are numbers that InnoDB gives without a lock until commit.

use crate::store::Migration;

/// Where it is kept which steps have run.
pub(super) const STEPS_TABLE: &str = "CREATE TABLE IF NOT EXISTS hos_migration (n BIGINT PRIMARY KEY, name VARCHAR(64) NOT NULL, `sql` LONGTEXT NOT NULL) ENGINE = InnoDB";

/// Each step, in order.
pub(super) const STEPS: &[Migration] =
    &[Migration { name: "all_doors", sql: ALL_DOORS }, Migration { name: "marks", sql: MARKS }];

const MARKS: &str = "
-- The sum of the marks of the changes that a directory's version counts, modulo 2^32 (`hos_change` has those of the others): a database that
-- was put back may come to the same version again by other changes.
ALTER TABLE hos_tenant ADD COLUMN directory_mark BIGINT NOT NULL DEFAULT 0;

-- What waits of one thread, and of one stream, is found without reading all that waits.
CREATE INDEX hos_queue_thread ON hos_queue (tenant, thread, n);
CREATE INDEX hos_inbox_stream ON hos_inbox (tenant, stream);
";

// What a store was made by is held against this text letter for letter, so its words stay as they are; of `hos_instance` they name a column
// `erased` that is none: a tombstone is a row whose id is one (`erase::tombstone_id`).
const ALL_DOORS: &str = "
-- What the store is: its id, epoch, public key. One row a fact.
CREATE TABLE hos_store (
  tenant VARCHAR(63) NOT NULL, `key` VARCHAR(64) NOT NULL, value LONGBLOB NOT NULL,
  PRIMARY KEY (tenant, `key`)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Every law ever activated, by its hash.
CREATE TABLE hos_law (
  tenant VARCHAR(63) NOT NULL, hash VARBINARY(64) NOT NULL, files LONGBLOB NOT NULL,
  PRIMARY KEY (tenant, hash)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Activations; the newest is in force.
CREATE TABLE hos_activation (
  tenant VARCHAR(63) NOT NULL, n BIGINT NOT NULL, record VARBINARY(64) NOT NULL, law VARBINARY(64) NOT NULL, candidate VARBINARY(64), modes LONGBLOB NOT NULL,
  PRIMARY KEY (tenant, n)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE hos_tenant (
  tenant VARCHAR(63) NOT NULL PRIMARY KEY, directory_version BIGINT NOT NULL, opened_at BIGINT NOT NULL, once_floor BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Named streams: their threads.
CREATE TABLE hos_stream (
  tenant VARCHAR(63) NOT NULL, name VARCHAR(128) NOT NULL, handle VARBINARY(64) NOT NULL, n BIGINT NOT NULL, last VARBINARY(64) NOT NULL,
  PRIMARY KEY (tenant, name)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Records: header and stored parts. Only ever inserted.
CREATE TABLE hos_record (
  tenant VARCHAR(63) NOT NULL, thread VARBINARY(64) NOT NULL, n BIGINT NOT NULL, header LONGBLOB NOT NULL, parts LONGBLOB NOT NULL,
  PRIMARY KEY (tenant, thread, n)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- The log: each record's place. `stream_prev` is what a stream's entry cites, `leaf` the entry's hash in the tree.
CREATE TABLE hos_entry (
  tenant VARCHAR(63) NOT NULL, seq BIGINT NOT NULL, thread VARBINARY(64) NOT NULL, n BIGINT NOT NULL, sealed_at BIGINT NOT NULL,
  stream_prev VARBINARY(64), disputed BIGINT, hash VARBINARY(64) NOT NULL, leaf VARBINARY(64) NOT NULL,
  PRIMARY KEY (tenant, seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
CREATE UNIQUE INDEX hos_entry_thread ON hos_entry (tenant, thread, n);

-- The log's end: size, last entry, the tree's right edge.
CREATE TABLE hos_head (
  tenant VARCHAR(63) NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL, size BIGINT NOT NULL, entry VARBINARY(64) NOT NULL,
  frontier LONGBLOB NOT NULL, sealed_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Complete tiles of 256 hashes (C2SP tlog-tiles).
CREATE TABLE hos_tile (
  tenant VARCHAR(63) NOT NULL, level BIGINT NOT NULL, idx BIGINT NOT NULL, hashes LONGBLOB NOT NULL,
  PRIMARY KEY (tenant, level, idx)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- The newest checkpoint; receipts carry their own.
CREATE TABLE hos_checkpoint (
  tenant VARCHAR(63) NOT NULL PRIMARY KEY, size BIGINT NOT NULL, note LONGBLOB NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Records that wait for their place in the log.
CREATE TABLE hos_queue (
  tenant VARCHAR(63) NOT NULL, pos BIGINT NOT NULL AUTO_INCREMENT, thread VARBINARY(64) NOT NULL, n BIGINT NOT NULL,
  PRIMARY KEY (tenant, pos),
  KEY hos_queue_pos (pos)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE hos_once (
  tenant VARCHAR(63) NOT NULL, `key` VARBINARY(255) NOT NULL, digest VARBINARY(64) NOT NULL, thread VARBINARY(64) NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (tenant, `key`)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Instances as they stand. `facts` is a stored part; `erased` is a tombstone.
CREATE TABLE hos_instance (
  tenant VARCHAR(63) NOT NULL, contract VARCHAR(128) NOT NULL, id VARBINARY(255) NOT NULL, handle VARBINARY(64) NOT NULL, n BIGINT NOT NULL, last VARBINARY(64) NOT NULL,
  state VARCHAR(128) NOT NULL, version BIGINT NOT NULL, entered_n BIGINT NOT NULL, entered_at BIGINT NOT NULL,
  last_time BIGINT NOT NULL, law VARBINARY(64) NOT NULL, contract_version BIGINT NOT NULL,
  facts_key VARBINARY(64) NOT NULL, facts LONGBLOB NOT NULL, deadlines LONGBLOB NOT NULL,
  PRIMARY KEY (tenant, contract, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE hos_deadline (
  tenant VARCHAR(63) NOT NULL, due BIGINT NOT NULL, contract VARCHAR(128) NOT NULL, id VARBINARY(255) NOT NULL, place BIGINT NOT NULL,
  PRIMARY KEY (tenant, due, contract, id, place)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Messages for the world. `lease`, `leased_until`, `attempts` and `acked` are the queue's own.
CREATE TABLE hos_outbox (
  tenant VARCHAR(63) NOT NULL, pos BIGINT NOT NULL AUTO_INCREMENT, thread VARBINARY(64) NOT NULL, n BIGINT NOT NULL, i BIGINT NOT NULL,
  kind VARCHAR(128) NOT NULL, body_key VARBINARY(64) NOT NULL, body LONGBLOB NOT NULL,
  lease VARBINARY(64), leased_until BIGINT NOT NULL, attempts BIGINT NOT NULL, acked BIGINT NOT NULL,
  PRIMARY KEY (tenant, pos),
  KEY hos_outbox_pos (pos)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
CREATE INDEX hos_outbox_waiting ON hos_outbox (tenant, acked, pos);

-- Accounts, roles, groups: one thread a row.
CREATE TABLE hos_directory (
  tenant VARCHAR(63) NOT NULL, type VARCHAR(255) NOT NULL, id VARBINARY(255) NOT NULL, handle VARBINARY(64) NOT NULL, n BIGINT NOT NULL, last VARBINARY(64) NOT NULL,
  removed BIGINT NOT NULL, attrs_key VARBINARY(64) NOT NULL, attrs LONGBLOB NOT NULL, parents LONGBLOB NOT NULL,
  PRIMARY KEY (tenant, type, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE hos_grant (
  tenant VARCHAR(63) NOT NULL, id VARBINARY(255) NOT NULL, handle VARBINARY(64) NOT NULL, n BIGINT NOT NULL, last VARBINARY(64) NOT NULL,
  removed BIGINT NOT NULL, template LONGBLOB NOT NULL, principal VARBINARY(1024) NOT NULL, resource VARBINARY(1024) NOT NULL,
  PRIMARY KEY (tenant, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- How many refusals were recorded for a principal in an hour: a bound, not evidence.
CREATE TABLE hos_refusal (
  tenant VARCHAR(63) NOT NULL, principal VARBINARY(64) NOT NULL, hour BIGINT NOT NULL, count BIGINT NOT NULL,
  PRIMARY KEY (tenant, principal, hour)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Where each epoch after the first begins in a log, and the checkpoint that it goes on from.
CREATE TABLE hos_epoch (
  tenant VARCHAR(63) NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, note LONGBLOB NOT NULL,
  PRIMARY KEY (tenant, epoch)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- The newest root of each tenant that the universe's log says: its size, and its record's place in that stream.
CREATE TABLE hos_root (
  tenant VARCHAR(63) NOT NULL PRIMARY KEY, size BIGINT NOT NULL, n BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Checkpoints with what witnesses signed; `witnesses` is the key of each who did, one a line.
CREATE TABLE hos_cosigned (
  tenant VARCHAR(63) NOT NULL, size BIGINT NOT NULL, note LONGBLOB NOT NULL, witnesses LONGBLOB NOT NULL,
  PRIMARY KEY (tenant, size)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Records of named streams whose place in their thread is given when they are sealed (`stream` names it), and calls in shadow
-- (`stream` is empty, `parts` is the call, `about` is the label of its instance). Written in a host's transaction under a random id; nobody waits for them.
CREATE TABLE hos_inbox (
  tenant VARCHAR(63) NOT NULL, id VARBINARY(255) NOT NULL, stream VARCHAR(128) NOT NULL, once VARBINARY(255), about VARBINARY(64), header LONGBLOB NOT NULL, parts LONGBLOB NOT NULL,
  PRIMARY KEY (tenant, id),
  KEY hos_inbox_about (tenant, about)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Changes of a directory that its version does not count yet: an entity's, or a grant's (`type` is empty). `mark` is a number by
-- chance: by their sum, who has read some of them sees at once whether those are all.
CREATE TABLE hos_change (
  tenant VARCHAR(63) NOT NULL, id VARBINARY(255) NOT NULL, mark BIGINT NOT NULL, type VARCHAR(255) NOT NULL, subject VARBINARY(255) NOT NULL,
  PRIMARY KEY (tenant, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Keys of persons, where the store lies in a database that others use too; in a store of its own they lie in a file beside it.
-- Dump it apart from the rest, and keep such a dump for a short time.
CREATE TABLE hos_vault (
  tenant VARCHAR(63) NOT NULL, subject VARBINARY(255) NOT NULL, key_id VARBINARY(64), `key` VARBINARY(64), created BIGINT NOT NULL, destroyed BIGINT,
  PRIMARY KEY (tenant, subject)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
CREATE UNIQUE INDEX hos_vault_key_id ON hos_vault (tenant, key_id);
";
