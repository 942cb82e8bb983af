// `shadow`: the world decides, the law watches, and whatever befalls the law the world does not feel it.

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, unlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { command, here, hos, place, root, store, vectors } from "./house.mjs";
import { all, harmed, until } from "./worlds.mjs";

const { CallError, ClosedError, Engine, HosError, LawError, RetryError, StoreError, Uid } = hos;
const mert = new Uid("S::Account", "mert");
const [hall, shut] = ["h1", "h2"].map((name) => new Uid("S::Hall", name));
const law = join(vectors, "law");

/** A store whose law only watches. */
function watched() {
  const path = store();
  command(path, ["law", "activate", law, "--mode", "shadow", "--tenant", "t1", "--as", "Account::ayse"]);
  return path;
}

const path = watched();
const engine = await Engine.openForShadow(law, { store: path });
assert.equal(engine.absent, undefined);
const actor = engine.tenant("t1").as(mert);
test.after(() => engine.close());

const codes = (told) => [...new Set(told.map((one) => one.code))];

/** One call, and what `seen` is told. */
function seen(who, form, ...words) {
  const options = words.pop();
  return new Promise((tell) => who[form](...words, { ...options, seen: tell }));
}

test("all worlds, under a law that is well", async () => {
  const told = await harmed(actor);
  assert.deepEqual([...new Set(told.map((one) => one.mode))], ["shadow"]);
});

test("what the law is told", async () => {
  for (const [name, [legacy, allowed]] of Object.entries(all)) {
    const told = await new Promise((tell) => {
      try {
        Promise.resolve(actor.shadowCan("hall.enter", hall, { legacy, seen: tell })).catch(() => {});
      } catch {
        // It is the world's.
      }
    });
    assert.equal(told.allowed, allowed, name);
  }
});

test("what is given is given at once, and a promise stays one", async () => {
  assert.equal(actor.shadow("ticket", "none", "pay", { legacy: () => 5 }), 5);
  const promise = actor.shadow("ticket", "none", "pay", { legacy: async () => 5 });
  assert.ok(promise instanceof Promise);
  assert.equal(await promise, 5);
});

test("where law and world differ", async () => {
  const told = [];
  const look = (answer) => told.push([answer.allowed, answer.code, answer.divergence]);
  const facts = { owner: mert, price: 5 };
  actor.shadowBegin("ticket", "k-2", "order", { legacy: () => 7, facts, seen: look });
  const paid = actor.shadow("ticket", "k-2", "pay", {
    legacy: () => "paid", outcome: (state) => ({ allowed: true, state }), args: { amount: 1 }, seen: look,
  });
  assert.equal(paid, "paid");
  assert.equal(actor.shadowCan("hall.enter", shut, { legacy: () => true, seen: look }), true);
  assert.equal(await actor.shadowCan("hall.enter", hall, { legacy: async () => false, seen: look }), false);
  assert.deepEqual(told, [], "nobody waited for the law");
  await until(() => told.length === 4);
  assert.deepEqual(told, [
    [true, undefined, false], [true, "ticket.too_little", true], [true, "hos.not_permitted", true], [false, undefined, true],
  ]);
  const states = (await actor.history("ticket", "k-2")).map((entry) => entry.to);
  assert.deepEqual(states, ["new", "paid"], "the instance follows the world, in the world's order");
});

test("what the world came to is for `outcome` to say", async () => {
  const gone = new Error("gone");
  const fail = () => { throw gone; };
  for (const [name, legacy, outcome, allowed] of [
    ["of what it gave", () => ({ status: "failed" }), (said) => said.status === "ok", false],
    ["nothing said", () => false, () => undefined, false],
    ["null said", () => false, () => null, false],
    ["of what it threw", fail, (said) => said === gone, true],
    ["not of what it threw", fail, (said) => said.no.such, false],
    ["of what was promised", async () => "ok", (said) => said === "ok", true],
    ["of what was rejected", async () => fail(), (said) => said === gone, true],
    ["an object", () => 1, () => ({ allowed: false }), false],
  ]) {
    const told = await new Promise((tell) => {
      try {
        Promise.resolve(actor.shadowCan("hall.enter", hall, { legacy, outcome, seen: tell })).catch(() => {});
      } catch (thrown) {
        assert.equal(thrown, gone);
      }
    });
    assert.equal(told.allowed, allowed, name);
  }
});

