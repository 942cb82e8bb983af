// What a call may not hold, and what becomes of it: refused with the wire's code, at the place where it stands.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import vm from "node:vm";
import { command, hos, store, vectors } from "./house.mjs";

const { Engine, Ext, Uid } = hos;

const path = store();
const engine = await Engine.open({ store: path });
after(() => engine.close());
const mert = new Uid("S::Account", "mert");
const t1 = engine.tenant("t1");
const actor = t1.as(mert);
const hall = new Uid("S::Hall", "h1");

/** The error of a `begin` whose fact is this. */
const refused = (price) =>
  actor.begin("ticket", "v-1", "order", { facts: { owner: mert, price } }).then(
    (answer) => assert.fail(`it was answered: ${answer}`),
    (error) => error,
  );

test("what has no form is refused, and its place is named", async () => {
  class Order {}
  const table = [
    [null, "hos.value_invalid", /`facts\.price`: null/],
    [1.5, "hos.value_invalid", /a float/],
    [NaN, "hos.value_invalid", /NaN/],
    [Infinity, "hos.value_invalid", /Infinity/],
    [2 ** 53, "hos.value_invalid", /bigint/],
    [2n ** 63n, "hos.value_invalid", /beyond 64 bits/],
    [-(2n ** 63n) - 1n, "hos.value_invalid", /beyond 64 bits/],
    [() => 1, "hos.value_invalid", /a function/],
    [Symbol("x"), "hos.value_invalid", /a symbol/],
    [[undefined], "hos.value_invalid", /`facts\.price\[0\]`: undefined/],
    [[1, , 2], "hos.value_invalid", /`facts\.price\[1\]`/],
    [new Map([[1, 2]]), "hos.value_invalid", /a Map/],
    [new Order(), "hos.value_invalid", /an instance of Order/],
    [new Date(NaN), "hos.value_invalid", /invalid Date/],
    [new Number(1), "hos.value_invalid", /an instance of Number/],
    [/x/, "hos.value_invalid", /RegExp/],
    ["\ud800", "hos.call_malformed", /`facts\.price` holds half a surrogate/],
    ["x\udc00", "hos.call_malformed", /half a surrogate/],
    [{ "\udfff": 1 }, "hos.call_malformed", /half a surrogate/],
    ["x".repeat(10_000_000), "hos.call_too_large", /`facts\.price`/],
    [Array.from({ length: 2_000_000 }, () => 1), "hos.call_too_large", /bytes/],
  ];
  for (const [value, code, message] of table) {
    const error = await refused(value);
    assert.ok(error instanceof hos.CallError, `${String(code)}: ${error}`);
    assert.deepEqual([error.code, error.status], [code, "call"]);
    assert.match(error.message, message);
    assert.ok(error.message.length < 400, "a message is short, whatever the value was");
  }
});

test("what contains itself is refused, however often", async () => {
  const list = [];
  list.push(list, list, list);
  const record = {};
  record.self = record;
  const set = new Set();
  set.add(set);
  const map = new Map();
  map.set("self", map);
  for (const value of [list, record, set, map]) {
    assert.deepEqual([(await refused(value)).code], ["hos.call_too_large"]);
  }
  const given = [{ uid: hall, attrs: record }];
  assert.throws(() => actor.can("hall.enter", hall, { given }), { code: "hos.call_too_large" });
  assert.throws(() => actor.can("hall.enter", hall, { context: record }), { code: "hos.call_too_large" });
});

test("a value that throws when it is read is refused with its reason", async () => {
  const cause = new Error("not today");
  const error = await refused({ get x() { throw cause; } });
  assert.deepEqual([error.code, error.cause], ["hos.value_invalid", cause]);
  const trap = new Proxy({}, { ownKeys() { throw cause; } });
  assert.equal((await refused(trap)).cause, cause);
});

