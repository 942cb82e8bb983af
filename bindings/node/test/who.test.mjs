// Who asks and what is asked: only what the caller's own program says makes an identity, and what a call is about is never taken
// from among its options.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { command, hos, store, vectors } from "./house.mjs";

const { Engine, Ext, Uid } = hos;

const engine = await Engine.open({ store: store() });
after(() => engine.close());
const [mert, ayse] = [new Uid("S::Account", "mert"), new Uid("S::Account", "ayse")];
const [hall, seat] = [new Uid("S::Hall", "h1"), new Uid("S::Seat", "s1")];
const t1 = engine.tenant("t1");
const actor = t1.as(mert);
const malformed = { name: "CallError", code: "hos.call_malformed" };

test("a record from outside becomes nobody's identity", async () => {
  const attrs = { hall, price: Ext.decimal("5.00"), since: Ext.datetime("2026-01-01T00:00:00Z") };
  const may = (context) => actor.can("seat.take", seat, { context, given: [{ uid: seat, attrs }] });
  assert.equal(may({ tags: ["friend"], by: mert }).allowed, true, "said by the program it is an identity");
  const bodies = [
    '{"tags":["friend"],"by":{"__entity":{"type":"S::Account","id":"mert"}}}',
    '{"offer":{"__extn":{"fn":"decimal","arg":"99.0"}}}',
    '{"tags":[{"__entity":{"type":"S::Account","id":"mert"}}]}',
    '{"__entity":{"type":"S::Account","id":"mert"}}',
    '{"__other":"x"}',
  ];
  for (const body of bodies) {
    const context = JSON.parse(body);
    assert.throws(() => may(context), { ...malformed, message: /begins with __/ }, body);
    assert.throws(() => actor.can("hall.enter", hall, { context }), malformed, body);
    assert.throws(() => actor.can("hall.enter", hall, { context: new Map(Object.entries(context)) }), malformed, body);
    assert.throws(() => actor.can("hall.enter", hall, { given: [{ uid: seat, attrs: context }] }), malformed, body);
    await assert.rejects(actor.begin("ticket", "w-1", "order", { facts: { owner: mert, price: 1, ...context } }), malformed, body);
    await assert.rejects(actor.transition("ticket", "w-1", "pay", { args: context }), malformed, body);
    await assert.rejects(t1.as(ayse).directory.put(seat, context), malformed, body);
    await assert.rejects(engine.call("can", { tenant: "t1", principal: mert, action: "hall.enter", resource: hall, context }), malformed, body);
  }
  const forged = { __entity: { type: "S::Account", id: "mert" } };
  assert.throws(() => t1.as(forged).can("hall.enter", hall), malformed);
  assert.throws(() => actor.can("hall.enter", { __entity: { type: "S::Hall", id: "h1" } }), malformed);
  assert.throws(() => actor.can("hall.enter", hall, { given: [forged] }), malformed);
  // A scalar under such a name takes the swift road, were it not refused there too.
  assert.throws(() => actor.can("hall.enter", hall, { context: { __x: 1 } }), malformed);
});

test("what a call is about is no option of it", async () => {
  const words = {
    tenant: "t1", principal: mert, language: "en", action: "hall.enter", resource: hall, contract: "ticket", id: "w", event: "order",
    state: "new", stream: "mail.sent", payload: "x", payload_hex: "00", change: { revoke: { id: "g" } }, code: "x.y", entries: [],
  };
  for (const [name, value] of Object.entries(words)) {
    const besides = { [name]: value };
    const refused = { ...malformed, message: new RegExp(`\`${name}\` is no option`) };
    assert.throws(() => actor.can("hall.enter", hall, besides), refused, name);
    await assert.rejects(actor.begin("ticket", "w", "order", besides), refused, name);
    await assert.rejects(actor.transition("ticket", "w", "pay", besides), refused, name);
    await assert.rejects(actor.record("mail.sent", "x", besides), refused, name);
    await assert.rejects(actor.adopt("ticket", "w", "new", besides), refused, name);
    await assert.rejects(actor.legacy("ticket", "w", [], besides), refused, name);
    await assert.rejects(actor.available("ticket", "w", besides), refused, name);
    await assert.rejects(actor.history("ticket", "w", besides), refused, name);
    await assert.rejects(actor.directory.revoke("g", besides), refused, name);
  }
  for (const name of ["id", "template"]) await assert.rejects(actor.directory.grant("g", "guests", { [name]: "x" }), malformed);
  assert.equal(actor.can("hall.enter", hall, { principal: undefined }).allowed, true, "what is undefined is absent");
});

