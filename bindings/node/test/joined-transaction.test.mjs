// The helper that runs a host's work in a transaction, and again where the database asks for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hos } from "./house.mjs";
import { KINDS, VARIANTS, world } from "./databases.mjs";

const { CallError, Denied, Engine, RetryError, Uid } = hos;
const ayse = new Uid("S::Account", "ayse");
const facts = { owner: ayse, price: 10 };

async function thrown(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

/** Lets each wait for the other, the first time. */
function meeting(many) {
  let here = 0;
  let open;
  const gate = new Promise((done) => (open = done));
  return () => {
    here += 1;
    if (here >= many) open();
    return gate;
  };
}

for (const variant of VARIANTS) {
  test(variant.name, { skip: variant.skip }, async (t) => {
    const { host, connect, pool, verified, isNow } = await world(t, variant);
    const engine = await Engine.open({ store: host.connection });
    const born = async (id) => engine.transaction((_, joined) => joined.tenant("t1").as(ayse).begin("ticket", id, "order", { facts }));
    const count = (status) => host.one(`SELECT count(*) FROM tickets WHERE status = '${status}'`);
    const insert = (connection, id, status) => say(connection, `INSERT INTO tickets VALUES ('${id}', '${status}')`);
    const say = (connection, sql) => KINDS[variant.kind].host(connection).say(sql);

    await t.test("half of what a step writes is never there, whatever the host does", async () => {
      assert.equal((await born("half")).allowed, true);
      const dialect = { pg: "postgres", "better-sqlite3": "sqlite" }[variant.kind] ?? "mysql";
      const fails = {
        sqlite: ["CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue BEGIN SELECT RAISE(FAIL, 'planted'); END"],
        mysql: ["CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'planted'"],
        postgres: [
          "CREATE FUNCTION hos_fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted'; END $$",
          "CREATE TRIGGER hos_fails BEFORE INSERT ON hos_queue FOR EACH ROW EXECUTE FUNCTION hos_fails()",
        ],
      }[dialect];
      for (const sql of fails) await say(host.connection, sql);
      const records = await host.one("SELECT count(*) FROM hos_record");
      const paid = (joined) => joined.tenant("t1").as(ayse).transition("ticket", "half", "pay", { args: { amount: 10 } });
      await say(host.connection, "BEGIN");
      const error = await thrown(async () => paid(engine));
      assert.match(String(error.cause), /planted/);
      await say(host.connection, "COMMIT");
      assert.equal(await host.one("SELECT count(*) FROM hos_record"), records);
      await say(host.connection, `DROP TRIGGER hos_fails${dialect === "postgres" ? " ON hos_queue" : ""}`);
      assert.equal((await engine.transaction((_, joined) => paid(joined))).allowed, true);
    });

    await t.test("commits where the work gives something, rolls back where it throws", async () => {
      const work = (end) => (connection, joined) => {
        const said = insert(connection, end, end);
        const actor = joined.tenant("t1").as(ayse);
        if (isNow) return ended(end, actor.begin("ticket", end, "order", { facts }), actor);
        return said.then(() => actor.begin("ticket", end, "order", { facts })).then((answer) => ended(end, answer, actor));
      };
      const odd = new RangeError("odd");
      const ended = (end, answer, actor) => {
        assert.equal(answer.allowed, true);
        if (end === "throw") throw odd;
        return end === "apply" ? actor.apply("ticket", end, "pay", { args: { amount: 1 } }) : answer;
      };
      assert.equal((await engine.transaction(work("give"))).to, "new");
      assert.equal(await thrown(() => engine.transaction(work("throw"))), odd);
      const denied = await thrown(() => engine.transaction(work("apply")));
      assert.ok(denied instanceof Denied && denied.code === "ticket.too_little");
      assert.deepEqual([await count("give"), await count("throw"), await count("apply")], [1, 0, 0]);
      const evidence = () => host.one("SELECT (SELECT count(*) FROM hos_record) + (SELECT count(*) FROM hos_inbox)");
      const before = Number(await evidence());
      const kept = await engine.transaction((_, joined) => joined.refused(denied.answer));
      assert.equal(kept.code, "ticket.too_little");
      assert.equal(Number(await evidence()), before + 1, "evidence of a refusal says no, and is kept");
      const no = await engine.transaction((connection, joined) => {
        const said = insert(connection, "no", "no");
        const pay = () => joined.tenant("t1").as(ayse).transition("ticket", "nowhere", "pay", { args: { amount: 1 } });
        return isNow ? pay() : said.then(pay);
      });
      assert.deepEqual([no.allowed, no.receipt, await count("no")], [false, undefined, 0]);
      for (const [status, amount, codes] of [["all-no", 1, [undefined, "ticket.too_little"]], ["all-yes", 10, [undefined, undefined]]]) {
        const all = await engine.transaction((connection, joined) => {
          const said = insert(connection, status, status);
          const both = () => joined.tenant("t1").as(ayse).all([
            { operation: "begin", contract: "ticket", id: "all", event: "order", facts },
            { operation: "transition", contract: "ticket", id: "give", event: "pay", args: { amount } },
          ]);
          return isNow ? both() : said.then(both);
        });
        assert.deepEqual(all.map((one) => one.code), codes);
        assert.equal(await count(status), status === "all-yes" ? 1 : 0, "what says no at its end is rolled back");
      }
      assert.equal(verified().level, "intact");
    });

    await t.test("is refused where there is a transaction already", async () => {
      await host.begin();
      const error = await thrown(() => engine.transaction(() => assert.fail("it does not run")));
      await host.rollback();
      assert.ok(error instanceof CallError && /in a transaction already/.test(error.message), `${error}`);
      const nested = await thrown(() => engine.transaction(() => engine.transaction(() => assert.fail("it does not run"))));
      assert.match(nested.message, /in a transaction already/);
      if (!isNow) {
        const both = await Promise.allSettled([1, 2].map(() => engine.transaction(async (connection) => say(connection, "SELECT 1"))));
        assert.deepEqual(both.map((one) => one.status).sort(), ["fulfilled", "rejected"]);
      }
      for (const tries of [0, 1.5, "2"]) {
        assert.equal((await thrown(() => engine.transaction(() => assert.fail("it does not run"), { tries }))).code, "hos.call_malformed");
      }
    });

    await t.test("what it does not know of how to run is refused, and what is no connection or no work", async () => {
      for (const [call, says] of [
        [() => engine.transaction(() => assert.fail("it does not run"), { isolationLevel: "serializable" }), /no option `isolationLevel`/],
        ...[null, [], "serializable"].map((trying) => [() => engine.transaction(() => assert.fail("it does not run"), trying), /takes a function and an object/]),
        [() => engine.transaction("work"), /takes a function and an object/],
        ...[null, undefined, "x", 5].map((connection) => [() => engine.on(connection), /takes a connection like the one/]),
      ]) {
        const error = await thrown(call);
        assert.ok(error instanceof CallError && error.code === "hos.call_malformed" && says.test(error.message), `${error}`);
      }
      assert.equal(await engine.transaction(() => "it ran", { tries: undefined, isolation: undefined }), "it ran");
    });

    await t.test("runs again as often as it may, with pauses", async () => {
      const runs = [];
      const again = new RetryError("retry", "hos.retry", "once more");
      const work = (last) => () => {
        runs.push(performance.now());
        const given = runs.length < last ? Promise.reject(again) : "done";
        if (!isNow) return given;
        if (given === "done") return given;
        given.catch(() => {});
        throw again;
      };
      assert.equal(await engine.transaction(work(3)), "done");
      assert.equal(runs.length, 3);
      runs.length = 0;
      assert.equal(await thrown(() => engine.transaction(work(99))), again);
      assert.equal(runs.length, 5, "five if nothing is said");
      runs.length = 0;
      await thrown(() => engine.transaction(work(99), { tries: 2 }));
      assert.equal(runs.length, 2);
    });

    await t.test("no pause is long", async (t) => {
      const pauses = [];
      t.mock.method(Math, "random", () => 1);
      t.mock.method(Atomics, "wait", (_, __, ___, pause) => pauses.push(pause));
      const { setTimeout } = globalThis;
      const at = (done, pause) => (pauses.push(pause), setTimeout(done, 0));
      if (!isNow) t.mock.method(globalThis, "setTimeout", at);
      const again = new RetryError("retry", "hos.retry", "once more");
      assert.equal(await thrown(() => engine.transaction(() => { throw again; }, { tries: 20 })), again);
      assert.deepEqual([pauses.length, pauses[0], pauses[1], Math.max(...pauses)], [19, 10, 20, 500]);
    });

    await t.test("a transaction that is over before the work is, commits nothing more", async () => {
      for (const sql of ["COMMIT", "ROLLBACK"]) {
        const error = await thrown(() => engine.transaction((connection) => say(connection, sql)));
        assert.equal(error.code, "hos.no_transaction", `${sql}: ${error}`);
      }
    });

    await t.test("nor is another one that the work has begun in its place", async () => {
      const instances = () => host.one("SELECT count(*) FROM hos_instance");
      const before = await instances();
      for (const isWritten of [false, true]) {
        const id = `again-${isWritten}`;
        const error = await thrown(() => engine.transaction((connection, joined) => {
          const answer = joined.tenant("t1").as(ayse).begin("ticket", id, "order", { facts });
          const again = ["ROLLBACK", "BEGIN", ...(isWritten ? [`INSERT INTO tickets VALUES ('${id}', 'again')`] : [])];
          if (isNow) return again.forEach((sql) => say(connection, sql)), answer;
          return answer.then(async () => {
            for (const sql of again) await say(connection, sql);
            return answer;
          });
        }));
        assert.equal(error.code, "hos.no_transaction", `${error}`);
        assert.deepEqual([await instances(), await count("again")], [before, 0]);
      }
      assert.equal((await born("again")).allowed, true, "and the connection begins the next");
      assert.equal(verified().level, "intact");
    });

    if (isNow) {
      await t.test("of a connection that answers at once the work gives no promise", async () => {
        const error = await thrown(() => engine.transaction(async () => { throw new Error("nobody waits for it"); }));
        assert.ok(error instanceof CallError && /before a promise is kept/.test(error.message), `${error}`);
        assert.equal(host.connection.inTransaction, false);
      });

      await t.test("it joins what the package itself runs in a transaction", () => {
        const actor = engine.tenant("t1").as(ayse);
        const work = host.connection.transaction((id, fails) => {
          host.connection.prepare("INSERT INTO tickets VALUES (?, 'own')").run(id);
          actor.begin("ticket", id, "order", { facts });
          if (fails) throw new Error("rolled back");
        });
        work.immediate("own-1", false);
        assert.throws(() => work.immediate("own-2", true), /rolled back/);
        const ids = host.connection.prepare("SELECT CAST(id AS TEXT) FROM hos_instance WHERE CAST(id AS TEXT) LIKE 'own-%'").pluck().all();
        assert.deepEqual(ids, ["own-1"]);
        assert.equal(verified().level, "intact");
      });

      await t.test("another process's lock is waited for, then it begins again", async () => {
        const other = await connect({ timeout: 1 });
        await host.begin();
        await host.say("INSERT INTO tickets VALUES ('busy', 'busy')");
        let tries = 0;
        const on = engine.on(other.connection);
        const failed = await thrown(() => on.transaction(() => { tries += 1; }));
        assert.deepEqual([failed.code, failed.cause.code, tries], ["hos.retry", "SQLITE_BUSY", 0]);
        await host.commit();
        assert.equal(on.transaction((_, joined) => joined.tenant("t1").as(ayse).begin("ticket", "busy", "order", { facts })).allowed, true);
      });
      return;
    }

    await t.test("a deadlock is begun again, and both come through", async () => {
      await born("d-1");
      await born("d-2");
      const meet = meeting(2);
      let tries = 0;
      const one = await connect();
      const two = await connect();
      const crossing = (by, ids) =>
        engine.on(by.connection).transaction(async (connection, joined) => {
          tries += 1;
          const actor = joined.tenant("t1").as(ayse);
          const name = (id) => actor.transition("ticket", id, "name", { args: { name: "x" } });
          assert.equal((await name(ids[0])).allowed, true);
          await meet();
          return name(ids[1]);
        });
      const answers = await Promise.all([crossing(one, ["d-1", "d-2"]), crossing(two, ["d-2", "d-1"])]);
      assert.deepEqual(answers.map((answer) => answer.allowed), [true, true]);
      assert.ok(tries >= 3, `${tries} tries: one was the victim`);
      assert.equal(verified().level, "intact");
    });

    await t.test("a deadlock of the host's own rows likewise", async () => {
      for (const id of ["h-1", "h-2"]) await say(host.connection, `INSERT INTO tickets VALUES ('${id}', 'h')`);
      const meet = meeting(2);
      let tries = 0;
      const crossing = async (ids) => {
        const by = await connect();
        return engine.on(by.connection).transaction(async (connection, joined) => {
          tries += 1;
          const touch = (id) => say(connection, `UPDATE tickets SET status = 'h${tries}' WHERE id = '${id}'`);
          await touch(ids[0]);
          await meet();
          await touch(ids[1]);
          return joined.tenant("t1").as(ayse).record("notes", ids[0]);
        });
      };
      const answers = await Promise.all([crossing(["h-1", "h-2"]), crossing(["h-2", "h-1"])]);
      assert.deepEqual(answers.map((answer) => answer.allowed), [true, true]);
      assert.ok(tries >= 3, `${tries} tries`);
    });

    const isSnapshot = variant.set !== undefined;
    await t.test("a row that changed under a snapshot is a reason to begin again", { skip: !isSnapshot }, async () => {
      await born("s-1");
      const other = await connect();
      let tries = 0;
      const answer = await engine.transaction(async (connection, joined) => {
        tries += 1;
        await say(connection, "SELECT count(*) FROM tickets");
        if (tries === 1) {
          const there = engine.on(other.connection);
          await there.transaction((_, on) => on.tenant("t1").as(ayse).transition("ticket", "s-1", "name", { args: { name: "y" } }));
        }
        return joined.tenant("t1").as(ayse).transition("ticket", "s-1", "pay", { args: { amount: 10 } });
      });
      assert.deepEqual([answer.allowed, tries, answer.version], [true, 2, 3]);
      assert.equal(verified().level, "intact");
    });

    await t.test("what fails in the middle and is passed over in silence is not committed", async () => {
      const error = await thrown(() =>
        engine.transaction(async (connection, joined) => {
          await insert(connection, "silent", "silent");
          if (variant.kind === "pg") await say(connection, "SELECT nothing").catch(() => {});
          else await say(connection, "ROLLBACK");
          return joined;
        }),
      );
      assert.match(error.message, /rolled back|was ended/);
      assert.equal(await count("silent"), 0);
    });

    await t.test("a connection that is lost is not given back to its pool", async () => {
      const all = pool();
      all.on?.("error", () => {});
      try {
        const pooled = await Engine.open({ store: all });
        let tries = 0;
        const lost = await thrown(() => pooled.transaction(async (connection) => {
          tries += 1;
          KINDS[variant.kind].host(connection).lose();
          return say(connection, "SELECT 1");
        }));
        assert.ok(!(lost instanceof RetryError) && tries === 1, `${lost}`);
        const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((n) =>
          pooled.transaction(async (connection, joined) => {
            await insert(connection, `p-${n}`, "pool");
            return joined.tenant("t1").as(ayse).begin("ticket", `p-${n}`, "order", { facts });
          }, { isolation: "read committed" })));
        assert.deepEqual(answers.map((answer) => answer.allowed), Array(6).fill(true));
        assert.equal(await count("pool"), 6);
        const odd = await thrown(() => pooled.transaction(() => "x", { isolation: "none; DROP TABLE tickets" }));
        assert.equal(odd.code, "hos.call_malformed");
        assert.equal((await thrown(() => pooled.tenant("t1").as(ayse).begin("ticket", "p-9", "order", { facts }))).code, "hos.no_transaction");
        assert.equal(verified().level, "intact");
      } finally {
        await (variant.kind === "mysql2" ? new Promise((done) => all.end(done)) : all.end());
      }
    });

    await t.test("a commit whose end nobody hears of says that it is not known", async () => {
      const by = await connect();
      const error = await thrown(() =>
        engine.on(by.connection).transaction(async (connection, joined) => {
          const answer = await joined.tenant("t1").as(ayse).begin("ticket", "unheard", "order", { facts });
          // The host's network goes between the last statement and the commit.
          const core = variant.kind === "mysql2/promise" ? connection.connection : connection;
          const { query } = core;
          core.query = function (what, ...rest) {
            if (/COMMIT$/.test(what.text ?? what.sql ?? what)) by.lose();
            return query.call(this, what, ...rest);
          };
          return answer;
        }),
      );
      assert.deepEqual([error.code, error.status], ["hos.outcome_unknown", "unknown"], `${error}`);
    });
  });
}