test("can refuses the same as the rest", () => {
  const may = (context) => actor.can("hall.enter", hall, { context });
  const table = [
    [{ hour: 1.5 }, "hos.value_invalid"], [{ hour: null }, "hos.value_invalid"], [{ hour: NaN }, "hos.value_invalid"],
    [{ hour: 2 ** 60 }, "hos.value_invalid"], [{ hour: 2n ** 64n }, "hos.value_invalid"],
    [{ badge: "\ud800" }, "hos.call_malformed"], [{ "\ud800": 1 }, "hos.call_malformed"],
    [{ badge: "x".repeat(10_000_000) }, "hos.call_too_large"], [null, "hos.value_invalid"], ["x", "hos.call_malformed"],
    [[], "hos.call_malformed"], [5, "hos.call_malformed"],
  ];
  for (const [context, code] of table) assert.throws(() => may(context), { name: "CallError", code }, code);
  for (const action of [undefined, null, 5, "\ud800", "x".repeat(2_000_000), Symbol.iterator]) {
    assert.throws(() => actor.can(action, hall), hos.CallError);
  }
  assert.throws(() => actor.can("hall.enter", new Uid("S::Hall", "\ud800")), { code: "hos.call_malformed" });
  assert.throws(() => actor.can("hall.enter", new Uid("S::Hall", "")), { code: "hos.id_invalid" });
  assert.throws(() => actor.can("hall.enter"), { code: "hos.call_malformed" });
  assert.throws(() => t1.as(new Uid("S::Account", "\ud800")).can("hall.enter", hall), { code: "hos.call_malformed" });
  assert.throws(() => engine.tenant("t\ud800").as(mert).can("hall.enter", hall), { code: "hos.call_malformed" });
  assert.throws(() => engine.tenant(7).as(mert).can("hall.enter", hall), { code: "hos.call_malformed" });
  assert.throws(() => engine.tenant("none").as(mert).can("hall.enter", hall), { code: "hos.tenant_unknown" });
  assert.throws(() => t1.as(mert, { request: "a b" }).can("hall.enter", hall), { code: "hos.id_invalid" });
  assert.throws(() => t1.as(mert, { language: 5 }).can("hall.enter", hall), { code: "hos.call_malformed" });
  assert.equal(may({ hour: 12 }).allowed, true, "and goes on");
});

test("no option is left out without a word", async () => {
  const context = { badge: "lost-1" };
  assert.equal(actor.can("hall.enter", hall, { context }).code, "hos.forbidden");
  class Asked { get context() { return context; } }
  class Helped { constructor(given) { Object.assign(this, given); } entries() { return [1]; } }
  class Own { constructor(given) { Object.assign(this, given); } }
  const strange = {
    "an accessor of a class": new Asked(),
    "one of the class above it": new (class extends Asked {})(),
    "a prototype": Object.create({ context }),
    "a prototype that has none": Object.create(Object.create(null, { context: { value: context } })),
    "a hidden field": Object.defineProperty({}, "context", { value: context }),
    "a Map": new Map([["context", context]]),
    "a class with methods": new Helped({ context }),
    "a list": [context],
    "another name": Object.create({ contxt: context }),
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const [what, besides] of Object.entries(strange)) {
    assert.throws(() => actor.can("hall.enter", hall, besides), { name: "CallError", code: "hos.call_malformed" }, what);
    assert.throws(() => actor.canAll([{ action: "hall.enter", resource: hall }], besides), { code: "hos.call_malformed" }, what);
  }
  for (const unseen of [proxy, new Proxy({}, { getPrototypeOf() { throw new RangeError("away"); } })]) {
    assert.throws(() => actor.can("hall.enter", hall, unseen), hos.CallError);
    assert.throws(() => t1.as(mert, unseen), { code: "hos.call_malformed" });
  }
  const facts = { owner: mert, price: 100 };
  class Once { get once() { return "o-1"; } }
  for (const options of [Object.assign(new Once(), { facts }), Object.assign(Object.create({ once: "o-1" }), { facts })]) {
    await assert.rejects(actor.begin("ticket", "lost-1", "order", options), { code: "hos.call_malformed", message: /"once"/ });
  }
  try {
    // As a library may do to all objects.
    Object.prototype.context = context;
    for (const besides of [{}, { request: "r-1" }]) assert.throws(() => actor.can("hall.enter", hall, besides), { code: "hos.call_malformed" });
    assert.equal(actor.can("hall.enter", hall, { context: { badge: "x" } }).allowed, true);
  } finally {
    delete Object.prototype.context;
  }
  // A class of which nothing is lost is as good as none.
  for (const besides of [new Own({ context }), Object.assign(Object.create(null), { context }), vm.runInNewContext("({ context: { badge: 'lost-1' } })")]) {
    assert.equal(actor.can("hall.enter", hall, besides).code, "hos.forbidden");
  }
});

