//! The guard of PostgreSQL: it looks when the transaction commits, with the rights of who put it in.

use super::{Unknown, instance};
use crate::world::words::{as_id, name, state, text};
use crate::world::{Rows, World};
use hos_engine::store::sql::dialect::Dialect;

const D: Dialect = Dialect::Postgres;

pub(super) fn script(world: &World, guard: &str, rows: &Rows, unknown: Unknown) -> String {
    let (table, id, column) = (name(D, &rows.table), name(D, &rows.id), name(D, &rows.state));
    format!(
        "DO $hos$
DECLARE
  law TEXT;
  world TEXT;
  same TEXT;
  locked TEXT;
BEGIN
  IF row_security_active('hos_instance'::regclass) OR row_security_active({table_name}::regclass) THEN
    RAISE EXCEPTION 'hos.guard: % does not see every row of hos_instance and of %', current_user, {table_text}
      USING HINT = 'Let the script be run by who owns the tables and is under no policy of row security, or may bypass them.';
  END IF;
  -- A trigger of a table is none of the tables that inherit from it, though their rows are read as its own; one of its partitions it is.
  IF EXISTS (SELECT 1 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent
      WHERE i.inhparent = {table_name}::regclass AND c.relkind <> 'p') THEN
    RAISE EXCEPTION 'hos.guard: rows of tables that inherit from % would not be held', {table_text}
      USING HINT = 'Let the file name a table without children, or make it a partitioned one.';
  END IF;
  -- The tables are those that these names mean now, whatever path, or temporary table, a session has later.
  SELECT format('%I.%I', n.nspname, c.relname) INTO law
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = 'hos_instance'::regclass;
  SELECT format('%I.%I', n.nspname, c.relname) INTO world
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {table_name}::regclass;
  -- The equality of the id's own type, whose index serves: that of an extension (citext) is not on the function's path.
  SELECT format('OPERATOR(%I.=)', n.nspname) INTO same
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace
    JOIN pg_operator o ON o.oprname = '=' AND o.oprnamespace = n.oid AND o.oprleft = t.oid AND o.oprright = t.oid
    WHERE a.attrelid = {table_name}::regclass AND a.attname = {id_text};
  -- Who moves the instance is waited for: a row that is deleted and written anew beside it is none that both write.
  locked := CASE WHEN has_any_column_privilege('hos_instance'::regclass, 'UPDATE') THEN 'FOR SHARE' ELSE '' END;
  -- Whoever writes the row may be able neither to read the law nor to see the row when the transaction commits; and an id of
  -- times or bytes has the text by which it was adopted, not the one that a session likes.
  EXECUTE format('CREATE FUNCTION {guard}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET row_security = off
    SET DateStyle = ''ISO'' SET TimeZone = ''UTC'' SET IntervalStyle = ''postgres'' SET bytea_output = hex
    SET standard_conforming_strings = on AS %L', format($body$
{body}$body$, law, world, coalesce(same, '='), locked));
  -- Nobody asks it about rows of others by a trigger on a table of their own.
  REVOKE ALL ON FUNCTION {guard}() FROM PUBLIC;
END $hos$;
CREATE CONSTRAINT TRIGGER {guard}_insert AFTER INSERT ON {table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {guard}();
-- Not `UPDATE OF`: what a trigger of the world's own writes into a row stands in no statement's list of columns.
CREATE CONSTRAINT TRIGGER {guard}_update AFTER UPDATE ON {table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NOT ({untouched})) EXECUTE FUNCTION {guard}();
",
        body = body(world, rows, unknown),
        untouched = super::untouched(D, [&id, &column], "IS NOT DISTINCT FROM"),
        table_text = text(D, &rows.table),
        table_name = text(D, &table),
        id_text = text(D, &rows.id),
    )
}

/// What the function does, as a pattern of `format`: the law's table, the world's, the equality of ids and the lock are put in by the
/// script.
fn body(world: &World, rows: &Rows, unknown: Unknown) -> String {
    // The file's own words are no part of the pattern.
    let plain = |words: String| words.replace('%', "%%");
    let (id, column) = (name(D, &rows.id), name(D, &rows.state));
    let [row_id, new_id] = ["w", "NEW"].map(|row| as_id(D, &format!("{row}.{id}")));
    let mapped = state(D, rows, &format!("w.{column}"));
    let (unless_known, or_none) = match unknown {
        Unknown::Refused => ("", format!(" OR w.{id} IS NULL AND NEW.{id} IS NULL")),
        Unknown::Passed => ("  IF hos.lawful IS NULL THEN RETURN NULL; END IF;\n", String::new()),
    };
    format!(
        "<<hos>>
DECLARE
  lawful TEXT;
  present TEXT;
BEGIN
  SELECT state INTO hos.lawful FROM {instance} %4$s;
{unless_known}  -- As they stand at the end of the transaction, not as they stood when they were written: one id may have several.
  SELECT d.said INTO hos.present
    FROM (SELECT {mapped} AS said FROM %2$s w WHERE w.{id} %3$s NEW.{id} AND {row_id} = {new_id}{or_none}) d
    WHERE hos.lawful IS NULL OR d.said IS DISTINCT FROM hos.lawful LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'hos.guard: a row of %% is in a state that the law does not hold', {table_text}
      USING ERRCODE = 'HS001', DETAIL = format('%%s %%s: the row says %%s, the law says %%s',
        {contract_text}, NEW.{id}, coalesce(hos.present, 'nothing'), coalesce(hos.lawful, 'nothing'));
  END IF;
  RETURN NULL;
END ",
        instance = instance(D, "%1$s", world, rows, &format!("NEW.{id}")),
        mapped = plain(mapped),
        table_text = text(D, &rows.table),
        contract_text = text(D, &rows.contract),
    )
}
