// The surface: what a program reads and writes every day.

import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { inspect, isDeepStrictEqual } from "node:util";
import { command, hos, store, vectors } from "./house.mjs";

const { Actor, Answer, CallError, Denied, Engine, Ext, HosError, Tenant, Uid } = hos;

const path = store();
const engine = await Engine.open({ store: path });
const t1 = engine.tenant("t1");
const mert = new Uid("S::Account", "mert");
const ayse = new Uid("S::Account", "ayse");
const hall = new Uid("S::Hall", "h1");
const closed = new Uid("S::Hall", "h2");
const actor = t1.as(mert);

test("a yes and a no are answers", () => {
  const yes = actor.can("hall.enter", hall, { context: { hour: 12 } });
  assert.ok(yes instanceof Answer);
  assert.deepEqual([yes.allowed, yes.code, yes.effect, yes.policies, yes.mode], [true, undefined, "allow", ["open-halls"], "enforce"]);
  assert.match(yes.law, /^[0-9a-f]{64}$/);
  const no = actor.can("hall.enter", closed);
  assert.deepEqual([no.allowed, no.code, no.blockers], [false, "hos.not_permitted", [{ code: "hos.not_permitted", detail: "" }]]);
  assert.equal(yes.allowed, true, "an answer stays what it was");
});

