// In the transaction that a host has already: its rows and the evidence are one commit. On each kind of connection.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hos } from "./house.mjs";
import { VARIANTS, world } from "./databases.mjs";

const { Answer, CallError, ClosedError, Denied, Engine, Uid } = hos;
const ayse = new Uid("S::Account", "ayse");
const mert = new Uid("S::Account", "mert");
const facts = { owner: ayse, price: 10 };

/** What is thrown, or rejected. */
async function thrown(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

for (const variant of VARIANTS) {
  test(variant.name, { skip: variant.skip }, async (t) => {
    const { host, connect, verified, isNow } = await world(t, variant);
    const engine = await Engine.open({ store: host.connection });
    const actor = engine.tenant("t1").as(ayse, { language: "tr" });
    let born = 0;
    const fresh = async () => {
      const id = `b-${(born += 1)}`;
      await host.begin();
      assert.equal((await actor.begin("ticket", id, "order", { facts })).allowed, true);
      await host.say(`INSERT INTO tickets VALUES ('${id}', 'new')`);
      await host.commit();
      return id;
    };
    const instances = () => host.one("SELECT count(*) FROM hos_instance");
    /** Records, sealed or waiting. */
    const size = async () => (await host.one("SELECT count(*) FROM hos_record")) + (await host.one("SELECT count(*) FROM hos_inbox"));

    await t.test("the host's rows and the evidence commit together, or roll back together", async () => {
      const id = await fresh();
      const before = await size();
      const pay = async () => {
        await host.begin();
        await host.say(`UPDATE tickets SET status = 'paid' WHERE id = '${id}'`);
        return actor.transition("ticket", id, "pay", { args: { amount: 10 } });
      };
      const first = await pay();
      assert.ok(first instanceof Answer && first.allowed && first.to === "paid");
      assert.deepEqual([first.receipt.n, first.receipt.seal], [1, undefined], "it is sealed later");
      await host.rollback();
      assert.equal(await size(), before);
      assert.equal(await host.one(`SELECT status FROM tickets WHERE id = '${id}'`), "new");
      const second = await pay();
      assert.equal(second.allowed, true);
      await host.commit();
      // Who commits twice has committed once.
      await thrown(() => host.commit()).catch(() => {});
      assert.equal(await host.one(`SELECT status FROM tickets WHERE id = '${id}'`), "paid");
      const report = verified();
      assert.deepEqual([report.level, report.unsealed.records], ["intact", 0]);
      assert.equal(await size(), before + 1);
    });

    await t.test("answers are there at once of SQLite, and promises of all others", async () => {
      const asked = actor.can("hall.enter", new Uid("S::Hall", "h1"));
      assert.equal(asked instanceof Promise, !isNow);
      assert.equal((await asked).allowed, true);
      assert.equal((await actor.authorize("hall.enter", new Uid("S::Hall", "h1"))).allowed, true);
      const denied = await thrown(() => actor.authorize("hall.enter", new Uid("S::Hall", "h1"), { context: { hour: 3 } }));
      assert.ok(denied instanceof Denied && denied.code === "hos.forbidden", `${denied}`);
    });

    await t.test("a host that forgets to commit, or whose connection is lost in the middle, leaves nothing", async () => {
      const id = await fresh();
      const before = await size();
      for (const end of ["end", "lose"]) {
        const other = await connect();
        const there = engine.on(other.connection).tenant("t1").as(ayse);
        await other.begin();
        await other.say(`UPDATE tickets SET status = 'paid' WHERE id = '${id}'`);
        assert.equal((await there.transition("ticket", id, "pay", { args: { amount: 10 } })).allowed, true);
        await other[end]();
        const error = await thrown(() => there.transition("ticket", id, "use"));
        // A file of SQLite that was closed says that it is in no transaction.
        assert.equal(error.code, isNow ? "hos.no_transaction" : "hos.store_unavailable");
        assert.equal(error.cause === undefined, isNow, "what the connection threw is the cause");
      }
      const cancel = (_, joined) => joined.tenant("t1").as(ayse).transition("ticket", id, "cancel");
      const answer = await engine.transaction(cancel);
      assert.deepEqual([answer.allowed, answer.from], [true, "new"]);
      assert.equal(await size(), before + 1);
      assert.equal(await host.one(`SELECT status FROM tickets WHERE id = '${id}'`), "new");
    });

    await t.test("a refusal leaves nothing though the host commits, and becomes evidence afterwards", async () => {
      const id = await fresh();
      const before = await size();
      await host.begin();
      const answer = await actor.transition("ticket", id, "pay", { args: { amount: 1 }, once: `k-${id}` });
      await host.commit();
      assert.deepEqual([answer.allowed, answer.code], [false, "ticket.too_little"]);
      assert.equal(answer.message(), "Ödenen tutar bilet fiyatından az.");
      assert.equal(answer.message("en"), "The amount is less than the ticket's price.");
      assert.equal(await size(), before);
      await host.begin();
      const denied = await thrown(() => actor.apply("ticket", id, "pay", { args: { amount: 1 }, once: `k-${id}` }));
      await host.rollback();
      assert.ok(denied instanceof Denied && denied.code === "ticket.too_little");
      await host.begin();
      const kept = await engine.refused(denied.answer);
      await host.commit();
      assert.equal(kept.code, "ticket.too_little");
      assert.equal(await size(), before + 1);
      for (const other of [kept, new Denied(answer), undefined]) {
        const error = await thrown(() => engine.refused(other));
        assert.ok(error instanceof CallError && error.code === "hos.call_malformed", `${error}`);
      }
      const outside = await thrown(() => engine.refused(answer));
      assert.equal(outside.code, "hos.no_transaction");
    });

    await t.test("a key once used brings the first receipt again", async () => {
      const id = await fresh();
      const receipts = [];
      for (const again of [false, true, true]) {
        await host.begin();
        const answer = await actor.transition("ticket", id, "pay", { args: { amount: 10 }, once: `evt-${id}` });
        await host.commit();
        assert.deepEqual([answer.allowed, answer.again], [true, again]);
        receipts.push(answer.receipt.record);
        if (again) verified();
      }
      assert.equal(new Set(receipts).size, 1);
      await host.begin();
      const conflict = await actor.transition("ticket", id, "use", { once: `evt-${id}` });
      await host.rollback();
      assert.equal(conflict.code, "hos.once_conflict");
    });

    await t.test("outside a transaction nothing is judged", async () => {
      const id = await fresh();
      const before = await size();
      for (const work of [
        () => actor.transition("ticket", id, "pay", { args: { amount: 10 } }),
        () => actor.begin("ticket", "nobody", "order", { facts }),
        () => actor.record("notes", "x"),
        () => actor.all([{ operation: "record", stream: "notes", payload: "x" }]),
        () => actor.directory.put(mert, { active: true }),
        () => actor.transition("ticket", id, "pay", { args: () => assert.fail("it is not read") }),
      ]) {
        const error = await thrown(work);
        assert.ok(error instanceof CallError && error.code === "hos.no_transaction", `${error}`);
      }
      assert.equal(await host.one("SELECT count(*) FROM hos_instance WHERE state = ''"), 0);
      assert.equal(await size(), before);
    });

    await t.test("arguments are read when the ticket is claimed", async () => {
      const id = await fresh();
      const amount = async () => (await host.one("SELECT 4")) + 6;
      const args = isNow ? () => ({ amount: host.connection.prepare("SELECT 10").pluck().get() }) : async () => ({ amount: await amount() });
      await host.begin();
      assert.equal((await actor.transition("ticket", id, "pay", { args })).allowed, true);
      await host.commit();
      // A birth's facts likewise; and what its code throws is thrown, and nothing stays claimed.
      const before = await size();
      const odd = new RangeError("no price");
      await host.begin();
      assert.equal(await thrown(() => actor.begin("ticket", `${id}-2`, "order", { facts: () => { throw odd; }, once: `o-${id}` })), odd);
      const bad = await thrown(() => actor.begin("ticket", `${id}-2`, "order", { facts: () => ({ owner: null }), once: `o-${id}` }));
      assert.equal(bad.code, "hos.value_invalid");
      const words = await thrown(() => actor.begin("ticket", `${id}-2`, "order", { facts: () => facts, once: `o-${id}`, no: 1 }));
      assert.match(words.message, /`no`/);
      await host.commit();
      assert.equal(await host.one("SELECT count(*) FROM hos_once WHERE n < 0"), 0);
      assert.equal(await host.one("SELECT count(*) FROM hos_instance WHERE state = ''"), 0);
      assert.equal(await size(), before);
      await host.begin();
      assert.equal((await actor.begin("ticket", `${id}-2`, "order", { facts: () => facts, once: `o-${id}` })).allowed, true);
      await host.commit();
      assert.equal(verified().level, "intact");
    });

    await t.test("a change of the directory holds within its transaction, and behind it for all", async () => {
      const id = await fresh();
      const other = await connect();
      const there = engine.on(other.connection).tenant("t1").as(mert);
      const paid = async (joined) => {
        await joined.begin();
        await joined.say(`UPDATE tickets SET status = status WHERE id = '${id}'`);
      };
      await host.begin();
      await actor.transition("ticket", id, "pay", { args: { amount: 10 } });
      await host.commit();
      await paid(other);
      assert.equal((await there.transition("ticket", id, "use")).code, "hos.not_permitted");
      await other.rollback();
      await host.begin();
      assert.equal((await engine.tenant("universe").as(ayse).directory.put(new Uid("S::Role", "clerk"))).allowed, true);
      const joined = await engine.tenant("universe").as(ayse).directory.join(mert, new Uid("S::Role", "clerk"));
      assert.equal(joined.allowed, true, joined.code);
      const within = await engine.tenant("t1").as(mert).transition("ticket", id, "use");
      await host.rollback();
      assert.equal(within.allowed, true, within.code);
      await paid(other);
      assert.equal((await there.transition("ticket", id, "use")).code, "hos.not_permitted", "it was rolled back");
      await other.rollback();
      await host.begin();
      await engine.tenant("universe").as(ayse).directory.put(new Uid("S::Role", "clerk"));
      await engine.tenant("universe").as(ayse).directory.join(mert, new Uid("S::Role", "clerk"));
      await host.commit();
      await paid(other);
      assert.equal((await there.transition("ticket", id, "use")).allowed, true);
      await other.commit();
      await host.begin();
      await engine.tenant("universe").as(ayse).directory.leave(mert, new Uid("S::Role", "clerk"));
      await host.commit();
      assert.equal(verified().level, "intact");
    });

    await t.test("records of a stream have no place before they are sealed; rows are adopted", async () => {
      await host.begin();
      const noted = await actor.record("notes", Buffer.from([0, 255, 39, 92]), { once: "note" });
      const adopted = await actor.adopt("ticket", "old-1", "paid", { facts: { ...facts, owner: actor.principal } });
      await host.commit();
      assert.deepEqual([noted.allowed, noted.receipt.n, "n" in noted.toJSON().receipt], [true, undefined, false]);
      assert.deepEqual([adopted.allowed, adopted.to], [true, "paid"]);
      assert.equal(verified().level, "intact");
      await host.begin();
      const again = await actor.record("notes", Buffer.from([0, 255, 39, 92]), { once: "note" });
      await host.commit();
      assert.deepEqual([again.again, again.receipt.n], [true, 0]);
    });

    await t.test("several calls as one: all is written, or nothing though the host commits", async () => {
      const id = await fresh();
      const [before, there] = [await size(), await instances()];
      const birth = (more) => ({ operation: "begin", contract: "ticket", id: `${id}-1`, event: "order", facts, ...more });
      const pay = (amount) => ({ operation: "transition", contract: "ticket", id, event: "pay", args: { amount } });
      const note = { operation: "record", stream: "together", payload: Buffer.from([0, 255]), subject: ayse, once: `n-${id}` };
      const adopted = { operation: "adopt", contract: "ticket", id: `${id}-2`, state: "paid", facts };

      await host.begin();
      const refused = await actor.all([birth({ once: `o-${id}` }), pay(1), note]);
      await host.commit();
      assert.deepEqual(refused.map((one) => [one.allowed, one.code, one.receipt]), [[true, undefined, undefined], [false, "ticket.too_little", undefined]]);
      assert.equal(refused[1].message(), "Ödenen tutar bilet fiyatından az.");
      assert.deepEqual([await size(), await instances()], [before, there]);
      assert.equal(await host.one("SELECT count(*) FROM hos_once WHERE n < 0"), 0);
      await host.begin();
      assert.equal((await thrown(() => engine.refused(refused[0]))).code, "hos.call_malformed", "a yes is no refusal");
      const kept = await engine.refused(refused[1]);
      await host.commit();
      assert.deepEqual([kept.allowed, kept.code, await size()], [false, "ticket.too_little", before + 1]);

      for (const end of ["rollback", "commit"]) {
        await host.begin();
        const answers = await actor.all([birth({ once: `o-${id}` }), pay(10), note, adopted], { given: [] });
        await host[end]();
        assert.ok(answers.every((one) => one instanceof Answer && one.allowed));
        assert.deepEqual(answers.map((one) => [one.to, one.receipt.n]), [["new", 0], ["paid", 1], [undefined, undefined], ["paid", 0]]);
        assert.deepEqual([await size(), await instances()], end === "commit" ? [before + 5, there + 2] : [before + 1, there]);
      }
      assert.equal(verified().level, "intact");
    });

    await t.test("two births as one commit together", async () => {
      const there = await instances();
      const births = ["two-1", "two-2"].map((id) => ({ operation: "begin", contract: "ticket", id, event: "order", facts }));
      await host.begin();
      const asked = actor.all(births);
      assert.equal(asked instanceof Promise, !isNow);
      const answers = await asked;
      await host.commit();
      assert.deepEqual(answers.map((one) => [one.allowed, one.to, one.receipt.n]), [[true, "new", 0], [true, "new", 0]]);
      assert.equal(await instances(), there + 2);
      assert.equal(verified().level, "intact");
    });

    await t.test("what cannot be one is refused, and leaves nothing", async () => {
      const id = await fresh();
      const before = await size();
      const cancel = { operation: "transition", contract: "ticket", id, event: "cancel" };
      const note = (once) => ({ operation: "record", stream: "notes", payload: "x", once });
      const wrong = [
        [[cancel, { ...cancel, event: "pay" }], {}, "hos.call_malformed", /same instance/],
        [[note("same"), note("same")], {}, "hos.call_malformed", /same once-key/],
        [[], {}, "hos.call_malformed", /not 1 to 16/],
        [Array.from({ length: 17 }, () => note()), {}, "hos.call_malformed", /not 1 to 16/],
        [[cancel], { legacy: { allowed: true } }, "hos.call_malformed", /`legacy`/],
        [[cancel], { calls: [] }, "hos.call_malformed", /`calls` is no option/],
        [[{ ...cancel, legacy: { allowed: true } }], {}, "hos.call_malformed", /`legacy`/],
        [[{ ...cancel, operation: "directory" }], {}, "hos.call_malformed", /`directory` is not made as one of several/],
        [[{ ...cancel, operation: undefined }], {}, "hos.call_malformed", /`operation`/],
        [["cancel"], {}, "hos.call_malformed", /`operation`/],
        ["cancel", {}, "hos.call_malformed", /`calls`/],
        [undefined, {}, "hos.call_malformed", /`calls` is not given/],
        [[note(), null], {}, "hos.value_invalid", /`calls\[1\]`/],
        [[{ ...cancel, args: () => ({}) }], {}, "hos.value_invalid", /`calls\[0\]\.args`/],
      ];
      await host.begin();
      for (const [calls, besides, code, words] of wrong) {
        const error = await thrown(() => actor.all(calls, besides));
        assert.ok(error instanceof CallError, `${error}`);
        assert.equal(error.code, code, `${error}`);
        assert.match(error.message, words);
      }
      await host.commit();
      assert.equal(await size(), before);
    });

    await t.test("two steps at once on one connection run one after the other", { skip: isNow }, async () => {
      const ids = await [1, 2, 3].reduce(async (before) => [...(await before), await fresh()], []);
      await host.begin();
      const answers = await Promise.all([
        ...ids.map((id) => actor.transition("ticket", id, "pay", { args: { amount: 10 } })),
        actor.can("hall.enter", new Uid("S::Hall", "h1")),
        ...ids.map((id) => actor.transition("ticket", id, "pay", { args: async () => ({ amount: 11 }) })),
      ]);
      await host.commit();
      assert.deepEqual(answers.map((answer) => answer.allowed), Array(7).fill(true));
      assert.equal(verified().level, "intact");
    });

    await t.test("a commit that overtakes a call is noticed", { skip: isNow }, async () => {
      const id = await fresh();
      for (const end of ["commit", "rollback"]) {
        await host.begin();
        const [error] = await Promise.all([thrown(() => actor.transition("ticket", id, "pay", { args: { amount: 10 } })), host[end]()]);
        assert.ok(["hos.no_transaction", "hos.outcome_unknown"].includes(error.code), `${end}: ${error}`);
      }
      assert.equal(verified().level, "intact");
    });

    await t.test("an engine that is closed answers nobody", async () => {
      const other = await connect();
      const shut = await Engine.open({ store: other.connection });
      const on = shut.on(host.connection);
      shut.close();
      shut.close();
      for (const closed of [shut, on]) {
        assert.ok((await thrown(() => closed.tenant("t1").as(ayse).can("hall.enter", new Uid("S::Hall", "h1")))) instanceof ClosedError);
        assert.ok((await thrown(() => closed.transaction(() => assert.fail("it does not run")))) instanceof ClosedError);
      }
      assert.equal(await other.one("SELECT 1"), 1, "the connection is the host's");
    });
  });
}
