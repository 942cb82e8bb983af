// Several threads and several processes on one store.

import assert from "node:assert/strict";
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { command, here, hos, place, store } from "./house.mjs";

const { Engine, Uid } = hos;
const ayse = new Uid("S::Account", "ayse");
const mert = new Uid("S::Account", "mert");
const hall = new Uid("S::Hall", "h1");
const closed = new Uid("S::Hall", "h2");

const PRELUDE = `
const { createRequire } = require("node:module");
const { Engine, Uid } = createRequire(${JSON.stringify(join(here, "package.json"))})("hos");
const mert = new Uid("S::Account", "mert"), hall = new Uid("S::Hall", "h1"), closed = new Uid("S::Hall", "h2");
`;

/** A worker thread that runs a script; `workerData` is the store. */
function worker(path, body) {
  const script = `${PRELUDE}const more = {}; const { parentPort: port, workerData: store } = require("node:worker_threads");${body}`;
  return new Worker(script, { eval: true, workerData: path });
}

/** Answers `may` until it is told to end; says first that it is there. */
const DECIDES = `
(async () => {
  const engine = await Engine.open({ store, ...more });
  const actor = engine.tenant("t1").as(mert);
  let end = false;
  let yes = 0, no = 0;
  port.on("message", (said) => {
    if (said === "end") end = true;
    // From here on a yes would come after the revocation's own answer.
    if (said === "count") { yes = 0; no = 0; port.postMessage("counting"); }
  });
  port.postMessage("ready");
  while (!end) {
    for (let i = 0; i < 200; i += 1) actor.can("hall.enter", closed).allowed === true ? (yes += 1) : (no += 1);
    await new Promise(setImmediate);
  }
  port.postMessage({ yes, no });
  await engine.close();
  port.close?.();
})();
`;

test("each worker opens the store by itself, and one closes for itself alone", async () => {
  const path = store();
  const engine = await Engine.open({ store: path });
  const workers = Array.from({ length: 3 }, (_, at) =>
    worker(path, `
(async () => {
  const engine = await Engine.open({ store });
  const answer = await engine.tenant("t1").as(mert).begin("ticket", "w-${at}", "order", { facts: { owner: mert, price: 1 } });
  port.postMessage([answer.allowed, engine.tenant("t1").as(mert).can("hall.enter", hall).allowed]);
  await engine.close();
})();`));
  const told = workers.map((one) => Promise.all([once(one, "message"), once(one, "exit")]));
  for (const [[said], exit] of await Promise.all(told)) assert.deepEqual([said, exit], [[true, true], [0]]);
  const actor = engine.tenant("t1").as(mert);
  assert.equal(actor.can("hall.enter", hall).allowed, true, "the main thread's is open still");
  assert.deepEqual((await actor.history("ticket", "w-2")).map((one) => one.kind), ["begun"]);
  await engine.close();
  assert.match(command(path, ["verify", "--replay"]), /^replayed /);
});

test("a worker that is ended in the middle of its calls harms nobody", async () => {
  const path = store();
  const engine = await Engine.open({ store: path });
  for (let round = 0; round < 3; round += 1) {
    const one = worker(path, `
(async () => {
  const engine = await Engine.open({ store });
  const actor = engine.tenant("t1").as(mert);
  const first = await actor.begin("ticket", "t-${round}", "order", { facts: { owner: mert, price: 1 } });
  port.postMessage(first.allowed);
  for (let i = 0; ; i += 1) {
    actor.can("hall.enter", hall);
    await Promise.all([0, 1, 2].map((k) => actor.begin("ticket", "t-${round}-" + i + "-" + k, "order", { facts: { owner: mert, price: 1 } })));
  }
})();`);
    assert.deepEqual((await once(one, "message"))[0], true);
    await one.terminate();
    assert.equal(engine.tenant("t1").as(mert).can("hall.enter", hall).allowed, true);
  }
  await engine.close();
  assert.match(command(path, ["verify", "--replay"]), /^replayed /);
});

test("an addon that only workers have had outlives them", () => {
  const path = store();
  const file = join(place(), "only-workers.cjs");
  const body = `${PRELUDE}
const { workerData: store, parentPort: port } = require("node:worker_threads");
const engine = Engine.openSync({ store });
const actor = engine.tenant("t1").as(mert);
port.postMessage(actor.can("hall.enter", hall).allowed);
for (let i = 0; i < 5; i += 1) actor.begin("ticket", "only-" + i, "order", { facts: { owner: mert, price: 1 } }).catch(() => {});
setInterval(() => {}, 1000);
`;
  writeFileSync(file, `
const { Worker } = require("node:worker_threads");
const { once } = require("node:events");
(async () => {
  for (let i = 0; i < 10; i += 1) {
    const one = new Worker(${JSON.stringify(body)}, { eval: true, workerData: ${JSON.stringify(path)} });
    const [said] = await once(one, "message");
    if (said !== true) throw new Error("it was no yes");
    // With its engine open, and calls under way.
    await one.terminate();
  }
  console.log("fine");
})();
`);
  const run = spawnSync(process.execPath, [file], { encoding: "utf8", timeout: 60_000 });
  assert.deepEqual([run.stdout, run.stderr, run.status, run.signal], ["fine\n", "", 0, null]);
  assert.match(command(path, ["verify", "--replay"]), /^replayed /);
});

