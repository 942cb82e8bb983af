// Several statements as one text: how often something is said to the database, and what comes of one that takes no texts.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { hos, vectors } from "./house.mjs";
import { FEWER, world } from "./databases.mjs";

const { Answer, Engine, Uid } = hos;
const ayse = new Uid("S::Account", "ayse");
const facts = { owner: ayse, price: 10 };
const SETTINGS = {
  pg: "SELECT current_setting('lock_timeout') AS a",
  mysql2: "SELECT @@SESSION.lock_wait_timeout AS a, @@SESSION.innodb_lock_wait_timeout AS b",
};

/** What is said over a connection while work is done; what `fails` gives is what the database says in place of its own answer. */
async function heard(connection, work, fails = () => undefined) {
  // Behind a connection of `mysql2/promise` there is one with callbacks.
  const core = "beginTransaction" in connection ? (connection.connection ?? connection) : connection;
  const { query } = core;
  const told = [];
  core.query = function (asked, ...more) {
    const sql = typeof asked === "string" ? asked : (asked.text ?? asked.sql);
    told.push(sql);
    const fault = fails(sql);
    if (fault === undefined) return query.call(this, asked, ...more);
    const done = more.at(-1);
    return typeof done === "function" ? void setImmediate(done, fault) : Promise.reject(fault);
  };
  try {
    await work();
  } finally {
    core.query = query;
  }
  return told;
}

const fault = (message, more) => Object.assign(new Error(message), more);
/** As MySQL, which knows no compound statement. */
const noTexts = (sql) => (/^(BEGIN NOT|SET STATEMENT)/.test(sql) ? fault("You have an error in your SQL syntax", { errno: 1064, code: "ER_PARSE_ERROR" }) : undefined);

for (const variant of FEWER.filter(({ kind }) => kind !== "better-sqlite3")) {
  test(variant.name, { skip: variant.skip }, async (t) => {
    const { host, connect, run, verified } = await world(t, variant);
    run("law", "activate", join(vectors, "law"), "--mode", "lamp=shadow", "--tenant", "universe", "--as", "Account::ayse");
    const isPg = variant.kind === "pg";
    const settings = () => host.say(SETTINGS[isPg ? "pg" : "mysql2"]);
    const waiting = () => host.one("SELECT count(*) FROM hos_inbox");
    let number = 0;
    const fresh = () => `i-${(number += 1)}`;
    /** Work in a transaction of the host's, whose settings are as before, and which goes on; gives what was said for us. */
    const within = async (work, fails) => {
      const id = fresh();
      await host.begin();
      await host.say(`INSERT INTO tickets VALUES ('${id}', 'x')`);
      const before = await settings();
      const told = await heard(host.connection, work, fails);
      assert.deepEqual(await settings(), before);
      await host.say(`UPDATE tickets SET status = 'y' WHERE id = '${id}'`);
      await host.commit();
      assert.equal(await host.one(`SELECT count(*) FROM tickets WHERE id = '${id}' AND status = 'y'`), 1);
      return told;
    };
    const moves = (actor, id = fresh()) => ({
      async birth() {
        const answer = await actor.begin("ticket", id, "order", { facts, once: `%s?%d-${id}` });
        assert.deepEqual([answer.allowed, answer.to], [true, "new"]);
      },
      async pay() {
        const answer = await actor.transition("ticket", id, "pay", { args: { amount: 10 }, once: `:pay ? ${id}` });
        assert.deepEqual([answer.allowed, answer.to], [true, "paid"]);
      },
    });
    /** A call in shadow; gives what was seen of the law. */
    const shadow = async (actor) => {
      const seen = [];
      const given = await actor.shadowBegin("lamp", fresh(), "make", { legacy: () => "lit", seen: (law) => seen.push(law) });
      assert.equal(given, "lit");
      return seen[0];
    };
    const opened = async () => (await Engine.open({ store: host.connection })).tenant("t1").as(ayse);
    const actor = await opened();

    await t.test("a move is two exchanges, and so is a call in shadow", async () => {
      await within(moves(actor).birth);
      const { birth, pay } = moves(actor);
      for (const work of [birth, pay]) assert.equal((await within(work)).length, 2);
      const births = Array.from({ length: 16 }, () => ({ operation: "begin", contract: "ticket", id: fresh(), event: "order", facts }));
      const all = async () => assert.deepEqual((await actor.all(births)).map((one) => one.allowed), Array(16).fill(true));
      assert.equal((await within(all)).length, 2, "and so are several calls as one");
      const before = await waiting();
      for (const many of [1, 2]) {
        const told = await within(async () => {
          const law = await shadow(actor);
          assert.ok(law instanceof Answer && law.allowed && law.mode === "shadow", `${law}`);
        });
        assert.equal(told.length, 2, told.join("\n---\n"));
        assert.equal(await waiting(), before + many);
      }
      assert.equal(verified().level, "intact");
    });

    await t.test("a database that takes no texts is asked for none but once", { skip: isPg }, async () => {
      const cold = await opened();
      for (const tries of [1, 0]) {
        const { birth, pay } = moves(cold);
        const told = await within(() => birth().then(pay), noTexts);
        assert.equal(told.filter(noTexts).length, tries);
      }
      const other = await opened();
      await within(moves(other).birth);
      for (const tries of [1, 0]) {
        const told = await within(async () => assert.ok((await shadow(other)) instanceof Answer), noTexts);
        assert.equal(told.filter(noTexts).length, tries);
      }
      assert.equal(verified().level, "intact");
    });

    await t.test("a text that fails in shadow leaves the host's transaction as it was", async () => {
      const before = await waiting();
      const planted = (sql) => (sql.includes("INSERT INTO hos_inbox") ? fault("planted") : undefined);
      let law;
      await within(async () => {
        law = await shadow(actor);
      }, planted);
      assert.deepEqual([law.code, await waiting()], ["hos.store_unavailable", before]);
      // It fails in the database itself, behind its savepoint, and another call comes behind it.
      await host.say("ALTER TABLE hos_inbox RENAME TO hos_elsewhere");
      await within(async () => {
        law = await shadow(actor);
        assert.equal(law.code, "hos.store_version");
        law = await shadow(actor);
      });
      assert.equal(law.code, "hos.store_version");
      await host.say("ALTER TABLE hos_elsewhere RENAME TO hos_inbox");
      await within(async () => assert.ok((await shadow(actor)) instanceof Answer));
      assert.equal(await waiting(), before + 1);
    });

    await t.test("no savepoint of ours is left", async () => {
      await host.begin();
      await host.say(`INSERT INTO tickets VALUES ('${fresh()}', 'x')`);
      assert.ok((await shadow(actor)) instanceof Answer);
      await assert.rejects(host.say("RELEASE SAVEPOINT hos_in_shadow"), /savepoint/i);
      await host.rollback();
    });

    await t.test("outside a transaction a text changes nothing", async () => {
      const other = await connect();
      const there = (await Engine.open({ store: host.connection })).on(other.connection).tenant("t1").as(ayse);
      // What is known of the law is known to it.
      await within(moves(actor).birth);
      const before = await waiting();
      const id = fresh();
      for (const asked of [actor, there]) {
        await assert.rejects(asked.begin("ticket", id, "order", { facts, once: id }), { code: "hos.no_transaction" });
        assert.equal((await shadow(asked)).code, "hos.no_transaction");
      }
      assert.equal(await host.one(`SELECT count(*) FROM hos_once`), Number(await other.one("SELECT count(*) FROM hos_once WHERE n >= 0")));
      assert.equal(await waiting(), before);
      assert.equal(verified().level, "intact");
    });
  });
}