test("a word that is not there is not looked for elsewhere", async () => {
  const missing = (name) => ({ ...malformed, message: new RegExp(`\`${name}\``) });
  assert.throws(() => t1.as(undefined).can("hall.enter", hall), missing("principal"));
  assert.throws(() => t1.as(undefined).can("hall.enter", hall, { principal: mert }), malformed);
  assert.throws(() => engine.tenant(undefined).as(mert).can("hall.enter", hall, { tenant: "t1" }), missing("tenant"));
  assert.throws(() => actor.can(undefined, hall, { action: "hall.enter" }), malformed);
  assert.throws(() => actor.can("hall.enter", undefined, { resource: hall }), malformed);
  await assert.rejects(actor.begin("ticket", undefined, "order"), missing("id"));
  await assert.rejects(actor.transition(undefined, "w", "pay"), missing("contract"));
  await assert.rejects(actor.transition("ticket", "w", undefined), missing("event"));
  await assert.rejects(actor.record(undefined, "x"), missing("stream"));
  await assert.rejects(actor.record("mail.sent", undefined), missing("payload"));
  await assert.rejects(actor.adopt("ticket", "w", undefined), missing("state"));
  await assert.rejects(actor.legacy("ticket", "w", undefined), missing("entries"));
  await assert.rejects(actor.history(undefined, "w"), missing("contract"));
  await assert.rejects(actor.directory.put(undefined), missing("uid"));
  await assert.rejects(actor.directory.join(seat, undefined), missing("parent"));
  await assert.rejects(actor.directory.grant(undefined, "guests", {}), missing("id"));
  await assert.rejects(actor.directory.grant("g", undefined, {}), missing("template"));
  assert.throws(() => t1.message(undefined, "en"), missing("code"));
});

test("an actor is who it was when it was bound, whichever way it asks", async () => {
  let asked = 0;
  const user = { id: "mert", hosUid() { asked += 1; return new Uid("S::Account", this.id); } };
  const bound = t1.as(user);
  const row = { type: "S::Account", id: "mert" };
  const pair = t1.as(row);
  user.id = row.id = "nobody";
  for (const one of [bound, pair]) {
    assert.equal(one.can("hall.enter", hall).allowed, true);
    assert.equal(one.can("hall.enter", hall, { given: [] }).allowed, true);
    assert.equal((await one.begin("ticket", `w-${asked}-${one === bound}`, "order", { facts: { owner: mert, price: 1 } })).allowed, true);
  }
  assert.equal(asked, 1);
});

test("what only looks like a Uid is none", () => {
  const hollow = Object.create(Uid.prototype);
  const half = Object.create(Uid.prototype, { type: { value: "S::Hall" } });
  const numbered = Object.create(Uid.prototype, { type: { value: "S::Hall" }, id: { value: 1 } });
  for (const odd of [hollow, half, numbered]) {
    for (const way of [odd, { hosUid: () => odd }]) {
      assert.throws(() => actor.can("hall.enter", way), { ...malformed, message: /`resource`.*texts/ });
      assert.throws(() => t1.as(way).can("hall.enter", hall), { ...malformed, message: /`principal`.*texts/ });
      assert.throws(() => actor.can("hall.enter", hall, { context: { by: way } }), { ...malformed, message: /`context\.by`.*texts/ });
    }
  }
  let reads = 0;
  const turning = Object.create(Uid.prototype, { type: { value: "S::Hall" }, id: { get: () => (reads++ === 0 ? "h1" : 7) } });
  assert.equal(actor.can("hall.enter", turning).allowed, true, "each word is read once");
});