test("U+FFFD is a character, and half a pair is not", () => {
  const odd = actor.can("hall.enter", new Uid("S::Hall", "h\ufffd"));
  assert.deepEqual([odd.allowed, odd.code], [false, "hos.entity_missing"]);
  assert.equal(actor.can("hall.enter", hall, { context: { badge: "\ufffd\u{1f600}" } }).allowed, true);
  assert.equal(t1.as(new Uid("S::Account", "m\ufffd")).can("hall.enter", hall).code, "hos.principal_unknown");
});

test("what joins the words inside may stand in them outside", () => {
  const odd = actor.can("hall.enter", new Uid("S::Hall", "h1\u0001n\u0001n12"));
  assert.deepEqual([odd.allowed, odd.code], [false, "hos.entity_missing"]);
  assert.match(odd.blockers[0].detail, /h1\\u\{1\}n/);
  assert.equal(actor.can("hall.enter\u0001S::Hall\u0001h1", hall).code, "hos.action_unknown");
  assert.equal(actor.can("hall.enter", hall, { context: { badge: "x\u0001hour\u0001n3" } }).allowed, true);
  assert.equal(actor.can("hall.enter", hall, { context: { "badge\u0001sx\u0001hour": 3 } }).code, "hos.attribute_unknown");
  assert.equal(actor.can("hall.enter", hall, { context: { badge: "n3", hour: 12 } }).allowed, true);
  assert.equal(actor.can("hall.enter", hall, { context: { badge: "" } }).allowed, true);
  assert.equal(actor.can("hall.enter", hall, { context: { badge: "lost-\u0001" } }).code, "hos.forbidden");
  assert.equal(actor.can("hall.enter", hall, { context: { hour: 3, escorted: true } }).allowed, true);
});

test("a zero is a character like any other, where an id may hold one", async () => {
  const zero = actor.can("hall.enter", new Uid("S::Hall", "h\0"));
  assert.deepEqual([zero.allowed, zero.code], [false, "hos.entity_missing"]);
  assert.equal(actor.can("hall.enter", hall, { context: { badge: "\0" } }).allowed, true);
  assert.throws(() => engine.tenant("t\0").as(mert).can("hall.enter", hall), { code: "hos.id_invalid" });
  await assert.rejects(Engine.open({ store: "a\0b" }), { code: "hos.call_malformed" });
});