test("an `outcome` that is of no use: the law is not asked, and the world goes on", async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const outcome of [() => "yes", () => { throw new Error("x"); }, "no function", 7, async () => { throw new Error("later"); }, () => { throw proxy; }]) {
    const told = await harmed(actor, { only: ["shadow"], own: ["ticket", "k-3", "pay"], more: { outcome } });
    const asked = Object.values(all).filter(([, allowed]) => allowed).length;
    assert.ok(told.filter((one) => one instanceof Error).length >= asked);
  }
});

test("`seen` may fail, or be none", async () => {
  const absent = (await Engine.openForShadow({ store: "/nowhere" })).tenant("t1").as(mert);
  for (const looks of [() => { throw new Error("x"); }, async () => { throw new Error("later"); }, "no function", 7, null, undefined]) {
    for (const who of [actor, absent]) await harmed(who, { only: ["shadowCan"], more: { seen: looks } });
  }
  await harmed(actor, { only: ["shadowCan"], more: Object.defineProperty({}, "seen", { enumerable: true, value: undefined }) });
});

test("`seen` is told in the context of its call", async () => {
  const request = new AsyncLocalStorage();
  const told = await Promise.all(["a", "b"].map((name) => request.run(name, () => new Promise((tell) => {
    actor.shadowCan("hall.enter", hall, { legacy: () => 1, seen: () => tell(request.getStore()) });
  }))));
  assert.deepEqual(told, ["a", "b"]);
});

test("nothing is asked, and nobody told, before the caller goes on", async () => {
  const { Lane } = createRequire(import.meta.url)("../dist/lane.js");
  for (const ask of [() => "an answer", () => { throw new Error("x"); }]) {
    const [lane, done] = [new Lane(), []];
    for (let i = 0; i < 1_002; i += 1) lane.push(() => { done.push(i); return ask(); }, () => done.push("told"), 1);
    assert.deepEqual([done, lane.isBusy], [[], true]);
    await lane.idle();
    assert.deepEqual([done.length, lane.isBusy, done.filter((one) => one !== "told").at(-1)], [2_002, false, 999]);
  }
});

test("without the old code there is nothing to watch", () => {
  for (const options of [undefined, {}, { legacy: 7 }, { legacy: null }]) {
    assert.throws(() => actor.shadow("ticket", "k", "pay", options), { code: "hos.call_malformed", message: /`legacy`/ });
  }
});

/** A stand-in runs the old code alone, and says why; it throws that for all else. */
async function standsIn(opened, kind, code) {
  assert.ok(opened.absent instanceof kind, String(opened.absent));
  if (code !== undefined) assert.equal(opened.absent.code, code);
  const who = opened.tenant("t1").as(mert);
  const told = await harmed(who);
  assert.deepEqual([...new Set(told)], [opened.absent]);
  for (const call of [
    () => who.can("hall.enter", hall),
    () => who.can("hall.enter", 'S::Hall::"h1"', { legacy: { allowed: true } }),
    () => who.begin("ticket", "k", "order"),
    () => who.transition("ticket", "k", "pay", { legacy: { allowed: true } }),
    () => who.available("ticket", "k"),
    () => who.history("ticket", "k"),
    () => who.directory.revoke("g"),
    () => opened.tenant("t1").message("x", "en"),
    () => opened.call("can", "{}"),
  ]) {
    await assert.rejects(async () => call(), (thrown) => thrown === opened.absent);
  }
  await opened.close();
  opened.closeSync();
  await opened.close();
}

