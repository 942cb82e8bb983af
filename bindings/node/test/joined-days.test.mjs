// Bad days of a host's transaction: odd ids and odd settings, tables that are gone, laws that change, locks, deadlocks.

import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { hos, place, vectors } from "./house.mjs";
import { FEWER, KINDS, world } from "./databases.mjs";

const { CallError, Engine, InternalError, RetryError, StoreError, Uid } = hos;
const ayse = new Uid("S::Account", "ayse");
const facts = { owner: ayse, price: 10 };
const dialectOf = (kind) => ({ pg: "postgres", "better-sqlite3": "sqlite" })[kind] ?? "mysql";

async function thrown(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

/** What hosts set on their connections, and what their packages make of columns. */
const ODD = {
  postgres: {
    options: { types: { getTypeParser: () => (text) => ({ odd: text }) }, options: "-c bytea_output=escape -c standard_conforming_strings=off -c quote_all_identifiers=on" },
    say: ["SET DateStyle = 'German'", "SET IntervalStyle = 'iso_8601'", "SET extra_float_digits = 0"],
    settings: "SELECT name, setting FROM pg_settings ORDER BY name",
  },
  mysql: {
    options: {
      typeCast: () => "odd", supportBigNumbers: true, bigNumberStrings: true, dateStrings: true, decimalNumbers: true, namedPlaceholders: true,
      stringifyObjects: true, flags: ["-FOUND_ROWS"], charset: "latin1_swedish_ci", timezone: "+05:00",
      queryFormat: (sql, values) => (values === undefined ? sql : sql.replace(/:(\w+)/g, (all, name) => values[name] ?? all)),
    },
    say: ["SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT,STRICT_ALL_TABLES'", "SET SESSION time_zone = '+05:00'"],
    settings: "SHOW SESSION VARIABLES WHERE Variable_name NOT REGEXP '^(timestamp|rand_seed.|pseudo_thread_id|last_gtid|gtid_|error_count|warning_count|in_transaction|identity|last_insert_id|insert_id|innodb_.*(lsn|trx).*)'",
  },
  sqlite: { options: { timeout: 1234 }, say: ["PRAGMA cache_size = 777"], settings: "SELECT * FROM pragma_busy_timeout" },
};
const IDS = ["A", "a", "a ", "a  ", "ä", "a\u0308", "ı", "I", "i", "🙂", "🙃", "'\\\"`;--", "%_", "x?y:z$1", "\u202e", "y".repeat(100)];

for (const variant of FEWER) {
  const dialect = dialectOf(variant.kind);
  test(variant.name, { skip: variant.skip }, async (t) => {
    const { host, connect, run, verified, isNow } = await world(t, variant);
    const engine = await Engine.open({ store: host.connection });
    const actor = engine.tenant("t1").as(ayse);
    const birth = (id, who = actor) => who.begin("ticket", id, "order", { facts });
    const committed = async (work, by = host) => {
      await by.begin();
      const answer = await work();
      await by.commit();
      return answer;
    };

    await t.test("ids are what they are, to the byte, whatever the host has set; and its settings stay", async () => {
      const { options, say, settings } = ODD[dialect];
      const other = await connect(options);
      if (isNow) other.connection.defaultSafeIntegers(true);
      for (const sql of say) await other.say(sql);
      const before = await other.say(settings);
      const there = engine.on(other.connection).tenant("t1").as(ayse);
      for (const id of IDS) {
        const answer = await committed(() => birth(id, there), other);
        assert.deepEqual([answer.allowed, answer.code], [true, undefined], JSON.stringify(id));
      }
      for (const id of IDS) assert.equal((await committed(() => birth(id, there), other)).code, "hos.instance_exists", JSON.stringify(id));
      const named = { args: { name: "Ayşe 🙂 '\\\" \u0000 ?" }, once: "x?y:z$1" };
      assert.equal((await committed(() => there.transition("ticket", "🙂", "name", named), other)).allowed, true);
      assert.equal((await committed(() => there.transition("ticket", "🙂", "name", named), other)).again, true);
      const shadowed = await committed(() => there.shadow("ticket", "🙂", "name", { legacy: () => "old", args: { name: "x" } }), other);
      assert.equal(shadowed, "old");
      assert.deepEqual(await other.say(settings), before);
      const nul = await committed(() => birth("a\u0000b", there), other).catch((error) => error);
      assert.ok(nul.allowed === true || nul.code === "hos.id_invalid", `${nul}`);
      if (nul.allowed) assert.equal((await committed(() => birth("a", there), other)).code, "hos.instance_exists");
      else await other.rollback().catch(() => {});
      assert.equal(verified().level, "intact");
    });

    await t.test("where the database takes no writes nothing is judged", async () => {
      const other = await connect();
      const there = engine.on(other.connection).tenant("t1").as(ayse);
      await other.say(isNow ? "PRAGMA query_only = ON" : "START TRANSACTION READ ONLY");
      if (isNow) await other.begin();
      const error = await thrown(() => birth("read-only", there));
      await other.rollback();
      assert.ok(error instanceof StoreError && error.code === "hos.store_read_only", `${error}`);
    });

    await t.test("a lock that is not given is a reason to begin again", async () => {
      const other = await connect(isNow ? { timeout: 50 } : {});
      const there = engine.on(other.connection).tenant("t1").as(ayse);
      if (dialect === "postgres") await other.say("SET lock_timeout = 100");
      if (dialect === "mysql") await other.say("SET SESSION innodb_lock_wait_timeout = 1");
      await host.begin();
      assert.equal((await birth("locked")).allowed, true);
      await other.begin();
      const error = await thrown(() => birth("locked", there));
      assert.ok(error instanceof RetryError && error.code === "hos.retry" && error.status === "retry", `${error}`);
      assert.match(String(error.cause.code ?? error.cause.errno), /^(55P03|ER_LOCK_WAIT_TIMEOUT|SQLITE_BUSY)/);
      assert.ok(error.message.includes(error.cause.code), error.message);
      await host.rollback();
      await other.rollback();
      await other.begin();
      assert.equal((await birth("locked", there)).allowed, true);
      await other.commit();
    });

    await t.test("a panic inside is never a yes, and the next call is answered", async () => {
      const { Joined } = createRequire(import.meta.url)(process.env.HOS_NODE_ADDON);
      const planted = Joined.open(JSON.stringify({ dialect, places: "question" }));
      for (const [at, said] of [["step", /^allowed/], ["call", /^internal/], ["boundary", /^internal/]]) {
        assert.match(planted.step("failpoint", undefined, JSON.stringify({ panic: at })), said);
      }
      await host.begin();
      const error = await thrown(() => birth("panic"));
      assert.ok(error instanceof InternalError && error.code === "hos.internal", `${error}`);
      assert.equal((await birth("panic")).allowed, true);
      await host.commit();
      assert.equal(verified().level, "intact");
    });

    await t.test("a law that is changed between two requests judges the next", async () => {
      const first = await committed(() => birth("law-1"));
      const law = join(place(), "law");
      cpSync(join(vectors, "law"), law, { recursive: true });
      const ticket = join(law, "contracts", "ticket.toml");
      writeFileSync(ticket, readFileSync(ticket, "utf8").replace("resource.price * 2", "resource.price * 3"));
      const given = await Engine.open(law, { store: host.connection });
      await host.begin();
      const early = await thrown(() => given.tenant("t1").as(ayse).transition("ticket", "law-1", "pay", { args: { amount: 30 } }));
      assert.ok(early instanceof hos.LawError && early.code === "hos.law_not_active", `${early}`);
      await host.rollback();
      assert.equal((await committed(() => actor.transition("ticket", "law-1", "pay", { args: { amount: 30 } }))).code, "ticket.too_much");
      run("law", "activate", law, "--tenant", "universe", "--as", "Account::ayse");
      const second = await committed(() => birth("law-2"));
      assert.deepEqual([second.allowed, second.law === first.law], [true, false]);
      const there = given.tenant("t1").as(ayse);
      assert.equal((await committed(() => there.transition("ticket", "law-2", "pay", { args: { amount: 30 } }))).allowed, true);
      assert.equal(verified().level, "intact");
    });

    await t.test("tables that are gone, or of another version, are named so", async () => {
      await committed(() => birth("gone"));
      for (const [harm, mend] of [
        ["ALTER TABLE hos_instance RENAME TO hos_elsewhere", "ALTER TABLE hos_elsewhere RENAME TO hos_instance"],
        ["ALTER TABLE hos_instance RENAME COLUMN entered_n TO entered", "ALTER TABLE hos_instance RENAME COLUMN entered TO entered_n"],
      ]) {
        await host.say(harm);
        await host.begin();
        const error = await thrown(() => actor.transition("ticket", "gone", "cancel"));
        await host.rollback();
        assert.ok(error instanceof StoreError && error.code === "hos.store_version", `${harm}: ${error}`);
        await host.say(mend);
      }
      assert.equal((await committed(() => actor.transition("ticket", "gone", "cancel"))).allowed, true);
      assert.equal(verified().level, "intact");
    });
  });
}

test("a database without a store says so", { skip: KINDS.pg.missing }, async (t) => {
  const { host } = await world(t, { kind: "pg" });
  await host.say("DROP SCHEMA public CASCADE");
  await host.say("CREATE SCHEMA public");
  const engine = await Engine.open({ store: host.connection });
  await host.begin();
  const error = await thrown(() => engine.tenant("t1").as(ayse).transition("ticket", "1", "pay"));
  assert.equal(error.code, "hos.store_version");
});

test("a client of pg that does not tell of its transaction is no worse: the database is asked", { skip: KINDS.pg.missing }, async (t) => {
  const { host, verified } = await world(t, { kind: "pg" });
  host.connection.getTransactionStatus = undefined;
  const engine = await Engine.open({ store: host.connection });
  const actor = engine.tenant("t1").as(ayse);
  const outside = await thrown(() => actor.begin("ticket", "1", "order", { facts }));
  assert.equal(outside.code, "hos.no_transaction");
  await host.begin();
  assert.equal((await actor.begin("ticket", "1", "order", { facts })).allowed, true);
  await host.commit();
  assert.equal((await engine.transaction((_, joined) => joined.tenant("t1").as(ayse).transition("ticket", "1", "cancel"))).allowed, true);
  assert.equal(verified().level, "intact");
});

test("a question within half a second of another needs no statement", async (t) => {
  for (const variant of FEWER.filter((one) => !one.skip)) {
    const { host } = await world(t, variant);
    const engine = await Engine.open({ store: host.connection, directoryAgeMaxMs: 60_000 });
    const actor = engine.tenant("t1").as(ayse);
    const hall = new Uid("S::Hall", "h1");
    assert.equal((await actor.can("hall.enter", hall)).allowed, true);
    const both = await actor.canAll(["hall.enter", "hall.leave"].map((action) => ({ action, resource: hall })));
    assert.deepEqual(both.map((one) => one.code), [undefined, "hos.action_unknown"]);
    await host.end();
    for (let turn = 0; turn < 3; turn += 1) assert.equal((await actor.can("hall.enter", hall)).allowed, true, variant.name);
    assert.equal(await actor.shadowCan("hall.enter", hall, { legacy: () => false }), false);
  }
});

test("what is no connection is no store", async () => {
  for (const store of [{}, [], new Date(), { query() {} }, { prepare() {} }]) {
    const error = await thrown(() => Engine.open({ store }));
    assert.ok(error instanceof CallError && /a connection or a pool of pg, mysql2 or better-sqlite3/.test(error.message), `${error}`);
  }
  const client = { query() {}, escapeIdentifier() {} };
  const other = await thrown(() => Engine.open({ store: client, keyFile: "x" }));
  assert.match(other.message, /no option `keyFile`/);
  const law = await thrown(() => Engine.open("/none", { store: client }));
  assert.ok(law instanceof hos.LawError || law.code.startsWith("hos."), `${law}`);
  const engine = Engine.openSync({ store: client });
  assert.throws(() => engine.on({ prepare() {}, pragma() {}, inTransaction: false }), CallError);
  const pool = Engine.openSync({ store: { connect() {}, totalCount: 0, idleCount: 0 } });
  assert.equal((await thrown(() => pool.tenant("t1").as(ayse).transition("ticket", "1", "pay"))).code, "hos.no_transaction");
});
