// What `can` costs in Node: above Rust's own, beside others that decide the same, in time and in memory.
//
//     cd bindings/node/bench && npm ci && node can.mjs [--quick]

import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { addon, measured, median, pazar, root, rust, store } from "./ground.mjs";
import { rivals } from "./rivals.mjs";

const quick = process.argv.includes("--quick");
process.env.HOS_NODE_ADDON = addon();
const require = createRequire(join(root, "bindings", "node", "package.json"));
const { Engine, Uid } = require("hos");

const few = store("few", 20);
const engine = Engine.openSync({ store: few });
const actor = engine.tenant("t1").as(new Uid("S::Account", "ayse"));
const hall = new Uid("S::Hall", "h1");

const works = {
  "hos, no context": () => actor.can("hall.enter", hall).allowed,
  "hos, scalar context": () => actor.can("hall.enter", hall, { context: { hour: 12 } }).allowed,
  "hos, a Uid and an actor made for each call": () =>
    engine.tenant("t1").as(new Uid("S::Account", "ayse")).can("hall.enter", new Uid("S::Hall", "h1"), { context: { hour: 12 } }).allowed,
  "hos, all of the answer looked at": () => {
    const answer = actor.can("hall.enter", hall, { context: { hour: 12 } });
    return answer.allowed && answer.policies.length === 1 && answer.effect === "allow";
  },
  "hos, a context that goes as JSON": () => actor.can("hall.enter", hall, { context: { hour: 12n } }).allowed,
  ...rivals,
};

// Rust before, between and after, for it is another process.
const own = [rust(few, 1)];
const times = measured(works, quick ? 9 : 41, quick ? 1_000 : 5_000);
own.push(rust(few, 1), rust(few, 1));
const base = median(own.map((one) => one.can_ns));

const row = (name, ns) => console.log(`${name.padEnd(54)} ${(ns / 1000).toFixed(2).padStart(8)} us ${(ns / base).toFixed(2).padStart(8)} x`);
console.log(`${"may they? the law of the vectors and 20 policies more".padEnd(54)} ${"a call".padStart(11)} ${"Rust's".padStart(10)}`);
row("Rust, the engine's own words", base);
row("Rust, JSON in and out", median(own.map((one) => one.wire_ns)));
for (const [name, ns] of Object.entries(times)) row(name, ns);
const above = (times["hos, scalar context"] - base) / 1000;
console.log(`\nabove Rust's with a scalar context: ${above.toFixed(2)} us (bar 2.00)`);
engine.closeSync();

console.log("\nto open a store, and what an engine holds in a process of its own");
console.log(`${"Rust, 20 policies more".padEnd(54)} ${(median(own.map((one) => one.open_ns)) / 1e6).toFixed(1).padStart(8)} ms`);
const child = join(root, "bindings", "node", "bench", "open.mjs");
for (const [name, path] of [["Pazar's law", pazar()], ["20 policies more", few], ["100000 policies more", quick ? undefined : store("many", 100_000)]]) {
  if (path === undefined) continue;
  const { open_ms: open, rss_mb: rss } = JSON.parse(execFileSync(process.execPath, ["--expose-gc", child, path], { encoding: "utf8" }));
  console.log(`${name.padEnd(54)} ${open.toFixed(1).padStart(8)} ms ${rss.toFixed(1).padStart(8)} MB`);
}