test("an engine that cannot be opened", async () => {
  const dir = place();
  writeFileSync(join(dir, "rotten.db"), "no store".repeat(1000));
  mkdirSync(join(dir, "law"));
  writeFileSync(join(dir, "law", "law.toml"), "name = ");
  const keyless = store();
  unlinkSync(`${keyless}.key`);
  const other = store();
  for (const [words, kind, code] of [
    [[{ store: "/nowhere/hos.db" }], StoreError, "hos.store_unavailable"],
    [[{ store: join(dir, "rotten.db") }], HosError],
    [[join(dir, "law"), { store: other }], LawError, "hos.law_invalid"],
    [[join(root, "examples", "pazar", "law"), { store: other }], LawError, "hos.law_not_active"],
    [[{ store: keyless }], HosError],
    [[{ stor: other }], CallError],
    [[{ store: 7 }], CallError],
    [[null], CallError],
    [[{ get store() { throw new RangeError("x"); } }], Error],
  ]) {
    await standsIn(await Engine.openForShadow(...words), kind, code);
    assert.ok(Engine.openForShadowSync(...words).absent instanceof kind);
  }
});

test("no addon: as a program meets it", () => {
  const file = join(place(), "missing.mjs");
  writeFileSync(file, `import { createRequire } from "node:module";
const { Engine, Uid } = createRequire(${JSON.stringify(join(here, "package.json"))})("hos");
const seen = (why) => console.log(why === engine.absent, why.name, why.code);
const engine = await Engine.openForShadow({ store: "x" });
const actor = engine.tenant("t1").as(new Uid("S::Account", "mert"));
console.log(actor.shadow("ticket", "k", "pay", { legacy: () => 5, seen }), Engine.openForShadowSync({ store: "x" }).absent.name);
console.log(await actor.shadowCan("hall.enter", 'S::Hall::"h1"', { legacy: async () => 6, seen }));
try { actor.shadowBegin("ticket", "k", "order", { legacy() { throw new RangeError("gone"); }, seen }); } catch (error) { console.log(error.message); }`);
  const none = join(place(), "none.node");
  writeFileSync(none, "no library");
  for (const addon of ["/nowhere.node", none]) {
    const run = spawnSync(process.execPath, [file], { encoding: "utf8", env: { ...process.env, HOS_NODE_ADDON: addon } });
    assert.deepEqual([run.status, run.stderr], [0, ""]);
    assert.deepEqual(run.stdout.trim().split("\n").sort(), [
      "5 InternalError", "6", "gone", ...Array(3).fill("true InternalError hos.internal"),
    ].sort());
  }
});

test("a closed engine", async () => {
  for (const close of ["close", "closeSync"]) {
    const own = watched();
    const opened = await Engine.openForShadow({ store: own });
    await opened[close]();
    assert.deepEqual(codes(await harmed(opened.tenant("t1").as(mert))), ["hos.engine_closed"]);
    assert.match(command(own, ["verify"]), /intact/);
  }
});

test("closing waits for what the law has not judged yet, and for nothing else", async () => {
  const own = watched();
  const opened = await Engine.openForShadow({ store: own });
  const who = opened.tenant("t1").as(mert);
  const told = [];
  for (let i = 0; i < 30; i += 1) {
    who.shadowBegin("ticket", `c-${i}`, "order", { legacy: () => 1, facts: { owner: mert, price: 5 }, seen: (answer) => told.push(answer) });
  }
  const closing = opened.close();
  await assert.rejects(who.begin("ticket", "late", "order"), ClosedError);
  assert.equal(who.shadow("ticket", "c-1", "pay", { legacy: () => 7, seen: (answer) => told.push(answer) }), 7);
  await closing;
  assert.deepEqual(told.map((one) => one.code), [...Array(30).fill(undefined), "hos.engine_closed"]);
  await opened.close();
  assert.match(command(own, ["history", "ticket", "c-29", "--tenant", "t1", "--as", "Account::mert", "--json"]), /"observed"/);
});

