// The law watches in a host's own transaction: whatever befalls us, the world's answer is the world's, and its transaction goes on.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { hos, place, vectors } from "./house.mjs";
import { FEWER, world } from "./databases.mjs";
import { harmed } from "./worlds.mjs";

const { Answer, Engine, Uid } = hos;
const ayse = new Uid("S::Account", "ayse");
const facts = { owner: ayse, price: 10 };
const MODES = ["ticket.order=shadow", "ticket.pay=shadow", "hall.enter=shadow"].flatMap((mode) => ["--mode", mode]);

async function thrown(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

for (const variant of FEWER) {
  test(variant.name, { skip: variant.skip }, async (t) => {
    const { host, connect, run, verified, isNow } = await world(t, variant);
    run("law", "activate", join(vectors, "law"), ...MODES, "--tenant", "universe", "--as", "Account::ayse");
    const engine = await Engine.openForShadow({ store: host.connection });
    const actor = engine.tenant("t1").as(ayse);
    const waiting = () => host.one("SELECT count(*) FROM hos_inbox");
    // Where promises are given, what is given at once comes as a promise too.
    const bare = (legacy) => (isNow ? legacy : async () => legacy());
    let rows = 0;
    /** Does something within a transaction of the host's, which commits a row of its own all the same. */
    const within = async (work) => {
      await host.begin();
      await host.say(`INSERT INTO tickets VALUES ('row-${(rows += 1)}', 'x')`);
      const given = await work();
      await host.say(`UPDATE tickets SET status = 'y' WHERE id = 'row-${rows}'`);
      await host.commit();
      assert.equal(await host.one(`SELECT count(*) FROM tickets WHERE id = 'row-${rows}' AND status = 'y'`), 1);
      return given;
    };

    await t.test("all of the world's answers are the world's; what it did waits to be judged", async () => {
      await host.begin();
      const told = await harmed(actor, { bare });
      await host.commit();
      assert.ok(told.every((one) => one instanceof Answer && one.mode === "shadow"), String(told.find((one) => !(one instanceof Answer))));
      assert.equal(await waiting(), 50, "each move and each birth; questions are judged at once");
      const report = verified();
      assert.deepEqual([report.level, await waiting()], ["intact", 0]);
      assert.ok(report.logs.find((log) => log.tenant === "t1").size > 2, "they were judged, and are evidence");
    });

    await t.test("what the host rolls back was not seen", async () => {
      const seen = [];
      await host.begin();
      const given = await actor.shadow("ticket", "k-2", "pay", { legacy: () => "paid", args: { amount: 1 }, seen: (law) => seen.push(law) });
      assert.equal(await waiting(), 1, "it is there before the promise is kept");
      await host.rollback();
      assert.deepEqual([given, seen.length, seen[0].allowed, await waiting()], ["paid", 1, true, 0]);
    });

    await t.test("an outcome that comes with a call stands likewise", async () => {
      const answer = await within(() => actor.transition("ticket", "k-3", "pay", { args: { amount: 1 }, legacy: { allowed: false } }));
      assert.deepEqual([answer.allowed, answer.mode], [false, "shadow"]);
      const read = await within(() => actor.transition("ticket", "k-3", "pay", { args: () => ({ amount: 1 }), legacy: { allowed: true, state: "paid" } }));
      assert.deepEqual([read.allowed, read.code], [true, undefined]);
    });

    await t.test("where the law is enforced it judges and carries out", async () => {
      await within(() => actor.begin("ticket", "k-4", "order", { facts, legacy: { allowed: true, state: "new" } }));
      verified();
      const seen = [];
      const given = await within(() => actor.shadow("ticket", "k-4", "cancel", { legacy: () => "old", seen: (law) => seen.push(law) }));
      assert.deepEqual([given, seen[0].mode, seen[0].allowed, seen[0].to], ["old", "enforce", true, "cancelled"]);
    });

    const told = async (code, { who = actor, more } = {}) => {
      await host.begin();
      await host.say(`INSERT INTO tickets VALUES ('row-${(rows += 1)}', 'x')`);
      const seen = await harmed(who, { bare, only: ["shadow"], more });
      await host.commit();
      assert.equal(await host.one(`SELECT count(*) FROM tickets WHERE id = 'row-${rows}'`), 1);
      assert.match(seen.map((one) => one.code).join(), new RegExp(`^(${code},?)+$`));
    };

    await t.test("tables that are gone harm nobody", async () => {
      await host.say("ALTER TABLE hos_inbox RENAME TO hos_elsewhere");
      await told("hos.store_version");
      const stood = await within(() => actor.transition("ticket", "k-3", "pay", { args: { amount: 1 }, legacy: { allowed: true, state: "paid" } }));
      assert.deepEqual([stood.allowed, stood.mode, stood.code], [true, "shadow", "hos.store_version"], "the world's outcome stands");
      const half = await within(() => actor.transition("ticket", "\ud800", "pay", { legacy: { allowed: false } }));
      assert.deepEqual([half.allowed, half.mode, half.code], [false, "shadow", "hos.call_malformed"]);
      await host.begin();
      const enforced = await thrown(() => actor.transition("ticket", "\ud800", "cancel", { legacy: { allowed: true } }));
      await host.rollback();
      assert.ok(enforced instanceof hos.CallError && /`id`/.test(enforced.message), `${enforced}`);
      await host.say("ALTER TABLE hos_elsewhere RENAME TO hos_inbox");
      await host.say("ALTER TABLE hos_activation RENAME TO hos_elsewhere");
      await told("hos.store_version");
      await host.say("ALTER TABLE hos_elsewhere RENAME TO hos_activation");
    });

    await t.test("tables that are locked hold nobody up for long", async () => {
      const other = await connect(isNow ? { timeout: 5000 } : {});
      const locked = {
        pg: ["BEGIN", "LOCK TABLE hos_inbox IN ACCESS EXCLUSIVE MODE"],
        "better-sqlite3": ["BEGIN IMMEDIATE"],
      }[variant.kind] ?? ["LOCK TABLES hos_inbox WRITE"];
      for (const sql of locked) await other.say(sql);
      const seen = [];
      // A host of SQLite that has not written yet.
      await host.say(isNow ? "BEGIN DEFERRED" : "BEGIN");
      const began = performance.now();
      const given = await actor.shadow("ticket", "k-5", "pay", { legacy: () => "paid", args: { amount: 1 }, seen: (law) => seen.push(law) });
      const took = performance.now() - began;
      if (!isNow) await host.say("INSERT INTO tickets VALUES ('while-locked', 'x')");
      await host.commit();
      await other.say(isNow || variant.kind === "pg" ? "ROLLBACK" : "UNLOCK TABLES");
      assert.deepEqual([given, seen[0].code], ["paid", "hos.retry"]);
      assert.ok(took < 4_000, `${took} ms`);
      assert.equal(await within(() => actor.shadow("ticket", "k-5", "pay", { legacy: () => "paid", args: { amount: 1 } })), "paid");
      if (isNow) assert.equal(host.connection.pragma("busy_timeout", { simple: true }), 5000, "the host's own patience is its own");
    });

    await t.test("a panic inside, and words that are no call, harm nobody", async () => {
      const { Joined } = createRequire(import.meta.url)(process.env.HOS_NODE_ADDON);
      const planted = Joined.open(JSON.stringify({ dialect: "sqlite", places: "question" }));
      await within(async () => {
        const seen = [];
        planted.step("failpoint", undefined, JSON.stringify({ panic: "step" }));
        assert.equal(await actor.shadow("ticket", "k-6", "pay", { legacy: () => "paid", seen: (law) => seen.push(law) }), "paid");
        assert.equal(seen[0].code, "hos.internal");
      });
      await within(async () => {
        const codes = [];
        const seen = (law) => codes.push(law.code);
        const args = { amount: 1 };
        for (const [id, more] of [[null, { args }], ["\ud800", { args }], ["k-7", { args: { amount: 1.5 } }], ["k-7", { args: () => { throw new Error("odd"); } }], ["k-7", { args, no: 1 }]]) {
          assert.equal(await actor.shadow("ticket", id, "pay", { legacy: () => "paid", seen, ...more }), "paid");
        }
        await new Promise((done) => setImmediate(done));
        assert.equal(codes.length, 5);
        assert.ok(codes.every((code) => code === undefined || code.startsWith("hos.")), codes.join());
      });
    });

    await t.test("words that are no Unicode, and an outcome that is half told, harm nobody", async () => {
      const legacy = { allowed: true, state: "paid" };
      const half = "half a character: \ud800";
      const given = [{ args: { amount: 1, [half]: 1 } }, { args: { [half]: 1.5 } }, { args: { amount: half } }, { [half]: 1 }, { reason: half }];
      for (const one of given) {
        const answer = await within(() => actor.transition("ticket", "k-9", "pay", { ...one, legacy }));
        assert.deepEqual([answer.allowed, answer.mode], [true, "shadow"]);
      }
      // Of the outcome itself, what can be said of it.
      for (const odd of [{ allowed: true, state: null }, { allowed: true, state: half }, { allowed: false, state: 1.5 }, { allowed: true, no: null }]) {
        const answer = await within(() => actor.transition("ticket", "k-9", "pay", { args: { amount: 1 }, legacy: odd }));
        assert.deepEqual([answer.allowed, answer.mode], [odd.allowed, "shadow"]);
      }
    });

    await t.test("a law with faults, and an engine that is closed, harm nobody", async () => {
      const faulty = join(place(), "law");
      mkdirSync(faulty);
      writeFileSync(join(faulty, "law.toml"), "name = ");
      const of = await Engine.openForShadow(faulty, { store: host.connection });
      await told("hos.law_invalid", { who: of.tenant("t1").as(ayse) });
      const absent = await Engine.openForShadow(join(faulty, "none"), { store: host.connection });
      assert.ok(absent.absent instanceof hos.HosError, `${absent.absent}`);
      await told(absent.absent.code, { who: absent.tenant("t1").as(ayse) });
      const shut = Engine.openForShadowSync({ store: host.connection });
      shut.close();
      await told("hos.engine_closed", { who: shut.tenant("t1").as(ayse) });
      const other = await Engine.openForShadow(join(vectors, "law"), { store: host.connection, no: true });
      await told("hos.call_malformed", { who: other.tenant("t1").as(ayse) });
    });

    await t.test("outside a transaction the world's answer is the world's, and nothing is put down", async () => {
      const before = await waiting();
      const seen = [];
      assert.equal(await actor.shadow("ticket", "k-8", "pay", { legacy: () => "paid", args: { amount: 1 }, seen: (law) => seen.push(law) }), "paid");
      assert.deepEqual([seen[0].code, await waiting()], ["hos.no_transaction", before]);
      assert.equal(await actor.shadowCan("hall.enter", new Uid("S::Hall", "h1"), { legacy: () => false, seen: (law) => seen.push(law) }), false);
      assert.deepEqual([seen[1].allowed, seen[1].divergence], [false, true]);
      assert.equal(verified().level, "intact");
    });
  });
}
