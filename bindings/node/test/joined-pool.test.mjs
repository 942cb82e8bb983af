// A pool of the host's: what becomes of a connection that is taken out of it, and questions, which take one by themselves. Nobody
// but the package hears what befalls a connection here.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { hos, vectors } from "./house.mjs";
import { FEWER, KINDS, world } from "./databases.mjs";

const { CallError, ClosedError, Denied, Engine, StoreError, Uid } = hos;
const [ayse, mert] = ["ayse", "mert"].map((id) => new Uid("S::Account", id));
const hall = new Uid("S::Hall", "h1");
const facts = { owner: ayse, price: 10 };
const thrown = (work) => work.then((given) => assert.fail(`it gave ${given}`), (error) => error);

/** The connection with callbacks, or the client, that everything is said on. */
const core = (connection) => ("beginTransaction" in connection ? (connection.connection ?? connection) : connection);

/** A port at which nobody listens. */
async function nowhere() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

for (const variant of FEWER.filter(({ kind }) => kind !== "better-sqlite3")) {
  test(variant.name, { skip: variant.skip }, async (t) => {
    const { host, connect, url, own, run } = await world(t, variant);
    const isPg = variant.kind === "pg";
    const ended = (pool) => (variant.kind === "mysql2" ? new Promise((done) => pool.end(done)) : pool.end());
    const pooled = (at = url) => {
      const pool = KINDS[variant.kind].pool(at, { ...own, ...(isPg ? { max: 1 } : { connectionLimit: 1 }) });
      // Of what is idle the pool itself hears.
      pool.on("error", () => {});
      t.after(() => ended(pool).catch(() => {}));
      return pool;
    };
    /** How often a connection was taken out of the pool. */
    const taken = (pool) => {
      const name = isPg ? "connect" : "getConnection";
      const { [name]: take } = pool;
      const seen = { times: 0 };
      pool[name] = function (...words) {
        seen.times += 1;
        return take.apply(this, words);
      };
      return seen;
    };
    const born = (engine, id) => engine.transaction((_, on) => on.tenant("t1").as(ayse).begin("ticket", id, "order", { facts }));
    const lastly = async (engine, id) => assert.equal((await born(engine, id)).allowed, true, "the pool goes on");

    await t.test("a server that ends a session ends no process", async () => {
      const pool = pooled();
      const engine = await Engine.open({ store: pool });
      const client = await engine.transaction(async (connection) => core(connection));
      const heard = client.listenerCount("error");
      const error = await thrown(engine.transaction(async (connection, on) => {
        assert.equal(core(connection), client);
        const [id] = isPg ? (await connection.query("SELECT pg_backend_pid() AS id")).rows : [{ id: client.threadId }];
        const gone = once((client.connection ?? client).stream, "close");
        await host.say(isPg ? `SELECT pg_terminate_backend(${id.id})` : `KILL ${id.id}`);
        await gone;
        return on.tenant("t1").as(ayse).begin("ticket", "killed", "order", { facts });
      }));
      assert.ok(error instanceof StoreError && error.cause !== undefined, `${error}`);
      if (isPg) assert.equal(client.listenerCount("error"), heard, "and nothing of ours is left on it");
      await lastly(engine, "killed");
    });

    await t.test("no connection, or one that is dead, is an error of ours", async () => {
      const away = await Engine.open({ store: pooled(Object.assign(new URL(url), { port: await nowhere() }).href) });
      const other = await connect();
      const lost = await Engine.open({ store: other.connection });
      other.lose();
      for (const [how, call] of Object.entries({
        "no connection": () => away.transaction(() => assert.fail("it does not run")),
        "no connection, for a question": () => away.tenant("t1").as(ayse).can("hall.enter", hall),
        "a dead one": () => lost.transaction(() => assert.fail("it does not run")),
      })) {
        const error = await thrown(call());
        assert.ok(error instanceof StoreError && error.code === "hos.store_unavailable", `${how}: ${error}`);
        assert.ok(error.cause instanceof Error, how);
      }
    });

    await t.test("one that does not say whether it is in a transaction does not go back to its pool", async () => {
      const engine = await Engine.open({ store: pooled() });
      const odd = new Error("it is lost");
      for (const [n, fails] of [
        (client) => engine.transaction(() => assert.fail(`it does not run on ${client}`)),
        () => engine.tenant("t1").as(ayse).can("hall.enter", hall),
      ].entries()) {
        const client = await engine.transaction(async (connection) => core(connection));
        client.query = (...words) => {
          const done = words.at(-1);
          return typeof done === "function" ? void setImmediate(done, odd) : Promise.reject(odd);
        };
        const error = await thrown(fails(client));
        assert.ok(error instanceof StoreError && error.cause === odd, `${error}`);
        assert.notEqual(await engine.transaction(async (connection) => core(connection)), client);
        await lastly(engine, `odd-${n}`);
      }
    });

    await t.test("whoever is closed, or is not there, takes none", async () => {
      const pool = pooled();
      const seen = taken(pool);
      const absent = await Engine.openForShadow("/none", { store: pool });
      assert.equal(await thrown(absent.transaction(() => assert.fail("it does not run"))), absent.absent);
      const engine = await Engine.open({ store: pool });
      for (const trying of [null, { isolationLevel: "serializable" }]) {
        assert.equal((await thrown(engine.transaction(() => assert.fail("it does not run"), trying))).code, "hos.call_malformed");
      }
      engine.close();
      for (const call of [
        () => engine.transaction(() => assert.fail("it does not run")),
        () => engine.tenant("t1").as(ayse).can("hall.enter", hall),
      ]) assert.ok((await thrown(call())) instanceof ClosedError);
      assert.equal(seen.times, 0);
    });

    await t.test("a question takes one where it is not answered from memory, and gives it back", async () => {
      const pool = pooled();
      const seen = taken(pool);
      const engine = await Engine.open({ store: pool, directoryAgeMaxMs: 60_000 });
      const who = engine.tenant("t1").as(ayse);
      const many = await Promise.all(Array.from({ length: 8 }, () => who.can("hall.enter", hall)));
      assert.deepEqual([many.map((one) => one.allowed), seen.times], [Array(8).fill(true), 1]);
      const both = await who.canAll(["hall.enter", "hall.leave"].map((action) => ({ action, resource: hall })));
      assert.deepEqual(both.map((one) => one.code), [undefined, "hos.action_unknown"]);
      const denied = await thrown(who.authorize("hall.enter", hall, { context: { hour: 3 } }));
      assert.ok(denied instanceof Denied && denied.message.includes("hos.forbidden"), `${denied}`);
      assert.equal(await who.shadowCan("hall.enter", hall, { legacy: () => "old" }), "old");
      assert.equal((await thrown(who.can("hall.enter", hall, { no: 1 }))).code, "hos.call_malformed");
      assert.equal(seen.times, 1);
      await lastly(engine, "asked");
      // One that always asks sees at once what others have changed.
      const strict = await Engine.open({ store: pool, directoryAgeMaxMs: 0 });
      const change = (...words) => run("directory", ...words, "--tenant", "t1", "--as", "Account::ayse");
      change("put", "Hall::h2", "--attr", "open=false");
      for (const [word, may] of [["join", true], ["leave", false]]) {
        change(word, "Account::mert", "Hall::h2");
        assert.equal((await strict.tenant("t1").as(mert).can("hall.enter", new Uid("S::Hall", "h2"))).allowed, may);
      }
      // What writes needs a transaction, as ever.
      const error = await thrown(who.begin("ticket", "none", "order", { facts }));
      assert.ok(error instanceof CallError && error.code === "hos.no_transaction", `${error}`);
      assert.equal((await thrown(strict.tenant("none").as(ayse).can("hall.enter", hall))).code, "hos.tenant_unknown");
      await lastly(strict, "asked-2");
    });

    await t.test("beside the world's own outcome too, which stands where the call is none", async () => {
      run("law", "activate", join(vectors, "law"), "--mode", "shadow", "--tenant", "universe", "--as", "Account::ayse");
      const legacy = { allowed: true };
      const calls = {
        ok: [(who) => who.can("hall.enter", hall, { legacy }), undefined],
        odd: [(who) => who.can("hall.enter", hall, { legacy, context: null }), "hos.value_invalid"],
        "in no transaction": [(who) => who.transition("ticket", "t", "pay", { legacy, args: { amount: 1 } }), "hos.no_transaction"],
      };
      for (const [how, [call, code]] of Object.entries(calls)) {
        // Each has read nothing yet.
        const engine = await Engine.open({ store: pooled() });
        const answer = await call(engine.tenant("t1").as(ayse));
        assert.deepEqual([answer.allowed, answer.mode, answer.code], [true, "shadow", code], how);
      }
    });
  });
}

test("a client of pg whose columns come as bytes is refused", { skip: KINDS.pg.missing }, async (t) => {
  const { host, connect, url } = await world(t, { kind: "pg" });
  const bytes = (await connect({ binary: true })).connection;
  const engine = await Engine.open({ store: host.connection });
  const pool = KINDS.pg.pool(url, { binary: true, max: 1 });
  // Its database goes before it does.
  pool.on("error", () => {});
  t.after(() => pool.end());
  const pooled = await Engine.open({ store: pool });
  for (const call of [
    () => Engine.open({ store: bytes }),
    async () => engine.on(bytes),
    () => pooled.transaction(() => assert.fail("it does not run")),
    () => pooled.tenant("t1").as(ayse).can("hall.enter", hall),
    async () => { throw (await Engine.openForShadow({ store: bytes })).absent; },
  ]) {
    const error = await thrown(call());
    assert.ok(error instanceof CallError && error.code === "hos.call_malformed" && /`binary: true`/.test(error.message), `${error}`);
  }
  assert.equal(pool.idleCount, 1, "they go back");
});
