// What `shadow` costs beside the bare old code: for the caller, who does not wait for the law, and until the law has judged.
//
//     node bindings/node/bench/shadow.mjs

import { createRequire } from "node:module";
import { join } from "node:path";
import { addon, hos, median, place, root, store } from "./ground.mjs";

process.env.HOS_NODE_ADDON ??= addon();
const { Engine, Uid } = createRequire(join(root, "bindings", "node", "package.json"))("hos");

const path = store("watched", 0);
hos(path, "law", "activate", place("watched-law"), "--mode", "shadow", "--tenant", "t1", "--as", "Account::ayse");
const engine = await Engine.openForShadow({ store: path });
const nowhere = await Engine.openForShadow({ store: "/nowhere/hos.db" });
const ayse = new Uid("S::Account", "ayse");
const [actor, nobody] = [engine, nowhere].map((one) => one.tenant("t1").as(ayse));
const hall = new Uid("S::Hall", "h1");
const legacy = () => true;
const facts = { owner: ayse, price: 5 };

let number = 0;
const works = {
  "the old code: a function that says yes": () => legacy(),
  "shadowCan, no engine": (seen) => nobody.shadowCan("hall.enter", hall, { legacy, seen }),
  "shadowCan, law and world agree": (seen) => actor.shadowCan("hall.enter", hall, { legacy, seen }),
  "shadowBegin, on the disk": (seen) => actor.shadowBegin("ticket", `k-${number++}`, "order", { legacy, facts, seen }),
};

/** A round of so many calls: microseconds for the caller, and until the last was judged. */
async function round(work, calls) {
  const begun = performance.now();
  for (let i = 1; i < calls; i += 1) work();
  let judged;
  const last = new Promise((done) => { judged = done; });
  work(judged);
  const called = performance.now();
  if (work !== works["the old code: a function that says yes"]) {
    const told = await last;
    if (!(told instanceof Error) && (!told.allowed || told.divergence)) throw new Error("the law did not agree");
  }
  return [called - begun, performance.now() - begun].map((ms) => (ms * 1000) / calls);
}

console.log(`${"".padEnd(44)} ${"the caller".padStart(12)} ${"judged".padStart(12)}`);
for (const [name, work] of Object.entries(works)) {
  const rounds = [];
  for (let i = 0; i < 23; i += 1) rounds.push(await round(work, 100));
  const [called, judged] = [0, 1].map((at) => median(rounds.slice(2).map((one) => one[at])));
  console.log(`${name.padEnd(44)} ${called.toFixed(2).padStart(9)} us ${judged.toFixed(2).padStart(9)} us`);
}
await engine.close();