test("an answer is read-only and no condition", () => {
  const no = actor.can("hall.enter", closed);
  assert.throws(() => { no.allowed = true; }, TypeError);
  assert.throws(() => { no.blockers.push("x"); }, TypeError);
  assert.throws(() => { no.blockers[0].code = "x"; }, TypeError);
  assert.throws(() => Object.defineProperty(no, "allowed", { value: true }), TypeError);
  assert.throws(() => no == true, /look at `\.allowed`/);
  assert.throws(() => +no, /look at `\.allowed`/);
  assert.throws(() => no + 1, /look at `\.allowed`/);
  assert.equal(`${no}`, "refused: hos.not_permitted");
  assert.equal(`${actor.can("hall.enter", hall)}`, "allowed");
  assert.match(inspect(no), /^Answer \{[^]*hos\.not_permitted/);
  assert.equal(JSON.parse(JSON.stringify(no)).code, "hos.not_permitted");
  assert.equal(no.allowed, false);
});

test("an answer is told apart, cloned and shown", () => {
  const [yes, no] = [actor.can("hall.enter", hall), actor.can("hall.enter", closed)];
  assert.equal(isDeepStrictEqual(yes, no), false);
  assert.throws(() => assert.deepStrictEqual(no, yes), assert.AssertionError);
  assert.deepStrictEqual(no, actor.can("hall.enter", closed));
  const said = { allowed: false, code: "hos.not_permitted" };
  for (const what of [structuredClone(no), { ...no }, Object.assign({}, no)]) assert.deepEqual(what, said);
  assert.deepEqual([structuredClone(yes), yes.code], [{ allowed: true }, undefined], "what is absent is no property");
  assert.deepEqual(structuredClone(no.toJSON()), JSON.parse(JSON.stringify(no)), "the whole of it is the wire's");
  assert.ok(no.directoryVersion > 0 && no.toJSON().directory_version === no.directoryVersion);
  assert.match(inspect({ no }), /no: Answer \{[^]* directoryVersion: \d/, "it is shown by the names that it has");
  for (const name of inspect(no).match(/^  \w+(?=:)/gm)) assert.ok(name.trim() in no, name);
});

test("the throwing sisters throw what the others answer", async () => {
  assert.equal(actor.authorize("hall.enter", hall).allowed, true);
  assert.throws(() => actor.authorize("hall.enter", closed), (thrown) => {
    assert.ok(thrown instanceof Denied && thrown instanceof Error && !(thrown instanceof HosError));
    assert.deepEqual([thrown.name, thrown.code, thrown.answer.allowed], ["Denied", "hos.not_permitted", false]);
    return /denied: hos\.not_permitted/.test(thrown.message);
  });
  await actor.begin("ticket", "s-1", "order", { facts: { owner: mert, price: 100 } });
  await assert.rejects(actor.apply("ticket", "s-1", "pay", { args: { amount: 99 } }), (thrown) => {
    return thrown instanceof Denied && thrown.code === "ticket.too_little" && thrown.answer.to === "new";
  });
  assert.equal((await actor.transition("ticket", "s-1", "pay", { args: { amount: 99 } })).allowed, false);
  assert.equal((await actor.apply("ticket", "s-1", "pay", { args: { amount: 100 } })).to, "paid");
});

test("an entity is said in four ways", () => {
  const object = { hosUid: () => hall };
  const text = { hosUid: () => 'S::Hall::"h1"' };
  for (const way of [hall, 'S::Hall::"h1"', { type: "S::Hall", id: "h1" }, object, text]) {
    assert.equal(actor.can("hall.enter", way).allowed, true, inspect(way));
  }
  for (const way of [mert, 'S::Account::"mert"', { type: "S::Account", id: "mert" }, { hosUid: () => mert }]) {
    assert.equal(t1.as(way).can("hall.enter", hall).allowed, true, inspect(way));
  }
  assert.throws(() => actor.can("hall.enter", "h1"), { name: "CallError", code: "hos.id_invalid", message: /`resource`.*Type::"id"/ });
  assert.throws(() => actor.can("hall.enter", { hosUid: () => 7 }), { code: "hos.call_malformed", message: /hosUid\(\)/ });
  assert.throws(() => t1.as("mert").can("hall.enter", hall), { code: "hos.id_invalid", message: /`principal`/ });
  assert.throws(() => t1.as(undefined).can("hall.enter", hall), { code: "hos.call_malformed", message: /principal/ });
  for (const way of [mert, 'S::Account::"mert"', { type: "S::Account", id: "mert", more: undefined }, { hosUid: () => mert }, Object.create(null, { hosUid: { value: () => mert } })]) {
    const { principal } = t1.as(way);
    assert.ok(principal instanceof Uid && principal.equals(mert), inspect(way));
  }
  for (const way of [undefined, 7, "mert", { type: "S::Account" }, { type: "S::Account", id: "mert", more: 1 }, { hosUid: () => 7 }]) {
    const nobody = t1.as(way);
    assert.deepEqual({ ...nobody.principal }, { type: "", id: "" }, inspect(way));
    assert.throws(() => nobody.can("hall.enter", hall), CallError, inspect(way));
  }
  assert.throws(() => actor.can("hall.enter", t1.as(7).principal), { code: "hos.id_invalid" }, "and nobody is no entity");
  const strange = new Uid("S::Hall", 'a"\\\n\0b');
  assert.equal(String(strange), 'S::Hall::"a\\"\\\\\\n\\0b"');
  assert.ok(Uid.parse(String(strange)).equals(strange));
  for (const text of ["S::Hall", 'S::Hall::"a', 'S::Hall::"a"b"', 'S::Hall::"a\\x"', 'S::Hall::"a\\"', ""]) {
    assert.throws(() => Uid.parse(text), { code: "hos.id_invalid" }, text);
  }
});

test("a ticket's life, and its history", async () => {
  const born = await actor.begin("ticket", "k-1", "order", { facts: { owner: actor.principal, price: 100 } });
  assert.deepEqual([born.allowed, born.from, born.to, born.again, born.receipt.tenant, born.receipt.n], [true, undefined, "new", false, "t1", 0]);
  assert.match(born.receipt.seal.checkpoint, /^hos\//);
  const can = await actor.available("ticket", "k-1");
  assert.deepEqual(can.find((one) => one.event === "pay").needs, ["amount"]);
  const first = await actor.transition("ticket", "k-1", "pay", { args: { amount: 100 }, once: "psp-1" });
  const again = await actor.transition("ticket", "k-1", "pay", { args: { amount: 100 }, once: "psp-1" });
  assert.deepEqual([first.again, again.again, again.receipt.record], [false, true, first.receipt.record]);
  const entries = await t1.history("ticket", "k-1", { from: 0, limit: 10 });
  assert.deepEqual(entries.map((one) => one.kind), ["begun", "moved"]);
  assert.ok(entries[0].parts.facts.owner.equals(mert), "an entity comes back as one");
  assert.equal(entries[0].contractVersion, 1);
  assert.deepEqual((await actor.history("ticket", "k-1", { from: 1 })).map((one) => one.n), [1]);
  await assert.rejects(actor.history("ticket", "none"), { name: "AbsentError", code: "hos.instance_unknown", status: "absent" });
});

test("who is who is changed, and a grant taken back", async () => {
  const { directory } = t1.as(ayse);
  const eda = new Uid("S::Account", "eda");
  const shut = new Uid("S::Hall", "h9");
  assert.equal((await directory.put(shut, { open: false })).allowed, true);
  assert.equal((await engine.tenant("universe").as(ayse).directory.put(eda, { active: false })).allowed, true);
  const may = () => t1.as(eda).can("hall.enter", shut).allowed;
  assert.equal(may(), false);
  await directory.join(eda, shut);
  assert.equal(may(), true);
  await directory.leave(eda, shut);
  assert.equal(may(), false);
  await directory.grant("g-1", "guests", { principal: eda, resource: shut });
  assert.equal(may(), true);
  await directory.revoke("g-1");
  assert.equal(may(), false);
  assert.equal((await directory.remove(shut)).allowed, true);
  assert.equal((await t1.as(mert).directory.put(shut, { open: true })).allowed, false, "a no is an answer here too");
});

test("a record is text or bytes", async () => {
  const noted = await t1.as(ayse).record("mail.sent", "hello", { subject: mert });
  assert.equal(noted.allowed, true);
  assert.equal((await t1.as(ayse).record("mail.sent", Uint8Array.of(0, 255))).allowed, true);
  const row = await t1.as(ayse).adopt("ticket", "old-1", "paid", { facts: { owner: mert, price: 5 } });
  assert.equal(row.to, "paid");
});

test("messages come in the language that is asked for", () => {
  const no = t1.as(mert, { language: "tr" }).can("hall.enter", hall, { context: { hour: 2 } });
  assert.equal(no.message(), no.blockers[0].message);
  assert.notEqual(no.message("en"), no.message("tr"));
  assert.equal(actor.can("hall.enter", hall, { context: { hour: 2 } }).message("tr"), no.message());
  assert.equal(actor.can("hall.enter", hall).message(), undefined);
  assert.equal(t1.message("ticket.too_little", "tr"), "Ödenen tutar bilet fiyatından az.");
  assert.throws(() => engine.tenant("none").message("x.y", "en"), { code: "hos.tenant_unknown" });
});

test("what is misspelt is named", async () => {
  assert.throws(() => actor.can("hall.enter", hall, { contxt: {} }), { code: "hos.call_malformed", message: /contxt/ });
  await assert.rejects(actor.begin("ticket", "k-2", "order", { fact: {} }), { code: "hos.call_malformed", message: /fact/ });
  await assert.rejects(actor.begin("ticket", "k-2", "order", { principal: ayse }), { code: "hos.call_malformed" }, "nobody acts as another");
  await assert.rejects(actor.begin("ticket", "k-2", "order", { tenant: "universe" }), { code: "hos.call_malformed" });
  await assert.rejects(actor.begin("ticket", "k-2", "order", []), { code: "hos.call_malformed" });
  await assert.rejects(actor.begin("ticket", "k-2", "order", null), { code: "hos.call_malformed" });
  assert.throws(() => t1.as(mert, { lang: "tr" }), { name: "CallError", message: /`lang`/ });
  await assert.rejects(Engine.open({ stor: path }), { code: "hos.call_malformed", message: /stor/ });
  await assert.rejects(Engine.open({ store: path, key_file: "x" }), { code: "hos.call_malformed", message: /keyFile/ });
  await assert.rejects(Engine.open(path), { code: "hos.call_malformed", message: /Engine\.open/ });
  assert.throws(() => Engine.openSync(null), { code: "hos.call_malformed" });
  assert.throws(() => new Engine({}), { code: "hos.call_malformed" });
  await assert.rejects(engine.call("cann", {}), { code: "hos.call_malformed", message: /did you mean `can`/ });
  const failed = await Engine.open({ store: `${path}.none` }).catch((error) => error);
  assert.ok(failed instanceof hos.StoreError && failed instanceof HosError && failed instanceof Error);
  assert.deepEqual([failed.name, failed.code, failed.status, failed.faults], ["StoreError", "hos.store_unavailable", "store", []]);
  assert.match(String(failed), /^StoreError: hos\.store_unavailable: ./);
  assert.match(failed.stack, /^StoreError: hos\.store_unavailable: ./);
  assert.throws(() => engine.tenant("none").as(mert).can("hall.enter", hall), { message: "hos.tenant_unknown: `none`" });
  assert.throws(() => actor.can("hall.enter", "h1"), { message: /^hos\.id_invalid: `resource`/ });
  assert.equal(new CallError("call", "hos.call_malformed", "").message, "hos.call_malformed");
});

test("a law that does not load says each fault", async () => {
  const law = join(mkdtempSync(join(path, "..", "law-")), "law");
  cpSync(join(vectors, "law"), law, { recursive: true });
  appendFileSync(join(law, "contracts", "ticket.toml"), "\n[event.lost]\nfrom = [\"nowhere\"]\nto = \"paid\"\naction = \"ticket.pay\"\n");
  const failed = await Engine.open(law, { store: store() }).catch((error) => error);
  assert.ok(failed instanceof hos.LawError);
  assert.ok(failed.faults.some((fault) => fault.file.endsWith("ticket.toml") && fault.line > 0 && fault.severity === "error"));
  const [first] = failed.faults;
  assert.match(failed.message, /^hos\.law_invalid: /);
  assert.ok(failed.message.includes(`\n${first.file}:${first.line} ${first.code}: ${first.message}`), failed.message);
  const faults = [1, 2, 0, 4, 5].map((line) => ({ code: "law.x", severity: "error", file: "a.toml", line, column: 1, message: "no" }));
  const lines = (count) => new hos.LawError("law", "hos.law_invalid", "faults", { faults: faults.slice(0, count) }).message.split("\n");
  const named = ["hos.law_invalid: faults", "a.toml:1 law.x: no", "a.toml:2 law.x: no", "a.toml law.x: no"];
  assert.deepEqual([lines(3), lines(5)], [named, [...named, "and 2 more"]]);
});

test("the wire's own words are there", async () => {
  const call = { tenant: "t1", principal: mert, action: "hall.enter", resource: hall };
  assert.equal((await engine.call("can", call)).allowed, true);
  assert.equal((await engine.call("can", JSON.stringify({ ...call, principal: { type: "S::Account", id: "mert" }, resource: { type: "S::Hall", id: "h1" } }))).allowed, true);
  await assert.rejects(engine.call("can", "{"), { code: "hos.call_malformed" });
  await assert.rejects(engine.call("can", Uint8Array.of(0x22, 0xff, 0x22)), { code: "hos.call_malformed" });
  await assert.rejects(engine.call(7, "{}"), { code: "hos.call_malformed" });
  await assert.rejects(engine.call("can", undefined), { code: "hos.call_malformed" });
});

test("import and require give the same package", () => {
  const required = createRequire(import.meta.url)("hos");
  assert.equal(required.Engine, Engine);
  assert.ok(t1 instanceof Tenant && actor instanceof Actor);
  const names = Object.keys(required).sort();
  assert.deepEqual(names, ["AbsentError", "Actor", "Answer", "CallError", "ClosedError", "Denied", "Directory", "Engine", "Ext",
    "HosError", "InternalError", "JoinedActor", "JoinedEngine", "JoinedTenant", "LawError", "OutcomeUnknownError", "RetryError", "StoreError", "Tenant", "Uid"]);
});

test("openSync opens the same store by its law's directory, and the file is intact", async () => {
  const own = store();
  const other = Engine.openSync(join(vectors, "law"), { store: own, seal: "inline", busyTimeoutMs: 2000 });
  assert.equal(other.tenant("t1").as(mert).can("hall.enter", hall).allowed, true);
  other.closeSync();
  await engine.close();
  assert.match(command(path, ["verify"]), /intact/);
  assert.ok(new CallError("call", "hos.call_malformed", "x") instanceof HosError);
  assert.equal(String(Ext.decimal("1.50")), 'decimal("1.50")');
});