test("a process that ends by itself waits for the law", () => {
  const own = watched();
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", `
import { createRequire } from "node:module";
const { Engine, Uid } = createRequire(${JSON.stringify(join(here, "package.json"))})("hos");
const mert = new Uid("S::Account", "mert");
const actor = (await Engine.openForShadow({ store: ${JSON.stringify(own)} })).tenant("t1").as(mert);
for (let i = 0; i < 20; i += 1) actor.shadowBegin("ticket", "e-" + i, "order", { legacy: () => 1, facts: { owner: mert, price: 5 } });`], { encoding: "utf8" });
  assert.deepEqual([run.status, run.stderr], [0, ""]);
  assert.match(command(own, ["history", "ticket", "e-19", "--tenant", "t1", "--as", "Account::mert", "--json"]), /"observed"/);
});

/** Another process that writes for long. */
async function held(t, path) {
  const code = 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None); db.execute("BEGIN IMMEDIATE"); print("held", flush=True); sys.stdin.readline()';
  const holder = spawn("python3", ["-c", code, path], { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise((there) => holder.stdout.once("data", there));
  const gone = new Promise((done) => holder.once("exit", done));
  const release = () => { holder.stdin.end(); return gone; };
  t.after(release);
  return release;
}

test("a locked store holds nobody up", async (t) => {
  const own = watched();
  const opened = await Engine.openForShadow({ store: own, busyTimeoutMs: 1 });
  const release = await held(t, own);
  assert.deepEqual(codes(await harmed(opened.tenant("t1").as(mert), { only: ["shadow", "shadowBegin"] })), ["hos.store_busy"]);
  await release();
  await opened.close();
});

test("what waits for a locked store is bounded, and leaves the pool to the world", async (t) => {
  const own = watched();
  const patient = await Engine.openForShadow({ store: own, busyTimeoutMs: 60_000 });
  const release = await held(t, own);
  const who = patient.tenant("t1").as(mert);
  const told = [];
  const look = (answer) => told.push(answer);
  const begun = performance.now();
  for (let i = 0; i < 1_100; i += 1) assert.equal(who.shadow("ticket", "none", "pay", { legacy: () => i, seen: look }), i);
  assert.equal(await who.shadow("ticket", "none", "pay", { legacy: async () => "late", seen: look }), "late");
  assert.ok(performance.now() - begun < 10_000, "the store is locked for as long as this test likes");
  const full = told.filter((one) => one instanceof RetryError && one.code === "hos.retry");
  assert.ok(full.length >= 100, "so many wait at most");
  assert.equal(told.length, full.length, "nothing else was judged yet");
  // The pool has threads left for the world.
  await Promise.all([1, 2, 3].map(() => readFile(join(here, "package.json"))));
  await release();
  await until(() => told.length === 1_101);
  await patient.close();
});

test("what waits is bounded in bytes as well", async (t) => {
  const own = watched();
  const opened = await Engine.openForShadow({ store: own, busyTimeoutMs: 60_000 });
  const release = await held(t, own);
  const who = opened.tenant("t1").as(mert);
  const told = [];
  const args = { text: "x".repeat(900_000) };
  for (let i = 0; i < 40; i += 1) who.shadow("ticket", "none", "pay", { legacy: () => i, args, seen: (answer) => told.push(answer) });
  await until(() => told.length >= 20);
  assert.ok(told.every((one) => one instanceof RetryError));
  await release();
  await until(() => told.length === 40);
  await opened.close();
});

test("closing a locked store ends with the first call that it refuses", async (t) => {
  const own = watched();
  const opened = await Engine.openForShadow({ store: own, busyTimeoutMs: 300 });
  const release = await held(t, own);
  const who = opened.tenant("t1").as(mert);
  const told = [];
  for (let i = 0; i < 200; i += 1) who.shadow("ticket", "none", "pay", { legacy: () => i, once: `o-${i}`, seen: (answer) => told.push(answer) });
  const closing = opened.close().catch(() => {});
  await until(() => told.length === 200);
  assert.deepEqual(codes(told), ["hos.store_busy", "hos.engine_closed"]);
  assert.ok(told.filter((one) => one.code === "hos.store_busy").length < 4, "the others were not asked");
  await release();
  await closing;
});

test("planted panics", async () => {
  const enforced = store();
  for (const own of [watched(), enforced]) {
    const opened = await Engine.openForShadow({ store: own, clock: "PT0S" });
    assert.equal(opened.absent, undefined, String(opened.absent));
    const who = async () => {
      await opened.call("failpoint", { panic: "clock" });
      return opened.tenant("t1").as(mert);
    };
    assert.deepEqual(codes(await harmed(who, { only: ["shadow", "shadowBegin"] })), ["hos.internal"]);
    await opened.call("failpoint", { clock: "PT0S" });
    await opened.close();
    assert.match(command(own, ["verify"]), /intact/);
  }
});

test("words of ours that are wrong", async () => {
  const itself = [1];
  itself.push(itself);
  const failing = { hosUid() { throw new RangeError("the row is gone"); } };
  const exhausted = { hosUid() { return this.hosUid(); } };
  const values = [null, 0.5, 2n ** 70n, "\ud800", itself, () => 1, "x".repeat(2_000_000), { __entity: 1 }, new Date(Number.NaN), 7, "", failing, exhausted, Symbol("s")];
  for (const value of values) {
    for (const more of [
      { args: { x: value } }, { context: { x: value } }, { args: value }, { given: [value] }, { given: value }, { once: value }, { reason: value },
      { request: value }, { argz: value }, { contract: value }, { get args() { throw new RangeError("x"); } },
    ]) {
      await harmed(actor, { only: ["shadow"], more });
    }
    for (const at of [0, 1, 2]) {
      await harmed(actor, { only: ["shadow"], own: ["ticket", "k-1", "pay"].map((word, place) => (place === at ? value : word)) });
    }
    await harmed(actor, { only: ["shadowCan"], own: ["hall.enter", value] });
    await harmed(engine.tenant("t1").as(value), { only: ["shadowBegin"] });
    await harmed(engine.tenant(value).as(mert), { only: ["shadowBegin"] });
  }
  await harmed(engine.tenant("nowhere").as(undefined));
});

test("where the law is enforced it alone is heeded, and the world's answer is given all the same", async () => {
  const own = store();
  const opened = await Engine.openForShadow({ store: own });
  const who = opened.tenant("t1").as(mert);
  const told = await harmed(who, { only: ["shadowCan"] });
  assert.deepEqual([...new Set(told.map((one) => `${one.mode} ${one.allowed}`))], ["enforce true"]);
  const answer = await seen(who, "shadow", "ticket", "none", "pay", { legacy: () => "paid" });
  assert.deepEqual([answer.mode, answer.allowed, answer.code], ["enforce", false, "hos.instance_unknown"]);
  assert.equal(who.shadow("ticket", "none", "pay", { legacy: () => "paid" }), "paid");
  await opened.close();
  assert.match(command(own, ["verify"]), /intact/);
});

test("nobody has to look, and the evidence holds", async () => {
  assert.equal(actor.shadowBegin("ticket", "k-9", "order", { legacy: () => 3, facts: { owner: mert, price: 5 } }), 3);
  await engine.close();
  assert.match(command(path, ["history", "ticket", "k-9", "--tenant", "t1", "--as", "Account::mert", "--json"]), /"observed"/);
  assert.match(command(path, ["verify"]), /intact/);
});
