// A million questions leave nothing behind.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hos, store } from "./house.mjs";

const { Engine, Uid } = hos;
const mert = new Uid("S::Account", "mert");

/** Megabytes that this process holds, after the collector has been where it is asked. */
function held() {
  globalThis.gc?.();
  return process.memoryUsage().rss / (1 << 20);
}

test("10^6 calls of can with flat memory, in a loop that never waits", async () => {
  const engine = await Engine.open({ store: store() });
  const t1 = engine.tenant("t1");
  const actor = t1.as(mert);
  const hall = new Uid("S::Hall", "h1");
  const batch = (from, to) => {
    let yes = 0;
    for (let i = from; i < to; i += 1) {
      // One in eight asks of a hall that nobody gave: its answer names the hall, so each is another one.
      const answer = i % 8 === 0
        ? actor.can("hall.enter", new Uid("S::Hall", `none-${i}`))
        : actor.can("hall.enter", hall, { context: { hour: i % 24 } });
      if (answer.allowed) yes += 1;
      else if (i % 64 === 0) assert.equal(answer.code, "hos.entity_missing");
    }
    return yes;
  };
  // What caches hold at most is held by now.
  assert.ok(batch(0, 100_000) > 50_000);
  const before = held();
  batch(100_000, 1_000_000);
  const after = held();
  assert.ok(after - before < 24, `${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after`);
  // Answers that are kept stay what they were, however many came after.
  const kept = actor.can("hall.enter", new Uid("S::Hall", "kept"));
  batch(0, 10_000);
  assert.match(kept.blockers[0].detail, /kept/);
  await engine.close();
});

test("10^5 engines' worth of actors and errors leave nothing", async () => {
  const engine = await Engine.open({ store: store() });
  const hall = new Uid("S::Hall", "h1");
  const round = (times) => {
    for (let i = 0; i < times; i += 1) {
      const actor = engine.tenant("t1").as(new Uid("S::Account", i % 2 === 0 ? "mert" : `nobody-${i}`), { request: `r-${i}` });
      assert.equal(actor.can("hall.enter", hall).allowed, i % 2 === 0);
      if (i % 4 === 0) assert.throws(() => actor.can("hall.enter", hall, { context: { hour: 1.5 } }), hos.CallError);
    }
  };
  round(20_000);
  const before = held();
  round(80_000);
  const after = held();
  assert.ok(after - before < 24, `${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after`);
  await engine.close();
});
