// A call that carries the world's own outcome, in a host's own transaction: whatever fails on our side, that outcome is the answer; unless
// the failure took the host's transaction, and what the world did with it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { hos, vectors } from "./house.mjs";
import { FEWER, world } from "./databases.mjs";

const { CallError, Engine, RetryError, StoreError, Uid } = hos;
const ayse = new Uid("S::Account", "ayse");
const hall = new Uid("S::Hall", "h1");
const legacy = { allowed: true, state: "paid" };
const args = { amount: 1 };

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
    const { host, connect, run, verified, isNow, kind, set } = await world(t, variant);
    run("law", "activate", join(vectors, "law"), "--mode", "shadow", "--mode", "ticket.cancel=enforce", "--tenant", "universe", "--as", "Account::ayse");
    const engine = await Engine.open({ store: host.connection });
    const actor = engine.tenant("t1").as(ayse);
    const isMysql = kind.startsWith("mysql2");
    const pay = (more, who = actor) => who.transition("ticket", "k-1", "pay", { args, legacy, ...more });
    const rows = (id) => host.one(`SELECT count(*) FROM tickets WHERE id = '${id}'`);
    let number = 0;
    /** Does something within a transaction of the host's, which commits a row of its own all the same. */
    const within = async (work) => {
      const id = `row-${(number += 1)}`;
      await host.begin();
      await host.say(`INSERT INTO tickets VALUES ('${id}', 'x')`);
      const given = await work();
      await host.commit();
      assert.equal(await rows(id), 1);
      return given;
    };
    const stands = async (work, code) => {
      const answer = await within(work);
      assert.deepEqual([answer.allowed, answer.mode, answer.code], [true, "shadow", code]);
      return answer;
    };
    /** Does something that takes the host's transaction, and its row; gives what was thrown. */
    const undone = async (work, prepare = () => {}) => {
      const id = `row-${(number += 1)}`;
      await host.begin();
      await host.say(`INSERT INTO tickets VALUES ('${id}', 'x')`);
      await prepare();
      const error = await thrown(work);
      await Promise.resolve().then(host.rollback).catch(() => {});
      assert.equal(await rows(id), 0);
      return error;
    };
    /** The very same is thrown. It is not given on, for there are things that cannot be awaited. */
    const throwing = (work, what) => within(async () => {
      try {
        await work();
      } catch (error) {
        return assert.ok(Object.is(error, what));
      }
      return assert.fail("nothing was thrown");
    });
    await stands(() => pay({}));
    await stands(() => pay({ legacy: true }));
    const [{ detail }] = (await stands(() => pay({ args: { amount: 1.5 }, legacy: true }), "hos.value_invalid")).blockers;
    assert.match(detail, /^`args\.amount`: a float/, "the code stands beside the detail, not in it");

    await t.test("options of any make", async () => {
      class Options {
        constructor(given) { Object.assign(this, given); }
      }
      class Getters {
        get legacy() { return legacy; }
      }
      const whole = { args, get legacy() { return legacy; } };
      for (const options of [whole, new Options({ args, legacy }), new Proxy({ args, legacy }, {}), Object.assign(Object.create(null), { args, legacy })]) {
        await stands(() => actor.transition("ticket", "k-1", "pay", options));
      }
      const fails = { get context() { throw new RangeError("the row is away"); } };
      const unseen = new Proxy({ args, legacy }, { ownKeys() { throw new RangeError("the row is away"); } });
      const odd = { args: { amount: 1.5 } };
      for (const options of [Object.defineProperties({ legacy }, Object.getOwnPropertyDescriptors(fails)), unseen, { ...odd, get legacy() { return legacy; } }, new Options({ ...odd, legacy }), Object.assign(new Getters(), odd)]) {
        await stands(() => actor.transition("ticket", "k-1", "pay", options), "hos.value_invalid");
      }
    });

    await t.test("what cannot be looked at, and what is no text where one is asked for", async () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      await stands(() => pay({ context: { get a() { throw proxy; } } }), "hos.value_invalid");
      await stands(() => actor.record("notes.page", proxy, { legacy }), "hos.value_invalid");
      for (const action of [undefined, null, 5, {}, ["hall.enter"], Symbol("x"), proxy, hall]) {
        assert.match((await within(() => actor.can(action, hall, { legacy }))).code, /^hos\.(call_malformed|value_invalid)$/);
      }
      await stands(() => pay({}, engine.tenant("t1").as(ayse, { language: 5 })), "hos.call_malformed");
    });

    await t.test("what is too large to be said", async () => {
      await stands(() => pay({ ["\0".repeat(5 << 20)]: 1 }), "hos.call_too_large");
      await stands(() => pay({ ["n".repeat(900_000)]: () => 1, ["m".repeat(900_000)]: () => 1 }), "hos.value_invalid");
      await stands(() => actor.record("notes.page", new Uint8Array(300 << 20), { legacy }), "hos.call_too_large");
      await stands(() => actor.can("hall.enter", "x".repeat(400 << 20), { legacy }), "hos.call_too_large");
    });

    await t.test("a closure that throws", async () => {
      const odd = new RangeError(`odd \ud800${"x".repeat(3 << 20)}`);
      const ours = new RetryError("retry", "hos.retry", "again");
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      for (const [what, code, message] of [[odd, "hos.call_malformed", /RangeError: odd \ufffdx/], [ours, "hos.retry", /failed: RetryError: again$/], ["text", "hos.call_malformed", /no error/], [undefined, "hos.call_malformed", /no error/], [proxy, "hos.call_malformed", /no error/]]) {
        const throws = () => { throw what; };
        const closures = isNow ? [throws] : [throws, async () => throws()];
        for (const closure of closures) {
          const [{ detail }] = (await stands(() => pay({ args: closure }), code)).blockers;
          assert.match(detail, message);
          assert.ok(detail.includes("closure for arguments failed") && detail.length <= 1_000, detail.slice(0, 100));
          await stands(() => actor.begin("ticket", "k-2", "order", { facts: closure, legacy }), code);
          assert.equal(await within(() => actor.shadow("ticket", "k-1", "pay", { args: closure, legacy: () => "paid" })), "paid");
          // Without the world's outcome, and where the law is enforced, it is thrown as it is.
          await throwing(() => actor.transition("ticket", "k-1", "pay", { args: closure }), what);
          await throwing(() => actor.transition("ticket", "k-1", "cancel", { args: closure, legacy }), what);
          // In no transaction none can be lost.
          assert.equal((await pay({ args: closure })).code, code);
        }
      }
      // A promise where none is awaited is no value, and its rejection nobody's.
      if (isNow) await stands(() => pay({ args: async () => { throw odd; } }), "hos.value_invalid");
    });

    await t.test("the first call of a process, which is faulty", async () => {
      for (const given of [{ args: { amount: 0.5 } }, { args: () => { throw new Error("no"); } }]) {
        const cold = (event) => async () => (await Engine.open({ store: host.connection })).tenant("t1").as(ayse).transition("ticket", "k-1", event, { ...given, legacy });
        const code = typeof given.args === "function" ? "hos.call_malformed" : "hos.value_invalid";
        await stands(cold("pay"), code);
        await within(() => assert.rejects(cold("cancel")()));
        const outside = await cold("pay")();
        assert.deepEqual([outside.allowed, outside.code], [true, code]);
      }
    });

    await t.test("a statement of ours that fails, and leaves the transaction", async () => {
      const raises = {
        pg: [
          "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$",
          "CREATE TRIGGER fails BEFORE INSERT ON hos_inbox FOR EACH ROW EXECUTE FUNCTION fails()",
          "DROP TRIGGER fails ON hos_inbox",
        ],
        "better-sqlite3": ["CREATE TRIGGER fails BEFORE INSERT ON hos_inbox BEGIN SELECT RAISE(ABORT, 'full'); END", "DROP TRIGGER fails"],
      }[kind] ?? ["CREATE TRIGGER fails BEFORE INSERT ON hos_inbox FOR EACH ROW SIGNAL SQLSTATE '45000'", "DROP TRIGGER fails"];
      for (const sql of raises.slice(0, -1)) await host.say(sql);
      await stands(() => pay({}), kind === "pg" ? "hos.retry" : "hos.store_unavailable");
      await host.say(raises.at(-1));
    });

    await t.test("outside of a transaction none is lost", async () => {
      await host.say("ALTER TABLE hos_activation RENAME TO hos_elsewhere");
      const given = [await pay({}), await actor.can("hall.enter", hall, { legacy })].map(({ allowed, mode, code }) => [allowed, mode, code]);
      await host.say("ALTER TABLE hos_elsewhere RENAME TO hos_activation");
      assert.deepEqual(given, [[true, "shadow", "hos.no_transaction"], [true, "shadow", "hos.store_version"]]);
    });

    if (isNow) {
      await t.test("a statement that takes the transaction", async () => {
        await host.say("CREATE TRIGGER takes BEFORE INSERT ON hos_inbox BEGIN SELECT RAISE(ROLLBACK, 'full'); END");
        const seen = [];
        assert.ok((await undone(() => pay({}))) instanceof StoreError);
        const watched = await undone(() => actor.shadow("ticket", "k-1", "pay", { legacy: () => "paid", args, seen: (law) => seen.push(law) }));
        const own = new Error("the world's own");
        assert.equal(await undone(() => actor.shadow("ticket", "k-1", "pay", { legacy: () => { throw own; }, args })), own);
        assert.ok(watched instanceof StoreError && seen[0] === watched, `${watched}`);
        await host.say("DROP TRIGGER takes");
        await stands(() => pay({}));
      });

      await t.test("a closure whose statement takes the transaction", async () => {
        const full = () => host.connection.prepare("INSERT INTO tickets VALUES ('full', zeroblob(100000000))").run();
        const before = host.connection.pragma("max_page_count", { simple: true });
        const error = await undone(() => pay({ args: full }), () => host.connection.pragma(`max_page_count = ${host.connection.pragma("page_count", { simple: true })}`));
        assert.equal(error.code, "SQLITE_FULL");
        host.connection.pragma(`max_page_count = ${before}`);
        await stands(() => pay({}));
      });
    }

    if (kind === "pg") {
      await t.test("a closure whose statement fails the transaction", async () => {
        const asks = (code) => () => host.say(`DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '${code}'; END $$`);
        assert.equal((await undone(() => pay({ args: asks("22012") }))).code, "22012");
        const wrapped = async () => asks("40P01")().catch((cause) => { throw new Error("of a mapper", { cause }); });
        for (const closure of [asks("40001"), wrapped]) {
          const error = await undone(() => pay({ args: closure }));
          assert.ok(error instanceof RetryError && error.code === "hos.retry", `${error}`);
          assert.ok((await undone(() => actor.shadow("ticket", "k-1", "pay", { legacy: () => "paid", args: closure }))) instanceof RetryError);
        }
        await stands(() => pay({}));
      });

      await t.test("a transaction that had failed before is none of ours", async () => {
        await host.begin();
        await assert.rejects(Promise.resolve().then(() => host.say("SELECT * FROM nowhere")));
        for (const given of [args, () => host.say("SELECT 1")]) {
          const answer = await pay({ args: given });
          assert.deepEqual([answer.allowed, answer.mode], [true, "shadow"]);
          assert.notEqual(answer.code, undefined);
        }
        await host.rollback();
      });
    }

    if (isMysql) {
      const other = await connect();
      await host.say("INSERT INTO tickets VALUES ('held', 'x')");
      /** Somebody with more to lose waits for the host's row, and keeps what the host asks for next: it is the host that is rolled back. */
      const deadlocked = async (keeps, work) => {
        await other.begin();
        await other.say(`INSERT INTO tickets VALUES ${Array.from({ length: 40 }, (_, at) => `('heavy-${at}', 'x')`).join()}`);
        await other.say(keeps);
        let waits;
        const given = await work(async () => {
          await host.say("UPDATE tickets SET status = 'z' WHERE id = 'held'");
          waits = other.say("UPDATE tickets SET status = 'w' WHERE id = 'held'");
          await new Promise((done) => setTimeout(done, 200));
        });
        await waits;
        await other.rollback();
        return given;
      };

      await t.test("a deadlock takes the transaction, of ours or of a closure's statement", async () => {
        await host.say("INSERT INTO tickets VALUES ('theirs', 'x')");
        const closure = () => host.say("SELECT * FROM tickets WHERE id = 'theirs' FOR UPDATE");
        const theirs = "UPDATE tickets SET status = 'w' WHERE id = 'theirs'";
        const inbox = "SELECT * FROM hos_inbox FOR UPDATE";
        const calls = [
          [inbox, () => pay({})],
          [inbox, () => actor.shadow("ticket", "k-1", "pay", { legacy: async () => "paid", args })],
          [theirs, () => pay({ args: closure })],
          [theirs, () => actor.shadow("ticket", "k-1", "pay", { legacy: () => "paid", args: closure })],
        ];
        for (const autocommit of [1, 0]) {
          await host.say(`SET autocommit = ${autocommit}`);
          for (const [keeps, call] of calls) {
            const error = await deadlocked(keeps, (prepare) => undone(call, prepare));
            assert.ok(error instanceof RetryError && error.code === "hos.retry", `${keeps}, autocommit ${autocommit}: ${error}`);
          }
        }
        await host.say("SET autocommit = 1");
        await stands(() => pay({}));
      });

      await t.test("a transaction that is run by the engine is run again", async () => {
        let tries = 0;
        const given = await deadlocked("UPDATE tickets SET status = 'w' WHERE id = 'theirs'", (prepare) =>
          engine.transaction(async (_, on) => {
            await host.say(`INSERT INTO tickets VALUES ('again-${(tries += 1)}', 'x')`);
            if (tries === 1) await prepare();
            else await other.rollback();
            return pay({ args: async () => (await host.say("SELECT * FROM tickets WHERE id = 'theirs' FOR UPDATE"), args) }, on.tenant("t1").as(ayse));
          }),
        );
        assert.deepEqual([given.allowed, tries, await rows("again-1"), await rows("again-2")], [true, 2, 0, 1]);
      });

      await t.test("a lock that takes too long takes only its statement", async () => {
        await host.say("SET SESSION innodb_lock_wait_timeout = 1");
        await other.begin();
        await other.say("UPDATE tickets SET status = 'w' WHERE id = 'held'");
        const answer = await stands(() => pay({ args: () => host.say("UPDATE tickets SET status = 'z' WHERE id = 'held'") }), "hos.call_malformed");
        assert.match(answer.blockers[0].detail, /Lock wait timeout/);
        await other.rollback();
      });

      await t.test("a row that changed under a snapshot takes the transaction", { skip: set === undefined && "it is not asked for" }, async () => {
        const changed = async () => {
          await host.say("SELECT * FROM tickets");
          await other.say("UPDATE tickets SET status = concat(status, '+') WHERE id = 'held'");
        };
        const error = await undone(() => pay({ args: () => host.say("SELECT * FROM tickets WHERE id = 'held' FOR UPDATE") }), changed);
        assert.ok(error instanceof RetryError && error.cause.errno === 1020, `${error}`);
      });
    }

    await t.test("all of it holds", () => assert.equal(verified().level, "intact"));
  });
}
