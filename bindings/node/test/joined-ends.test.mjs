// The end of a transaction, and calls that nobody has awaited by then: none of them says anything in no transaction, or in another's.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { hos } from "./house.mjs";
import { FEWER, KINDS, world } from "./databases.mjs";

const { CallError, Denied, Engine, OutcomeUnknownError, Uid } = hos;
const ayse = new Uid("S::Account", "ayse");
const facts = { owner: ayse, price: 10 };
const [enough, short] = [{ amount: 10 }, { amount: 1 }];
const thrown = (work) => work.then((given) => assert.fail(`it gave ${given}`), (error) => error);
const codes = async (calls) => (await Promise.all(calls)).map((one) => one.code);

/** The connection with callbacks, or the client, that everything is said on. */
const core = (connection) => ("beginTransaction" in connection ? (connection.connection ?? connection) : connection);
const sqlOf = (asked) => (typeof asked === "string" ? asked : (asked.text ?? asked.sql));

/** Has `look` see each statement before it is said; gives how that ends. */
function overheard(connection, look) {
  const client = core(connection);
  const { query } = client;
  client.query = function (asked, ...more) {
    return look(sqlOf(asked), () => query.call(this, asked, ...more), more.at(-1));
  };
  return () => void (client.query = query);
}

/** Begins, makes calls of which the first has an end of the host's sent behind one of its statements, and gives their errors. */
async function overtaken(host, actor, calls, { fails = () => undefined, isBefore = () => true, ends = () => host.rollback() } = {}) {
  await host.begin();
  let hasEnded = false;
  const end = overheard(host.connection, (sql, go, done) => {
    const fault = fails(sql);
    if (fault !== undefined) return void setImmediate(done, fault);
    const came = go();
    if (hasEnded || /^(ROLLBACK|DO 0)/.test(sql) || !isBefore(sql)) return came;
    hasEnded = true;
    ends();
    return came;
  });
  try {
    return await codes(calls(actor).map(thrown));
  } finally {
    end();
  }
}
const pays = (ids) => (actor) => ids.map((id) => actor.apply("ticket", id, "pay", { args: enough }));
/** They have one statement to write, which goes out by itself. */
const notes = (actor) => ["x", "y"].map((note) => actor.record("notes", note));
/** As MySQL, which knows no compound statement. */
const noTexts = (sql) => (/^BEGIN NOT/.test(sql) ? Object.assign(new Error("no such syntax"), { errno: 1064 }) : undefined);