for (const kind of ["mysql2/promise", "mysql2"]) {
  test(`${kind}, whose statements do not commit by themselves: a question leaves no transaction`, { skip: KINDS[kind].missing }, async (t) => {
    const { host, connect, run } = await world(t, { kind, set: "SET SESSION autocommit = 0" });
    await host.commit();
    // Each question looks at the store.
    const engine = await Engine.open({ store: host.connection, directoryAgeMaxMs: 0 });
    const other = await connect();
    const mert = engine.tenant("t1").as(new Uid("S::Account", "mert"));
    const hall = new Uid("S::Hall", "h2");
    const change = (...words) => run("directory", ...words, "--tenant", "t1", "--as", "Account::ayse");
    change("put", "Hall::h2", "--attr", "open=false");
    const asks = {
      can: async () => (await mert.can("hall.enter", hall)).allowed,
      canAll: async () => (await mert.canAll([{ action: "hall.enter", resource: hall }]))[0].allowed,
      "beside the world": async () => (await mert.can("hall.enter", hall, { legacy: { allowed: true } })).code === undefined,
    };
    for (const [how, may] of Object.entries(asks)) {
      change("join", "Account::mert", "Hall::h2");
      assert.equal(await may(), true, how);
      change("leave", "Account::mert", "Hall::h2");
      assert.equal(await may(), false, `${how}, after it was revoked`);
    }
    assert.equal((await thrown(() => engine.tenant("none").as(ayse).can("hall.enter", hall))).code, "hos.tenant_unknown");
    assert.equal(await engine.transaction(() => "it ran"), "it ran");

    const rows = async () => {
      const found = await other.one("SELECT count(*) FROM tickets");
      await other.commit();
      return found;
    };
    // What the host has begun goes on, be it while the question is under way; and nothing of its own is lost silently.
    await host.say("INSERT INTO tickets VALUES ('q-1', 'own')");
    for (const may of Object.values(asks)) await may();
    await host.commit();
    assert.equal(await rows(), 1);
    const [asked, wrote] = await Promise.allSettled([mert.can("hall.enter", hall), host.say("INSERT INTO tickets VALUES ('q-2', 'own')")]);
    assert.equal(asked.value?.allowed, false, `${asked.reason}`);
    await host.commit();
    assert.equal(await rows(), wrote.status === "fulfilled" ? 2 : 1);
    // It comes between the question's own statements.
    const core = host.connection.connection ?? host.connection;
    const { query } = core;
    let late;
    core.query = function (what, ...rest) {
      const said = query.call(this, what, ...rest);
      if (what.sql === "SET TRANSACTION READ ONLY") late = thrown(() => host.say("INSERT INTO tickets VALUES ('q-3', 'own')"));
      return said;
    };
    assert.equal((await mert.can("hall.enter", hall)).allowed, false);
    core.query = query;
    assert.equal((await late).errno, 1792, "it is refused, not rolled back without a word");
    await host.say("INSERT INTO tickets VALUES ('q-4', 'own')");
    await host.commit();
  });
}