test("whole numbers of 64 bits go in and come back exactly", async () => {
  const table = [0, -0, 1, -1, 2 ** 53 - 1, -(2 ** 53 - 1), 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
  for (const [at, price] of table.entries()) {
    const answer = await actor.begin("ticket", `n-${at}`, "order", { facts: { owner: mert, price } });
    assert.equal(answer.allowed, true, String(price));
    const [entry] = await actor.history("ticket", `n-${at}`);
    const came = entry.parts.facts.price;
    assert.equal(came, Number.isSafeInteger(Number(price)) ? Number(price) + 0 : price);
    assert.equal(typeof came, Number.isSafeInteger(Number(price)) ? "number" : "bigint");
  }
  assert.equal(actor.can("hall.enter", hall, { context: { hour: 12n } }).allowed, true);
  assert.equal(actor.can("hall.enter", hall, { context: { hour: 2n ** 63n - 1n } }).code, "hos.forbidden");
});

test("dates, sets, maps and records of another context are understood", () => {
  const seat = new Uid("S::Seat", "s1");
  const attrs = { hall, price: Ext.decimal("10.00"), since: new Date("2026-03-01T12:00:00Z") };
  const may = (context, other = attrs) => actor.can("seat.take", seat, { context, given: [{ uid: seat, attrs: other, parents: [hall] }] });
  assert.equal(may({ offer: Ext.decimal("10.01") }).allowed, true);
  assert.equal(may({ offer: Ext.decimal("9.99") }).allowed, false);
  assert.equal(may({ tags: new Set(["friend"]), by: mert }).allowed, true);
  assert.equal(may({ tags: ["friend"], by: { hosUid: () => mert } }).allowed, true);
  assert.equal(may({ tags: new Set(["foe"]), by: mert }).allowed, false);
  assert.equal(may(new Map([["offer", Ext.decimal("11.0")]])).allowed, true);
  assert.equal(may(vm.runInNewContext("({ tags: ['friend'] })"), attrs).allowed, false);
  assert.equal(may({ offer: Ext.decimal("11.0"), tags: undefined }).allowed, true, "undefined is absent");
  assert.throws(() => may({ offer: Ext.decimal(5) }), { code: "hos.call_malformed" });
  assert.throws(() => may({ offer: new Ext("float", "1.0") }), { code: "hos.call_malformed" });
  assert.equal(may({ offer: "10.01" }).code, "hos.attribute_type");
});

test("a request's own id and a context take the same road and come to the same", async () => {
  const bound = t1.as(mert, { request: "r-1", language: "tr" });
  assert.equal(bound.can("hall.enter", hall, { context: { hour: 3 } }).code, "hos.forbidden");
  await bound.begin("ticket", "r-1", "order", { facts: { owner: mert, price: 1 } });
  await bound.transition("ticket", "r-1", "name", { args: { name: "x" }, request: "r-2" });
  assert.deepEqual((await t1.history("ticket", "r-1")).map((one) => one.request), ["r-1", "r-2"]);
});

test("in shadow the world's own answer stands, whatever the call holds", async () => {
  const shadowed = store();
  command(shadowed, ["law", "activate", `${vectors}/law`, "--mode", "shadow", "--tenant", "t1", "--as", "Account::ayse"]);
  const watched = await Engine.open({ store: shadowed });
  const watcher = watched.tenant("t1").as(mert);
  const cycle = [];
  cycle.push(cycle);
  const values = [1.5, null, NaN, 2n ** 70n, () => 1, "\ud800", "x".repeat(2_000_000), cycle, new Date(NaN)];
  for (const badge of values) {
    for (const allowed of [true, false]) {
      const answer = watcher.can("hall.enter", hall, { context: { badge }, legacy: { allowed } });
      assert.deepEqual([answer.allowed, answer.mode], [allowed, "shadow"]);
      assert.match(answer.code, /^hos\.(value_invalid|call_malformed|call_too_large)$/);
    }
    const moved = await watcher.transition("ticket", "k", "pay", { args: { amount: badge }, legacy: { allowed: true } });
    assert.equal(moved.allowed, true);
  }
  for (const allowed of [true, false]) {
    assert.equal(watcher.can("hall.enter", hall, { legacy: allowed }).allowed, allowed, "a boolean is an outcome too");
    const { allowed: stands, blockers } = watcher.can("hall.enter", hall, { context: { badge: 1.5 }, legacy: allowed });
    assert.deepEqual([stands, blockers[0].code], [allowed, "hos.value_invalid"]);
    assert.doesNotMatch(blockers[0].detail, /hos\./, "the code stands beside the detail, not in it");
    assert.equal(watcher.can("hall.enter", hall, { context: { badge: "x".repeat(2_000_000) }, legacy: allowed }).allowed, allowed);
  }
  for (const principal of [undefined, "mert", 5, null]) {
    assert.equal(watched.tenant("t1").as(principal).can("hall.enter", hall, { legacy: { allowed: true } }).allowed, true, String(principal));
  }
  assert.equal(watcher.can("hall.enter", "no text of an entity", { legacy: { allowed: true } }).allowed, true);
  assert.equal(watcher.can("hall.enter", hall, { legacy: { allowed: true }, contxt: 1 }).allowed, true);
  assert.throws(() => watcher.can("hall.enter", hall, { context: { badge: 1.5 }, legacy: { allowed: "yes" } }), hos.CallError);
  assert.throws(() => watcher.can("hall.enter", hall, { context: { badge: 1.5 } }), { code: "hos.value_invalid", message: /badge/ });
  await watched.close();
  const enforced = () => actor.can("hall.enter", hall, { context: { badge: 1.5 }, legacy: { allowed: true } });
  assert.throws(enforced, { code: "hos.value_invalid", message: /context\.badge/ }, "where the law is enforced it does not");
});