for (const variant of FEWER.filter(({ kind }) => kind !== "better-sqlite3")) {
  test(variant.name, { skip: variant.skip }, async (t) => {
    const { host, connect, url, own, verified } = await world(t, variant);
    const all = (options) => KINDS[variant.kind].pool(url, { ...own, ...options });
    const pool = all({ max: 1, connectionLimit: 1 });
    t.after(() => (variant.kind === "mysql2" ? new Promise((done) => pool.end(done)) : pool.end()));
    // Its database goes before it does.
    pool.on?.("error", () => {});
    const pooled = await Engine.open({ store: pool });
    const engine = await Engine.open({ store: host.connection });
    const actorOf = (of) => of.tenant("t1").as(ayse);
    const say = (connection, sql) => KINDS[variant.kind].host(connection).say(sql);
    const insert = (connection, id) => say(connection, `INSERT INTO tickets VALUES ('${id}', 'x')`);
    const rows = (id) => host.one(`SELECT count(*) FROM tickets WHERE id = '${id}'`);
    const paid = () => host.one("SELECT count(*) FROM hos_instance WHERE state = 'paid'");
    const written = () => host.one("SELECT (SELECT count(*) FROM hos_record) + (SELECT count(*) FROM hos_inbox)");
    let number = 0;
    const born = async () => {
      const id = `e-${(number += 1)}`;
      assert.equal((await engine.transaction((_, on) => actorOf(on).begin("ticket", id, "order", { facts }))).allowed, true);
      return id;
    };
    /** Somebody else's transaction keeps this instance for a while. */
    const kept = async (id) => {
      const other = await connect();
      await other.begin();
      assert.equal((await actorOf(engine.on(other.connection)).transition("ticket", id, "name", { args: { name: "x" } })).allowed, true);
      return () => other.rollback();
    };

    await t.test("what is left over when one of several fails writes nothing, and nothing in who comes next", async () => {
      const [bad, slow, last] = [await born(), await born(), await born()];
      const free = await kept(slow);
      const before = [await paid(), await written()];
      let calls;
      let next;
      const error = await thrown(pooled.transaction(async (connection, on) => {
        await insert(connection, "left");
        next = pooled.transaction(async (other) => {
          await insert(other, "next-1");
          await sleep(100);
          await insert(other, "next-2");
          return "next";
        });
        const pays = [[bad, short], [slow, enough], [last, enough]].map(([id, args]) => actorOf(on).apply("ticket", id, "pay", { args }));
        calls = pays.map(thrown);
        setTimeout(free, 100);
        return Promise.all(pays);
      }));
      assert.ok(error instanceof Denied, `${error}`);
      assert.equal(await next, "next");
      assert.deepEqual(await codes(calls), ["ticket.too_little", "hos.no_transaction", "hos.no_transaction"]);
      assert.deepEqual([await rows("left"), await rows("next-1"), await rows("next-2")], [0, 1, 1]);
      assert.deepEqual([await paid(), await written()], before);
      assert.equal(verified().level, "intact");
    });

    await t.test("nor does what reads its arguments for long, what acts in shadow, and what is asked of an engine that is over", async () => {
      const [slow, other] = [await born(), await born()];
      const before = [await paid(), await written()];
      let open;
      const gate = new Promise((done) => (open = done));
      let [left, over] = [[], undefined];
      const odd = new Error("the host's own");
      const seen = [];
      assert.equal(await thrown(pooled.transaction(async (_, on) => {
        over = actorOf(on);
        left.push(thrown(over.apply("ticket", slow, "pay", { args: () => gate.then(() => enough) })));
        void over.shadow("ticket", other, "pay", { legacy: () => gate.then(() => "paid"), args: enough, seen: (law) => seen.push(law) });
        await sleep(50);
        throw odd;
      })), odd);
      await pooled.transaction(async (connection) => {
        await insert(connection, "between");
        open();
        left.push(thrown(over.apply("ticket", other, "pay", { args: enough })), thrown(over.can("hall.enter", new Uid("S::Hall", "h1"))));
        await sleep(50);
        return "done";
      });
      assert.deepEqual(await codes(left), Array(3).fill("hos.no_transaction"));
      assert.deepEqual(seen.map((law) => law.code), ["hos.no_transaction"]);
      assert.equal(await rows("between"), 1);
      assert.deepEqual([await paid(), await written()], before);
      assert.equal(verified().level, "intact");
    });

    await t.test("a call that nobody has awaited is not overtaken by the commit", async () => {
      const before = [await paid(), await written()];
      for (const work of [
        async (pay) => void pay().catch(() => {}),
        async (pay) => Promise.race([pay(), "it took too long"]),
      ]) {
        const id = await born();
        const error = await thrown(engine.transaction(async (connection, on) => {
          await insert(connection, id);
          await work(() => actorOf(on).apply("ticket", id, "pay", { args: enough }));
          return "done";
        }));
        assert.ok(error instanceof CallError && error.code === "hos.call_malformed" && /await each call/.test(error.message), `${error}`);
        assert.deepEqual([await rows(id), await paid()], [0, before[0]]);
      }
      // One in shadow does no harm: it comes to its end first.
      const id = await born();
      const seen = [];
      assert.equal(await engine.transaction(async (connection, on) => {
        await insert(connection, id);
        void actorOf(on).shadow("ticket", id, "pay", { legacy: () => "paid", args: enough, seen: (law) => seen.push(law) });
        return "done";
      }), "done");
      assert.deepEqual([seen.map((law) => law.allowed), await rows(id), await paid()], [[true], 1, before[0] + 1]);
      assert.equal(verified().level, "intact");
    });

    await t.test("where the host ends its transaction itself, nothing is written behind that", async () => {
      const ids = [await born(), await born()];
      const before = [await paid(), await written()];
      assert.deepEqual(await overtaken(host, actorOf(engine), pays(ids)), Array(2).fill("hos.no_transaction"));
      assert.deepEqual(await overtaken(host, actorOf(engine), notes), Array(2).fill("hos.no_transaction"));
      assert.deepEqual([await paid(), await written()], before);
      assert.equal(verified().level, "intact");
    });

    await t.test("nor where a client does not tell its transaction", { skip: variant.kind !== "pg" }, async () => {
      const ids = [await born(), await born()];
      const before = [await paid(), await written()];
      host.connection.getTransactionStatus = undefined;
      try {
        // The last that is asked before something is written.
        const isBefore = (sql) => sql.includes("AS again");
        assert.deepEqual(await overtaken(host, actorOf(engine), pays(ids), { isBefore }), Array(2).fill("hos.no_transaction"));
      } finally {
        delete host.connection.getTransactionStatus;
      }
      assert.deepEqual([await paid(), await written()], before);
      assert.equal(verified().level, "intact");
    });

    await t.test("nor where a database takes no texts", { skip: variant.kind === "pg" }, async () => {
      const ids = [await born(), await born()];
      const before = [await paid(), await written()];
      assert.deepEqual(await overtaken(host, actorOf(engine), pays(ids), { fails: noTexts }), Array(2).fill("hos.no_transaction"));
      assert.deepEqual([await paid(), await written()], before);
      assert.equal(verified().level, "intact");
    });

    await t.test("a commit that is not answered in time may have come through, and its connection is given up", async () => {
      const id = await born();
      const timed = all({ max: 1, connectionLimit: 1, query_timeout: 400 });
      timed.on?.("error", () => {});
      const isPg = variant.kind === "pg";
      try {
        if (isPg) {
          await host.say("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.6); RETURN NULL; END $$");
          await host.say("CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON tickets DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()");
        }
        const at = await Engine.open({ store: timed });
        const seen = [];
        const error = await thrown(at.transaction(async (connection, on) => {
          seen.push(core(connection));
          await insert(connection, id);
          const answer = await actorOf(on).apply("ticket", id, "pay", { args: enough });
          // As a time that ran out: mysql2 has none for what it is not told one.
          if (!isPg) {
            overheard(connection, (sql, go, done) => {
              if (sql !== "COMMIT") return go();
              setImmediate(done, Object.assign(new Error("Query inactivity timeout"), { code: "PROTOCOL_SEQUENCE_TIMEOUT" }));
              return undefined;
            });
          }
          return answer;
        }));
        assert.ok(error instanceof OutcomeUnknownError && error.code === "hos.outcome_unknown", `${error}`);
        await sleep(isPg ? 1000 : 50);
        if (isPg) assert.equal(await rows(id), 1, "it had come through");
        await at.transaction(async (connection) => void seen.push(core(connection)));
        assert.notEqual(seen[0], seen[1]);
        assert.equal(verified().level, "intact");
      } finally {
        await (variant.kind === "mysql2" ? new Promise((done) => timed.end(done)) : timed.end());
      }
    });
  });
}

