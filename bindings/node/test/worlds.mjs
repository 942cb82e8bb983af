// Old code of all kinds, run bare and under `shadow`: both must come to the very same.

import assert from "node:assert/strict";
import { serialize } from "node:v8";
import { hos } from "./house.mjs";

const { Uid } = hos;

const thing = new (class Thing { #secret = 1; })();
const refusal = new RangeError("out of stock");
const trap = new Proxy({}, { get() { throw refusal; }, getPrototypeOf() { throw refusal; } });
const throwing = (error) => () => { throw error; };

/** A query that runs when it is awaited, each time: as builders of queries do. */
function lazy() {
  let ran = 0;
  return { then(done) { ran += 1; done(`ran ${ran}`); } };
}

/** Each with what the law is told of it. */
export const all = {
  nothing: [() => undefined, true],
  null: [() => null, true],
  yes: [() => true, true],
  no: [() => false, false],
  zero: [() => 0, true],
  "no number": [() => Number.NaN, true],
  "an empty text": [() => "", true],
  "half a pair": [() => "\ud800", true],
  "a float": [() => 0.1 + 0.2, true],
  "a bigint": [() => 2n ** 70n, true],
  "a list": [() => [1, [undefined]], true],
  "an object that says no": [() => ({ allowed: false, why: "x" }), false],
  "an object of its own class": [() => thing, true],
  "an object that cannot be looked at": [() => trap, true],
  "an outcome": [() => ({ allowed: true, state: "paid" }), true],
  "an error": [throwing(refusal), false],
  "what is no error": [throwing("old habit"), false],
  "nothing at all": [throwing(undefined), false],
  "a promise": [async () => 5, true],
  "a promise of a no": [async () => false, false],
  "a promise of a thing": [() => Promise.resolve(thing), true],
  "a rejected promise": [() => Promise.reject(refusal), false],
  "a promise rejected with nothing": [() => Promise.reject(undefined), false],
  "a promise that comes late": [() => new Promise((done) => setTimeout(done, 2, "late")), true],
  "a lazy query": [lazy, true],
};

export const forms = {
  shadow: ["ticket", "k-1", "pay"],
  shadowBegin: ["ticket", "k-1", "order"],
  shadowCan: ["hall.enter", new Uid("S::Hall", "h1")],
};

/** What work comes to: objects as they are, so that another one in their place is noticed; all else byte by byte. */
async function outcome(work) {
  let given;
  try {
    given = work();
  } catch (thrown) {
    return ["threw", thrown];
  }
  let settles = false;
  try {
    settles = typeof given?.then === "function";
  } catch {
    // No promise.
  }
  if (!settles) return ["gave", shown(given)];
  try {
    return ["promised", shown(await given)];
  } catch (thrown) {
    return ["rejected", thrown];
  }
}

function shown(given) {
  return given === thing || given === trap || typeof given === "symbol" ? [given] : serialize(given).toString("hex");
}

const strays = [];
process.on("unhandledRejection", (reason) => strays.push(reason));
process.on("warning", (warning) => strays.push(warning));

/**
 * Each world under each form; gives what `seen` was told. `own` in place of a form's words, `more` besides; `bare` makes the old code
 * give what it gives as the form does.
 */
export async function harmed(actor, { only = Object.keys(forms), own, more = {}, bare: given = (legacy) => legacy } = {}) {
  const told = [];
  let wanted = 0;
  for (const form of only) {
    for (const [name, [legacy]] of Object.entries(all)) {
      let runs = 0;
      const counted = () => { runs += 1; return legacy(); };
      const looks = (answer) => { told.push(answer); };
      const options = Object.defineProperties({ legacy: counted, seen: looks }, Object.getOwnPropertyDescriptors(more));
      const who = typeof actor === "function" ? await actor() : actor;
      const ours = await outcome(() => who[form](...(own ?? forms[form]), options));
      const bare = await outcome(given(legacy));
      assert.equal(ours[0], bare[0], `${form}, ${name}`);
      // The very same: `deepEqual` takes a copy for the same.
      assert.ok(Object.is(ours[1], bare[1]) || (Array.isArray(ours[1]) && ours[1][0] === bare[1][0]), `${form}, ${name}`);
      assert.equal(runs, 1, `${form}, ${name}: how often the old code ran`);
      wanted += 1;
      if (!("seen" in more)) await until(() => told.length >= wanted);
    }
  }
  await new Promise((done) => setTimeout(done, 5));
  if (!("seen" in more)) assert.equal(told.length, wanted);
  assert.deepEqual(strays, []);
  return told;
}

/** Waits for something that is sure to come. */
export async function until(is) {
  const end = Date.now() + 20_000;
  while (!is()) {
    assert.ok(Date.now() < end, "it never came");
    await new Promise((done) => setImmediate(done));
  }
}
