// Answers whose text is kept: whatever happens between an answer and the fetching of its text, no question ever gets the answer
// of another one.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { here, hos, store } from "./house.mjs";

const { Known } = await import(join(here, "dist", "known.js"));

const { Engine, Uid } = hos;
const path = store();
const engine = await Engine.open({ store: path });
after(() => engine.close());
const mert = new Uid("S::Account", "mert");
const [open, shut] = [new Uid("S::Hall", "h1"), new Uid("S::Hall", "h2")];
const actor = engine.tenant("t1").as(mert);

function deep(depth, then) {
  return depth > 0 ? deep(depth - 1, then) : then();
}

/** About how deep one can call from here. */
function limit() {
  let [low, high] = [100, 100_000];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    try {
      deep(middle, () => 0);
      low = middle;
    } catch {
      high = middle;
    }
  }
  return low;
}

test("a question whose answer was lost for want of stack gets its own answer afterwards", () => {
  let lost = 0;
  for (let short = 0; short < 120; short += 1) {
    assert.equal(actor.can("hall.enter", open).allowed, true);
    // As many other answers as are remembered: the next new one takes the place of the yes.
    for (let at = 0; at < 31; at += 1) actor.can(`none-${short}-${at}`, open);
    try {
      deep(limit() - short / 2, () => actor.can("hall.enter", shut));
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
      lost += 1;
    }
    const no = actor.can("hall.enter", shut);
    assert.deepEqual([no.allowed, no.code], [false, "hos.not_permitted"], `${short} short of the end of the stack`);
  }
  assert.ok(lost > 0, "the stack was never too short, so nothing was tried");
});

test("an answer whose text is never fetched is nobody else's, at the addon's own face", async () => {
  const { Handle } = (await import("node:module")).createRequire(import.meta.url)(process.env.HOS_NODE_ADDON);
  const handle = Handle.openSync(JSON.stringify({ store: path }));
  assert.equal(handle.bind("t1", "S::Account", "mert", ""), true);
  const ask = (action, hall) => handle.can([action, "S::Hall", hall].join("\u0001"), 3);
  const [yes, no] = [ask("hall.enter", "h1"), ask("hall.enter", "h2")];
  assert.deepEqual([yes % 2, no % 2], [1, 0], "the number says yes or no by itself");
  assert.equal(ask("hall.enter", "h1"), yes);
  assert.match(handle.told(yes), /^allowed\n/);
  assert.match(handle.told(no), /^refused\n/);
  const seen = new Set([yes, no]);
  for (let at = 0; at < 100; at += 1) {
    const number = ask(`none-${at}`, "h1");
    assert.ok(!seen.has(number) && number % 2 === 0, "no number twice");
    seen.add(number);
  }
  for (const number of [yes, no, -1, 2 ** 40]) assert.match(handle.told(number), /^internal\n/, "what is forgotten is no answer");
  const again = ask("hall.enter", "h1");
  assert.ok(!seen.has(again) && again % 2 === 1);
  handle.closeSync();
  assert.equal(ask("hall.enter", "h1"), -1);
  assert.match(handle.said(), /^closed\n/);
});

test("two engines and many answers keep apart", async () => {
  const other = await Engine.open({ store: path });
  const its = other.tenant("t1").as(mert);
  for (let at = 0; at < 200; at += 1) {
    assert.equal(its.can(at % 2 === 0 ? "hall.enter" : `other-${at}`, open).allowed, at % 2 === 0);
    assert.equal(actor.can("hall.enter", shut).allowed, false);
    assert.equal(actor.can(`none-${at % 40}`, open).code, "hos.action_unknown");
    assert.equal(actor.can("hall.enter", open).allowed, true);
  }
  await other.close();
});

test("a text that says another thing than its number is not kept", () => {
  const known = new Known();
  assert.throws(() => known.keep(2, true, "{}"), { code: "hos.internal" });
  assert.throws(() => known.keep(3, false, "{}"), { code: "hos.internal" });
  assert.equal(known.get(2) ?? known.get(3), undefined);
  const told = known.keep(3, true, "{}");
  assert.equal(known.get(3), told);
  for (const number of [2, 1, 5, 3 + 64]) assert.equal(known.get(number), undefined, `${number} is another answer`);
  known.keep(3 + 64, true, "{}");
  assert.equal(known.get(3), undefined, "a new one takes its place");
});
