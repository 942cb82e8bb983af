//! The tables as a database has them: what stands in their place, or hangs on them and works by itself, is found, and no key is destroyed
//! while it is there. What changes nothing stays a database's administrator's own. On the database that `HOS_TEST_STORE_ON` names.

mod support;

use hos_core::refusal::Code;
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::{Level, VerifyOptions, VerifyReport};
use support::host::{Host, host, joined, world};
use support::{Store, root, uid};

/// What somebody does to the tables, how it is undone, and where it is found.
type Planted = (&'static [&'static str], &'static [&'static str], &'static str);

const POSTGRES: &[Planted] = &[
    (
        &[
            "CREATE FUNCTION keeps(key BYTEA) RETURNS BOOLEAN LANGUAGE plpgsql AS 'BEGIN RETURN true; END'",
            "ALTER TABLE hos_vault ADD CONSTRAINT keeps CHECK (keeps(key))",
        ],
        &["ALTER TABLE hos_vault DROP CONSTRAINT keeps", "DROP FUNCTION keeps(BYTEA)"],
        "CHECK keeps of hos_vault",
    ),
    (
        &["ALTER TABLE hos_vault RENAME TO base_vault", "CREATE VIEW hos_vault AS SELECT * FROM base_vault"],
        &["DROP VIEW hos_vault", "ALTER TABLE base_vault RENAME TO hos_vault"],
        "view hos_vault of hos_vault",
    ),
    (
        &[
            "CREATE TABLE attic (k BYTEA)",
            "CREATE RULE keeps AS ON UPDATE TO hos_vault DO ALSO INSERT INTO attic VALUES (OLD.key)",
        ],
        &["DROP RULE keeps ON hos_vault", "DROP TABLE attic"],
        "rule keeps of hos_vault",
    ),
    (
        &["CREATE POLICY some_rows ON hos_record USING (true)"],
        &["DROP POLICY some_rows ON hos_record"],
        "policy some_rows of hos_record",
    ),
    (
        &["ALTER TABLE hos_record ENABLE ROW LEVEL SECURITY"],
        &["ALTER TABLE hos_record DISABLE ROW LEVEL SECURITY"],
        "table hos_record of hos_record",
    ),
    (&["CREATE TABLE kid () INHERITS (hos_head)"], &["DROP TABLE kid"], "child kid of hos_head"),
    (&["CREATE UNIQUE INDEX odd ON hos_record (tenant, n, thread)"], &["DROP INDEX odd"], "unique index odd of hos_record"),
    (&["CREATE INDEX odd ON hos_vault (length(key))"], &["DROP INDEX odd"], "expression index odd of hos_vault"),
    (
        &["DROP INDEX hos_inbox_about"],
        &["CREATE INDEX hos_inbox_about ON hos_inbox (tenant, about)"],
        "index hos_inbox_about of hos_inbox",
    ),
    (
        &["ALTER TABLE hos_epoch ALTER note SET DEFAULT 'x'"],
        &["ALTER TABLE hos_epoch ALTER note DROP DEFAULT"],
        "column note of hos_epoch",
    ),
    (
        &["ALTER TABLE hos_root ADD g BIGINT GENERATED ALWAYS AS (size + 1) STORED"],
        &["ALTER TABLE hos_root DROP COLUMN g"],
        "column g of hos_root",
    ),
    (&["ALTER TABLE hos_root SET UNLOGGED"], &["ALTER TABLE hos_root SET LOGGED"], "table hos_root of hos_root"),
];