for (const kind of ["mysql2/promise", "mysql2"]) {
  test(`${kind}, whose statements do not commit by themselves`, { skip: KINDS[kind].missing }, async (t) => {
    const { host, connect, verified } = await world(t, { kind, set: "SET SESSION autocommit = 0" });
    await host.commit();
    const engine = await Engine.open({ store: host.connection });
    const other = await connect();
    const count = async (status) => {
      const found = await other.one(`SELECT count(*) FROM tickets WHERE status = '${status}'`);
      await other.commit();
      return found;
    };
    const insert = (id, status) => host.say(`INSERT INTO tickets VALUES ('${id}', '${status}')`);
    const birth = (joined, id) => joined.tenant("t1").as(ayse).begin("ticket", id, "order", { facts });
    const answer = await engine.transaction(async (_, joined) => {
      await insert("a-1", "yes");
      return birth(joined, "a-1");
    });
    assert.deepEqual([answer.allowed, await count("yes")], [true, 1]);
    const no = await engine.transaction(async (_, joined) => {
      await insert("a-2", "no");
      return joined.tenant("t1").as(ayse).transition("ticket", "nowhere", "pay", { args: { amount: 1 } });
    });
    assert.deepEqual([no.allowed, await count("no")], [false, 0]);
    // What the host has written before is no part of it.
    await insert("a-3", "before");
    assert.match((await thrown(() => engine.transaction(() => assert.fail("it does not run")))).message, /in a transaction already/);
    await host.commit();
    assert.equal(await count("before"), 1);
    for (const end of ["COMMIT", "ROLLBACK"]) {
      const error = await thrown(() => engine.transaction(() => host.say(end)));
      assert.equal(error.code, "hos.no_transaction", `${end}: ${error}`);
    }
    // Behind an end the next statement is in another transaction, which is not the one that was answered in.
    const ended = async (id, how) => {
      const error = await thrown(() => engine.transaction(async (_, joined) => {
        const said = await birth(joined, id);
        await how();
        await insert(id, "late");
        return said;
      }));
      assert.equal(error.code, "hos.no_transaction", `${id}: ${error}`);
      assert.deepEqual([await count("late"), await other.one(`SELECT count(*) FROM hos_instance WHERE id = '${id}'`)], [0, 0]);
      await other.commit();
    };
    await ended("a-4", () => host.rollback());
    await ended("a-5", async () => {
      for (const id of ["l-1", "l-2"]) await other.say(`INSERT INTO tickets VALUES ('${id}', 'lock')`);
      await other.commit();
      const touch = (by, id) => by.say(`UPDATE tickets SET status = 'lock' WHERE id = '${id}'`);
      await other.say(`INSERT INTO tickets VALUES ${Array.from({ length: 200 }, (_, n) => `('heavy-${n}', 'heavy')`).join()}`);
      await other.say("SELECT * FROM tickets WHERE id = 'l-2' FOR UPDATE");
      await host.say("SELECT * FROM tickets WHERE id = 'l-1' FOR UPDATE");
      const waits = touch(other, "l-1");
      // It has done less, so that it is the one that the server gives up; and the work passes over that.
      assert.equal((await thrown(() => touch(host, "l-2"))).errno, 1213);
      await waits;
      await other.rollback();
    });
    assert.equal(verified().level, "intact");
  });
}
