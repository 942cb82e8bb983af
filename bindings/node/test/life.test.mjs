// An engine's life: closed twice, closed in the middle, left to the collector, met by a panic, met by the end of the process.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, realpathSync, renameSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { test } from "node:test";
import { command, here, hos, place, store, vectors } from "./house.mjs";

const { Engine, Uid } = hos;
const mert = new Uid("S::Account", "mert");
const hall = new Uid("S::Hall", "h1");

/** Runs a script in a process of its own, beside the package. */
function script(path, body, flags = []) {
  const file = join(place(), "script.mjs");
  writeFileSync(file, `import { createRequire } from "node:module";
const { Engine, Uid } = createRequire(${JSON.stringify(join(here, "package.json"))})("hos");
const store = ${JSON.stringify(path)};
const mert = new Uid("S::Account", "mert"), hall = new Uid("S::Hall", "h1");
const order = (engine, id) => engine.tenant("t1").as(mert).begin("ticket", id, "order", { facts: { owner: mert, price: 1 } });
${body}`);
  return spawnSync(process.execPath, [...flags, file], { encoding: "utf8", timeout: 60_000, env: { ...process.env, RUST_BACKTRACE: "0" } });
}

test("after closing nothing is answered, and closing again is nothing", async () => {
  const path = store();
  const engine = await Engine.open({ store: path });
  const actor = engine.tenant("t1").as(mert);
  assert.equal(actor.can("hall.enter", hall).allowed, true);
  const old = actor.can("hall.enter", hall, { context: { hour: 2 } });
  await engine.close();
  await engine.close();
  engine.closeSync();
  const closed = { name: "ClosedError", code: "hos.engine_closed", status: "closed" };
  assert.throws(() => actor.can("hall.enter", hall), closed);
  assert.throws(() => actor.can("hall.enter", hall, { given: [] }), closed);
  assert.throws(() => actor.authorize("hall.enter", hall), closed);
  assert.throws(() => engine.tenant("t1").message("hos.forbidden", "en"), closed);
  await assert.rejects(actor.begin("ticket", "k", "order"), closed);
  await assert.rejects(actor.available("ticket", "k"), closed);
  await assert.rejects(actor.history("ticket", "k"), closed);
  await assert.rejects(engine.call("can", "{"), closed);
  assert.deepEqual([old.allowed, old.code], [false, "hos.forbidden"], "answers outlive their engine");
  const again = await Engine.open({ store: path });
  assert.equal(again.tenant("t1").as(mert).can("hall.enter", hall).allowed, true);
  await again.close();
});

test("closing waits for calls that are under way, and they end as they would have", async () => {
  const path = store();
  const engine = await Engine.open({ store: path });
  const actor = engine.tenant("t1").as(mert);
  const calls = Array.from({ length: 40 }, (_, at) => actor.begin("ticket", `c-${at}`, "order", { facts: { owner: mert, price: 1 } }));
  let ended = 0;
  calls.forEach((call) => call.then(() => (ended += 1)));
  const closing = engine.close();
  assert.throws(() => actor.can("hall.enter", hall), { code: "hos.engine_closed" }, "at once for everybody else");
  await closing;
  assert.equal(ended, 40);
  const answers = await Promise.all(calls);
  assert.ok(answers.every((answer) => answer.allowed && answer.receipt.seal !== undefined));
  assert.match(command(path, ["verify", "--replay"]), /^replayed /, "the evidence holds, judged again");
  const calls2 = await Engine.open({ store: path });
  const late = calls2.tenant("t1").as(mert).begin("ticket", "late", "order", { facts: { owner: mert, price: 1 } });
  calls2.closeSync();
  assert.equal((await late).allowed, true, "closeSync does not break what is under way either");
});

test("using closes", async () => {
  const path = store();
  const engine = await Engine.open({ store: path });
  if (Symbol.dispose === undefined) assert.equal(Object.getOwnPropertySymbols(Engine.prototype).length, 0);
  else engine[Symbol.dispose]();
  engine.closeSync();
  assert.throws(() => engine.tenant("t1").as(mert).can("hall.enter", hall), { code: "hos.engine_closed" });
  const other = await Engine.open({ store: path });
  await (Symbol.asyncDispose === undefined ? other.close() : other[Symbol.asyncDispose]());
  assert.throws(() => other.tenant("t1").as(mert).can("hall.enter", hall), { code: "hos.engine_closed" });
});