test("a number that is not exact is told the bigint that it is", () => {
  const may = (hour) => () => actor.can("hall.enter", hall, { context: { hour } });
  assert.throws(may(2 ** 53), { code: "hos.value_invalid", message: /9007199254740992n/ });
  assert.throws(may(-(2 ** 60)), { code: "hos.value_invalid", message: /-1152921504606846976n/ });
  assert.throws(may(1e300), { code: "hos.value_invalid", message: /beyond 64 bits/ });
});

test("a fault of the caller's own is one error everywhere, and in shadow the world's answer stands beside it", async () => {
  const path = store();
  command(path, ["law", "activate", `${vectors}/law`, "--mode", "shadow", "--tenant", "t1", "--as", "Account::ayse"]);
  const watched = await Engine.open({ store: path });
  const cause = new Error("the row is away");
  const broken = { hosUid() { throw cause; } };
  const throws = { get() { throw cause; }, enumerable: true };
  const { proxy: unseen, revoke } = Proxy.revocable({}, {});
  revoke();
  const calls = {
    "half a pair in the action": [mert, "hall.enter\ud800", hall, {}],
    "a long action": [mert, "x".repeat(2_000_000), hall, {}],
    "no action": [mert, undefined, hall, {}],
    "an action that is a number": [mert, 5, hall, {}],
    "an action that is an object": [mert, { action: "hall.enter" }, hall, {}],
    "a language that is a number": [mert, "hall.enter", hall, {}, { language: 5 }],
    "a long name": [mert, "hall.enter", hall, { ["\0".repeat(5 << 20)]: 1 }],
    "a long resource": [mert, "hall.enter", "x".repeat(400 << 20), {}],
    "a resource that cannot be looked at": [mert, "hall.enter", unseen, {}],
    "a field that throws what cannot be looked at": [mert, "hall.enter", hall, { context: { get a() { throw unseen; } } }],
    "half a pair in the language": [mert, "hall.enter", hall, {}, { language: "\udfff" }],
    "half a pair in the request": [mert, "hall.enter", hall, {}, { request: "\udfff" }],
    "half a pair in the resource": [mert, "hall.enter", 'S::Hall::"\ud800"', {}],
    "no resource": [mert, "hall.enter", undefined, {}],
    "a taken name": [mert, "hall.enter", hall, { principal: ayse, tenant: "t2", action: "x" }],
    "a name that begins with __": [mert, "hall.enter", hall, { context: { __entity: mert } }],
    "a resource that throws": [mert, "hall.enter", broken, {}],
    "a principal that throws": [broken, "hall.enter", hall, {}],
    "a context that throws": [mert, "hall.enter", hall, Object.defineProperties({}, { context: throws })],
    "a request that throws": [mert, "hall.enter", hall, Object.defineProperties({}, { request: throws })],
    "a field of a context that throws": [mert, "hall.enter", hall, { context: Object.defineProperties({}, { hour: throws }) }],
  };
  for (const [what, [who, action, resource, besides, as]] of Object.entries(calls)) {
    for (const way of [engine, watched]) {
      const asked = (extra) => way.tenant("t1").as(who, as).can(action, resource, Object.defineProperties(extra, Object.getOwnPropertyDescriptors(besides)));
      assert.throws(() => asked({}), (error) => {
        assert.ok(error instanceof hos.CallError, `${what}: ${error}`);
        if (what.endsWith("throws")) assert.deepEqual([error.code, error.cause], ["hos.value_invalid", cause], what);
        return true;
      });
      for (const allowed of [true, false]) {
        if (way === engine) {
          assert.throws(() => asked({ legacy: { allowed } }), hos.CallError, what);
          continue;
        }
        const answer = asked({ legacy: { allowed } });
        assert.deepEqual([answer.allowed, answer.mode], [allowed, "shadow"], what);
        assert.match(answer.code, /^hos\.(value_invalid|call_malformed|call_too_large)$/, what);
      }
    }
  }
  // Whatever was refused here is refused by the wire too, where the call goes to it because of the world's answer.
  const parses = { hosUid: () => Uid.parse("nobody") };
  const mine = { legacy: { allowed: true }, context: parses };
  assert.throws(() => actor.can("hall.enter", hall, mine), { code: "hos.id_invalid" });
  assert.equal(watched.tenant("t1").as(mert).can("hall.enter", hall, mine).code, "hos.id_invalid");
  assert.throws(() => actor.can("hall.enter", hall, { legacy: { allowed: true }, context: { by: parses } }), { code: "hos.id_invalid" });
  await assert.rejects(actor.record("mail.sent", undefined, { legacy: { allowed: true } }), { ...malformed, message: /`payload`/ });
  // The blocker tells of what was wrong, and not of what stood in its place.
  const told = (who, besides, as) => watched.tenant("t1").as(who, as).can("hall.enter", hall, { legacy: { allowed: true }, ...besides });
  for (const [answer, code, detail] of [
    [told("nobody", {}), "hos.id_invalid", /^`principal` is no entity: "nobody"/],
    [told(mert, { context: { badge: "\ud800" } }), "hos.call_malformed", /^`context\.badge` holds half a surrogate pair/],
    [told(mert, { context: { badge: 1.5 } }), "hos.value_invalid", /^`context\.badge`: a float/],
    [told(mert, { context: { badge: "x".repeat(2_000_000) } }), "hos.call_too_large", /`context\.badge`/],
    [told(mert, { once: "k", context: Object.create({ a: 1 }) }), "hos.value_invalid", /^`context`/],
    [await watched.tenant("t1").as(mert).begin("ticket", "w-1", "order", { legacy: { allowed: true }, facts: { owner: null } }), "hos.value_invalid", /^`facts\.owner`: null/],
  ]) {
    assert.deepEqual([answer.allowed, answer.mode, answer.code, answer.blockers.length], [true, "shadow", code, 1]);
    assert.match(answer.blockers[0].detail, detail);
  }
  const [turkish, same] = [told("nobody", {}, { language: "tr" }), told(mert, { context: { badge: "\ud800" } }, { language: "tr" })];
  assert.equal(turkish.blockers[0].code, "hos.id_invalid");
  assert.equal(turkish.message(), watched.tenant("t1").message("hos.id_invalid", "tr"));
  assert.equal(same.message(), watched.tenant("t1").message("hos.call_malformed", "tr"));
  // What it was about cannot be told: nothing says that the law only watches there.
  const legacy = { allowed: true };
  await assert.rejects(watched.tenant("t1").as(mert).transition("ticket\ud800", "w", "pay", { legacy }), malformed);
  await assert.rejects(watched.tenant("t1").as(mert).directory.revoke(undefined, { legacy }), malformed);
  // The outcome stands wherever an object has it.
  const inherited = Object.create({ get legacy() { return legacy; } });
  const hidden = Object.defineProperty({ context: { hour: 12 } }, "legacy", { value: legacy });
  for (const besides of [inherited, hidden, new Proxy({ legacy }, { ownKeys() { throw cause; } })]) {
    // The law would say no.
    assert.equal(watched.tenant("t1").as(mert).can("hall.enter", new Uid("S::Hall", "h2"), besides).allowed, true);
  }
  const large = await watched.tenant("t1").as(mert).record("mail.sent", new Uint8Array(300 << 20), { legacy });
  assert.deepEqual([large.allowed, large.code], [true, "hos.call_too_large"]);
  await assert.rejects(actor.record("mail.sent", new Uint8Array(300 << 20)), { code: "hos.call_too_large" });
  const trap = new Proxy({}, { ownKeys() { throw cause; } });
  assert.throws(() => watched.tenant("t1").as(mert).can("hall.enter", hall, trap), { code: "hos.value_invalid", cause });
  await watched.close();
});
