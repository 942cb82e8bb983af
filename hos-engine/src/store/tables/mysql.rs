//! What MySQL's and MariaDB's catalogue says of the tables, in the words of the schema's steps.
//!
//! Each query is of one of its tables: the catalogue's columns have different collations, of which a union of them makes none.

/// Each answers: kind, name, table, text.
pub(super) const QUERIES: &[&str] = &[TABLES, COLUMNS, INDEXES, CONSTRAINTS, TRIGGERS];

/// MariaDB keeps every row that a table with versions ever had.
const TABLES: &str =
    "SELECT CASE t.table_type WHEN 'BASE TABLE' THEN 'table' ELSE LOWER(t.table_type) END AS kind, t.table_name AS name,
       t.table_name AS tab, CONCAT(CASE WHEN t.engine = 'InnoDB' THEN '' ELSE COALESCE(t.engine, '') END,
         CASE WHEN t.create_options LIKE '%partitioned%' THEN ' partitioned' ELSE '' END) AS text
     FROM information_schema.tables t WHERE t.table_schema = DATABASE() AND t.table_name LIKE 'hos!_%' ESCAPE '!'";

/// The width in which a number is shown stands in some versions' types and is none of its own. MariaDB says `NULL` of a column without
/// a default. What texts mean in `hos_migration` the database says.
const COLUMNS: &str = "SELECT 'column' AS kind, c.column_name AS name, c.table_name AS tab, CONCAT(UPPER(c.data_type),
         CASE WHEN c.data_type IN ('varchar', 'varbinary') THEN CONCAT('(', c.character_maximum_length, ')') ELSE '' END,
         CASE WHEN c.column_type LIKE '%unsigned%' THEN ' UNSIGNED' ELSE '' END,
         CASE WHEN c.collation_name IS NULL OR c.collation_name = 'ascii_bin' OR c.table_name = 'hos_migration' THEN ''
           ELSE CONCAT(' COLLATE ', c.collation_name) END,
         CASE c.is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END,
         CASE WHEN c.column_default IS NULL OR c.column_default = 'NULL' THEN '' ELSE ' DEFAULT' END,
         CASE c.extra WHEN '' THEN '' ELSE CONCAT(' ', UPPER(c.extra)) END) AS text
     FROM information_schema.columns c WHERE c.table_schema = DATABASE() AND c.table_name LIKE 'hos!_%' ESCAPE '!'";

const INDEXES: &str =
    "SELECT CASE WHEN s.kind <> 'index' THEN s.kind WHEN s.index_name = 'PRIMARY' THEN 'PRIMARY KEY'
         WHEN s.non_unique = 0 THEN 'unique index' ELSE 'index' END AS kind,
       CASE s.index_name WHEN 'PRIMARY' THEN s.columns ELSE s.index_name END AS name, s.table_name AS tab,
       CASE s.index_name WHEN 'PRIMARY' THEN '' ELSE s.columns END AS text
     FROM (SELECT index_name, table_name, MAX(non_unique) AS non_unique,
         CASE WHEN MAX(column_name IS NULL) THEN 'expression index' ELSE 'index' END AS kind,
         CONCAT('(', GROUP_CONCAT(CONCAT(COALESCE(column_name, 'expression'),
           CASE WHEN sub_part IS NULL THEN '' ELSE CONCAT('(', sub_part, ')') END) ORDER BY seq_in_index SEPARATOR ', '), ')') AS columns
       FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name LIKE 'hos!_%' ESCAPE '!'
       GROUP BY table_name, index_name) s";

const CONSTRAINTS: &str = "SELECT k.constraint_type AS kind, k.constraint_name AS name, k.table_name AS tab, '' AS text
     FROM information_schema.table_constraints k WHERE k.table_schema = DATABASE() AND k.table_name LIKE 'hos!_%' ESCAPE '!'
       AND k.constraint_type NOT IN ('PRIMARY KEY', 'UNIQUE')";

const TRIGGERS: &str =
    "SELECT 'trigger' AS kind, g.trigger_name AS name, g.event_object_table AS tab, '' AS text FROM information_schema.triggers g
     WHERE g.event_object_schema = DATABASE() AND g.event_object_table LIKE 'hos!_%' ESCAPE '!'";