test("a store that is open here twice is open until both are closed", async () => {
  const path = store();
  const [one, two] = await Promise.all([Engine.open({ store: path }), Engine.open({ store: path })]);
  await one.close();
  assert.equal(two.tenant("t1").as(mert).can("hall.enter", hall).allowed, true);
  await assert.rejects(Engine.open({ store: path, seal: "worker" }), { name: "RetryError", code: "hos.store_busy" });
  await two.close();
  await (await Engine.open({ store: path, seal: "worker" })).close();
});

test("each path is the same option in other words, and wherever the process goes", async (t) => {
  const path = realpathSync(store());
  const dir = dirname(path);
  const [key, mark, sock] = ["own.key", "own.mark", "own.sock"].map((name) => join(dir, name));
  renameSync(`${path}.key`, key);
  command(path, ["mark", "--key-file", key, "--mark", mark]);
  mkdirSync(join(dir, "a", "b"), { recursive: true });
  symlinkSync(dir, join(dir, "also"));
  symlinkSync(join("a", "b"), join(dir, "deep"));
  const before = process.cwd();
  t.after(() => process.chdir(before));
  const law = join(vectors, "law");
  process.chdir(dir);
  const words = (whole) => [basename(whole), `./${basename(whole)}`, `${dir}//${basename(whole)}`, `also/${basename(whole)}`, `deep/../../${basename(whole)}`];
  for (const [name, whole] of [["store", path], ["keyFile", key], ["mark", mark], ["signerSocket", sock]]) {
    const options = name === "signerSocket" ? { store: path, signerSocket: sock } : { store: path, keyFile: key, mark };
    const engine = await Engine.open(law, options);
    for (const other of words(whole)) {
      // Under other options it would be held to be another engine's store.
      await (await Engine.open(law, { ...options, [name]: other }).catch((error) => assert.fail(`${name} ${other}: ${error}`))).close();
    }
    for (const other of [`${law}/`, join(law, ".") + "/.", relative(dir, law)]) {
      await (await Engine.open(other, options).catch((error) => assert.fail(`law ${other}: ${error}`))).close();
      await (await Engine.open({ ...options, law: other }).catch((error) => assert.fail(`law ${other}: ${error}`))).close();
    }
    await engine.close();
  }
  // `..` is where the file system says, not where the words do.
  await assert.rejects(Engine.open({ store: path, keyFile: "deep/../own.key" }), { code: "hos.key_invalid" });
  // What is no path stays what it was, and is refused.
  for (const none of ["", "own\0.key", 7]) {
    for (const name of ["store", "keyFile", "mark", "signerSocket"]) {
      await assert.rejects(Engine.open({ store: path, keyFile: name === "signerSocket" ? undefined : key, [name]: none }), { name: "CallError" }, `${name} ${none}`);
    }
  }
  const gone = join(dir, "gone");
  mkdirSync(gone);
  process.chdir(gone);
  rmdirSync(gone);
  await assert.rejects(Engine.open({ store: path, keyFile: "own.key" }), { code: "hos.call_malformed", message: /`keyFile` is a relative path/ });
});

test("a database's URL is no file, and its password is told to nobody", async () => {
  const one = ["postgres:/u:SECRET@h/db", "mysql:/u:SECRET@h/db", " PGSQL:host=h;password=SECRET", "mariadb+x:/u:SECRET@h/db", "\tsqlite:/SECRET/x.db"];
  for (const url of ["postgres://u:SECRET@127.0.0.1:1/db", "mysql://u:SECRET@h/db", "sqlite:///SECRET/x.db", ...one]) {
    const told = (error) => {
      assert.deepEqual([error.name, error.code], ["CallError", "hos.call_malformed"]);
      assert.match(error.message, /not its URL/);
      assert.doesNotMatch(`${error.stack} ${error.cause}`, /SECRET/);
      return true;
    };
    await assert.rejects(Engine.open({ store: url }), told);
    assert.throws(() => Engine.openSync("law", { store: url }), told);
    told((await Engine.openForShadow({ store: url })).absent);
  }
});