const MYSQL: &[Planted] = &[
    (
        &["CREATE TRIGGER keeps BEFORE UPDATE ON hos_vault FOR EACH ROW SET NEW.created = OLD.created"],
        &["DROP TRIGGER keeps"],
        "trigger keeps of hos_vault",
    ),
    (
        &["RENAME TABLE hos_vault TO base_vault", "CREATE VIEW hos_vault AS SELECT * FROM base_vault"],
        &["DROP VIEW hos_vault", "RENAME TABLE base_vault TO hos_vault"],
        "view hos_vault of hos_vault",
    ),
    (
        &["ALTER TABLE hos_vault ADD CONSTRAINT keeps CHECK (tenant <> '')"],
        &["ALTER TABLE hos_vault DROP CONSTRAINT keeps"],
        "CHECK keeps of hos_vault",
    ),
    (
        &["CREATE UNIQUE INDEX odd ON hos_record (tenant, n, thread)"],
        &["DROP INDEX odd ON hos_record"],
        "unique index odd of hos_record",
    ),
    (
        &["DROP INDEX hos_inbox_about ON hos_inbox"],
        &["CREATE INDEX hos_inbox_about ON hos_inbox (tenant, about)"],
        "index hos_inbox_about of hos_inbox",
    ),
    (
        &["ALTER TABLE hos_stream MODIFY name VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL"],
        &["ALTER TABLE hos_stream MODIFY name VARCHAR(128) NOT NULL"],
        "column name of hos_stream",
    ),
    (
        &["ALTER TABLE hos_root ADD g BIGINT GENERATED ALWAYS AS (size + 1) VIRTUAL"],
        &["ALTER TABLE hos_root DROP COLUMN g"],
        "column g of hos_root",
    ),
    (&["ALTER TABLE hos_root ENGINE = MyISAM"], &["ALTER TABLE hos_root ENGINE = InnoDB"], "table hos_root of hos_root"),
    (
        &["ALTER TABLE hos_vault PARTITION BY KEY (tenant) PARTITIONS 2"],
        &["ALTER TABLE hos_vault REMOVE PARTITIONING"],
        "table hos_vault of hos_vault",
    ),
];

const SQLITE: &[Planted] = &[
    (
        &["CREATE TRIGGER keeps AFTER UPDATE ON hos_vault BEGIN UPDATE hos_vault SET created = created; END"],
        &["DROP TRIGGER keeps"],
        "trigger keeps of hos_vault",
    ),
    (
        &["CREATE VIRTUAL TABLE pragma_integrity_check USING fts5(integrity_check)"],
        &["DROP TABLE pragma_integrity_check"],
        "table pragma_integrity_check of pragma_integrity_check",
    ),
];

/// What may be there.
fn harmless(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Postgres | Dialect::Mysql => {
            &["CREATE INDEX plain ON hos_record (n)", "CREATE VIEW hos_of_mine AS SELECT id FROM hos_instance"]
        }
        Dialect::Sqlite => {
            &["CREATE VIRTUAL TABLE words USING fts5(word)", "CREATE VIEW hos_of_mine AS SELECT id FROM hos_instance"]
        }
    }
}

fn planted(dialect: Dialect) -> &'static [Planted] {
    match dialect {
        Dialect::Postgres => POSTGRES,
        Dialect::Mysql => MYSQL,
        Dialect::Sqlite => SQLITE,
    }
}

fn all(host: &mut Host, statements: &[&str]) {
    for statement in statements {
        host.say(statement);
    }
}

/// By an engine that knows nothing of before.
fn verified(store: &Store) -> VerifyReport {
    let engine = store.builder().open().unwrap();
    engine.verify(&VerifyOptions::default()).unwrap()
}

#[test]
fn what_stands_in_a_tables_place_or_hangs_on_it_is_found() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let dialect = host.joined.dialect();
    store.engine.work().unwrap();
    all(&mut host, harmless(dialect));
    let intact = |when: &str| {
        let report = verified(&store);
        assert_eq!(report.level, Level::Intact, "{when}: {:#?}", report.findings);
    };
    intact("as it was");
    for (plant, undo, at) in planted(dialect) {
        all(&mut host, plant);
        let report = verified(&store);
        assert!(report.findings.iter().any(|(place, _)| place == at), "{plant:?}: {:#?}", report.findings);
        all(&mut host, undo);
        intact(at);
    }
}

#[test]
fn no_key_is_destroyed_while_something_hangs_on_a_table() {
    let Some(store) = world() else { return };
    let mut host = host(&store, &joined(&store));
    let (plant, undo, at) = planted(host.joined.dialect())[0];
    all(&mut host, plant);
    let kept = "SELECT count(*) FROM hos_vault WHERE destroyed IS NULL";
    let before = host.number(kept);
    let refused = store.engine.erase(&root(), &uid("A", "ann"), "request").unwrap_err();
    assert_eq!(refused.code, Code::StoreIntegrity, "{}", refused.message);
    assert!(refused.message.contains(at) && refused.message.contains("no key is destroyed"), "{}", refused.message);
    assert_eq!(host.number(kept), before);
    all(&mut host, undo);
    assert!(store.engine.erase(&root(), &uid("A", "ann"), "request").unwrap().allowed);
    assert_eq!(host.number(kept), before - 1);
}