for (const kind of ["mysql2/promise", "mysql2"]) {
  test(`${kind}, whose statements do not commit by themselves`, { skip: KINDS[kind].missing }, async (t) => {
    const { host, connect, verified } = await world(t, { kind, set: "SET SESSION autocommit = 0" });
    await host.commit();
    const other = await connect();
    const engine = await Engine.open({ store: host.connection });
    const one = async (sql) => {
      const found = await other.one(sql);
      await other.commit();
      return found;
    };
    const written = async () => [
      await one("SELECT count(*) FROM hos_instance WHERE state <> ''"),
      await one("SELECT count(*) FROM hos_instance WHERE state = 'paid'"),
      await one("SELECT (SELECT count(*) FROM hos_record) + (SELECT count(*) FROM hos_inbox)"),
    ];
    let number = 0;
    const born = async () => {
      const id = `e-${(number += 1)}`;
      assert.equal((await engine.transaction((_, on) => on.tenant("t1").as(ayse).begin("ticket", id, "order", { facts }))).allowed, true);
      return id;
    };
    // What a call says behind the end is in a transaction all the same, and in another one.
    for (const [how, ends] of Object.entries({
      rollback: () => host.rollback(),
      commit: () => host.commit(),
      "commit, and a statement of the host's": () => void Promise.all([host.commit(), host.say("UPDATE tickets SET status = 'x'")]),
      "rollback, and another begun": () => void Promise.all([host.rollback(), host.begin()]),
    })) {
      for (const fails of [undefined, noTexts]) {
        await t.test(`${how}: nothing is written behind it${fails === undefined ? "" : ", where a database takes no texts"}`, async () => {
          const actor = (await Engine.open({ store: host.connection })).tenant("t1").as(ayse);
          const ids = [await born(), await born()];
          const before = await written();
          const births = (by) => ["x", "y"].map((id) => by.begin("ticket", `b-${(number += 1)}${id}`, "order", { facts }));
          for (const calls of [pays(ids), births]) {
            assert.equal((await overtaken(host, actor, calls, { fails, ends }))[0], "hos.no_transaction");
            await host.commit();
            assert.deepEqual(await written(), before);
          }
          assert.equal(verified().level, "intact");
        });
      }
    }
  });
}