test("a panic is an error, and the engine goes on", async () => {
  const path = store();
  const engine = await Engine.open({ store: path, clock: "PT0S" });
  const actor = engine.tenant("t1").as(mert);
  const internal = { name: "InternalError", code: "hos.internal", status: "internal" };
  for (const panic of ["call", "boundary"]) {
    await assert.rejects(engine.call("failpoint", { panic }), internal);
    assert.equal(actor.can("hall.enter", hall).allowed, true);
  }
  await engine.call("failpoint", { panic: "clock" });
  const facts = { owner: mert, price: 1 };
  const hit = await actor.begin("ticket", "p-1", "order", { facts }).then((answer) => answer, (error) => error);
  assert.ok(hit instanceof hos.InternalError, `a panic in the middle: ${hit}`);
  assert.equal((await actor.begin("ticket", "p-1", "order", { facts, once: "p-1" })).allowed, true, "nothing of it was stored");
  for (const [code, kind] of [["hos.store_full", hos.StoreError], ["hos.outcome_unknown", hos.OutcomeUnknownError], ["hos.retry", hos.RetryError]]) {
    const error = await engine.call("failpoint", { code }).catch((thrown) => thrown);
    assert.deepEqual([error.constructor, error.code, error.message], [kind, code, `${code}: planted`]);
  }
  await engine.close();
  assert.match(command(path, ["verify", "--replay"]), /^replayed /, "the evidence holds, judged again");
});

test("an engine that nobody holds is let go of by the collector, without waiting", () => {
  const path = store();
  const run = script(path, `
let engine = await Engine.open({ store });
engine.tenant("t1").as(mert).can("hall.enter", hall);
engine = undefined;
const turn = () => new Promise((then) => setTimeout(then, 10));
let opened;
for (let i = 0; i < 500 && opened === undefined; i += 1) {
  globalThis.gc();
  await turn();
  // Under other options a store opens only once nobody has it open.
  opened = await Engine.open({ store, seal: "worker" }).catch((error) => { if (error.code !== "hos.store_busy") throw error; });
}
console.log(opened?.tenant("t1").as(mert).can("hall.enter", hall).allowed);
`, ["--expose-gc"]);
  assert.deepEqual([run.status, run.stdout, run.stderr], [0, "true\n", ""]);
});

test("a process ends with an open engine and with writes under way", () => {
  const path = store();
  const ends = [
    ["by itself", "process.exitCode = 7;", 7],
    ["by process.exit", "process.exit(7);", 7],
    ["by an error", "process.on('uncaughtException', () => process.exit(7)); setTimeout(() => { throw new Error('x'); });", 7],
  ];
  ends.forEach(([how, end, status], round) => {
    const run = script(path, `
const engine = await Engine.open({ store });
engine.tenant("t1").as(mert).can("hall.enter", hall);
const first = await order(engine, "e-${round}-0");
process.stdout.write(first.receipt.record + "\\n");
for (let i = 1; i < 50; i += 1) order(engine, "e-${round}-" + i).catch(() => {});
${end}
`);
    assert.deepEqual([run.status, run.signal, run.stderr], [status, null, ""], how);
    const history = command(path, ["history", "ticket", `e-${round}-0`, "--tenant", "t1", "--as", "Account::mert", "--json"]);
    assert.ok(history.includes(run.stdout.trim()) && run.stdout.trim() !== "", "what was answered is kept");
  });
  const all = command(path, ["history", "ticket", "e-0-49", "--tenant", "t1", "--as", "Account::mert", "--json"]);
  assert.match(all, /"begun"/, "a process that ends by itself waits for its calls");
  assert.match(command(path, ["verify", "--replay"]), /^replayed /, "the evidence holds, judged again");
});

test("the addon that is not there is said, and nothing else happens", () => {
  const file = join(place(), "missing.mjs");
  writeFileSync(file, `import { createRequire } from "node:module";
const { Engine, InternalError } = createRequire(${JSON.stringify(join(here, "package.json"))})("hos");
await Engine.open({ store: "x" }).catch((error) => console.log(error instanceof InternalError, error.code, /cannot be loaded/.test(error.message)));
try { Engine.openSync({ store: "x" }); } catch (error) { console.log(error.name); }`);
  const run = spawnSync(process.execPath, [file], { encoding: "utf8", env: { ...process.env, HOS_NODE_ADDON: "/nowhere.node" } });
  assert.deepEqual([run.status, run.stdout], [0, "true hos.internal true\nInternalError\n"]);
});
