// Opens a store and says what that took, as one line of JSON: the median of openings, and memory above the bare process.

import { createRequire } from "node:module";
import { join } from "node:path";
import { median, root } from "./ground.mjs";

const { Engine, Uid } = createRequire(join(root, "bindings", "node", "package.json"))("hos");
const store = process.argv[2];
const held = () => {
  globalThis.gc();
  return process.memoryUsage().rss / (1 << 20);
};

const before = held();
const first = process.hrtime.bigint();
const engine = Engine.openSync({ store });
const opening = Number(process.hrtime.bigint() - first) / 1e6;
const actor = engine.tenant("t1").as(new Uid("S::Account", "ayse"));
for (let i = 0; i < 1_000; i += 1) actor.can("hall.enter", new Uid("S::Hall", "h1"));
const rss = held() - before;
engine.closeSync();

const times = [opening];
for (let i = 0; i < (opening > 500 ? 2 : 20); i += 1) {
  const begun = process.hrtime.bigint();
  const again = Engine.openSync({ store });
  times.push(Number(process.hrtime.bigint() - begun) / 1e6);
  again.closeSync();
}
console.log(JSON.stringify({ open_ms: median(times), rss_mb: rss }));