/** Starts processes that decide, their engines opened by these options besides. */
const processes = (more) => (path) => {
  const file = join(place(), "decides.cjs");
  writeFileSync(file, `${PRELUDE}
const store = process.argv[2], more = ${JSON.stringify(more)};
const port = { on: (name, then) => process.on(name, then), postMessage: (said) => process.send(said), close: () => process.disconnect() };
${DECIDES}`);
  const one = fork(file, [path]);
  return { one, say: (word) => one.send(word) };
};

// Threads share one engine, which knows at once. Another process confirms its directory every half second, or as often as it is told.
for (const [how, age, start] of [
  ["threads", 0, (path) => {
    const one = worker(path, DECIDES);
    return { one, say: (word) => one.postMessage(word) };
  }],
  ["processes", 500, processes({})],
  ["processes that ask the store first", 0, processes({ directoryAgeMaxMs: 0 })],
]) {
  test(`${age} ms after a revocation is answered no other of the ${how} says yes`, async () => {
    const path = store();
    const engine = await Engine.open({ store: path });
    const { directory } = engine.tenant("t1").as(ayse);
    await directory.grant("g-1", "guests", { principal: mert, resource: closed });
    const others = [start(path), start(path)];
    for (const ready of others.map(({ one }) => once(one, "message"))) assert.equal((await ready)[0], "ready");
    assert.equal(engine.tenant("t1").as(mert).can("hall.enter", closed).allowed, true);
    await new Promise((then) => setTimeout(then, 100));
    assert.equal((await directory.revoke("g-1")).allowed, true);
    const revoked = performance.now();
    // One tick more: timers may come a little early.
    if (age > 0) await new Promise((then) => setTimeout(then, age + 1));
    assert.ok(performance.now() - revoked >= age);
    for (const { one, say } of others) {
      const counting = once(one, "message");
      say("count");
      assert.equal((await counting)[0], "counting");
    }
    await new Promise((then) => setTimeout(then, 200));
    for (const { one, say } of others) {
      const told = Promise.all([once(one, "message"), once(one, "exit")]);
      say("end");
      const [[{ yes, no }]] = await told;
      assert.equal(yes, 0);
      assert.ok(no > 100, `it decided meanwhile: ${no}`);
    }
    assert.equal(engine.tenant("t1").as(mert).can("hall.enter", closed).allowed, false);
    await engine.close();
  });
}

test("a cluster's workers each open their own", async () => {
  const path = store();
  const file = join(place(), "cluster.cjs");
  writeFileSync(file, `${PRELUDE}
const cluster = require("node:cluster");
const store = ${JSON.stringify(path)};
(async () => {
  // Open in the primary already: a worker is a process that was started anew and has nothing of it.
  const engine = await Engine.open({ store });
  const actor = engine.tenant("t1").as(mert);
  if (cluster.isPrimary) {
    const answers = await Promise.all([0, 1, 2].map((at) => new Promise((then) => cluster.fork({ AT: at }).on("message", then))));
    process.send({ answers, own: actor.can("hall.enter", hall).allowed });
    await engine.close();
    cluster.disconnect(() => process.disconnect());
  } else {
    const id = "cl-" + process.env.AT;
    const begun = await actor.begin("ticket", id, "order", { facts: { owner: mert, price: 1 } });
    process.send([begun.allowed, (await actor.history("ticket", id)).length]);
    await engine.close();
  }
})();`);
  const primary = fork(file);
  const [[told], exit] = await Promise.all([once(primary, "message"), once(primary, "exit")]);
  assert.deepEqual(told, { answers: [[true, 1], [true, 1], [true, 1]], own: true });
  assert.deepEqual(exit, [0, null]);
  assert.match(command(path, ["verify", "--replay"]), /^replayed /);
});

test("many calls at once in one thread", async () => {
  const path = store();
  const engine = await Engine.open({ store: path });
  const actor = engine.tenant("t1").as(mert);
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, at) => actor.begin("ticket", `m-${at % 100}`, "order", { facts: { owner: mert, price: 1 } })),
  );
  assert.equal(answers.filter((answer) => answer.allowed).length, 100, "each is born once");
  assert.ok(answers.filter((answer) => !answer.allowed).every((answer) => answer.code === "hos.instance_exists"));
  await engine.close();
});
