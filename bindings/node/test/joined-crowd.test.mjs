// A thousand joined transactions of eight processes at once, with rollbacks, lost connections, duplicates, and workers that are
// killed: afterwards the host's rows and the evidence agree one to one.

import assert from "node:assert/strict";
import { execFile, fork } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { hos, here, program } from "./house.mjs";
import { VARIANTS, world } from "./databases.mjs";

const ayse = new hos.Uid("S::Account", "ayse");
const facts = { owner: ayse, price: 10 };

/** Runs one worker to its end, whoever kills it meanwhile. Gives how often it was killed. */
async function worked(options, kills) {
  let killed = 0;
  for (let from = 0; from < options.to; ) {
    const [turn, problem] = await new Promise((done) => {
      const child = fork(join(here, "test", "crowd.mjs"), [JSON.stringify({ ...options, from })], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
      let reached = from;
      let said = "";
      child.stderr.on("data", (text) => { said += text; });
      child.on("message", (told) => {
        reached = told.done;
        // In the middle of whatever it does next.
        if (killed < kills && reached > from + 5) setTimeout(() => child.kill("SIGKILL"), Math.random() * 5);
      });
      child.on("exit", (code, signal) => done([reached, code === 0 || signal === "SIGKILL" ? "" : said || `exit ${code} ${signal}`]));
    });
    assert.equal(problem, "");
    if (turn < options.to) killed += 1;
    from = turn;
  }
  return killed;
}

for (const variant of VARIANTS) {
  // On each database as it comes it is a thousand, and workers are killed.
  const isAsItComes = variant.set === undefined && variant.options === undefined;
  const [many, each] = isAsItComes ? [8, 125] : [3, 33];
  test(`${variant.name}: ${many * each} transactions`, { skip: variant.skip }, async (t) => {
    const { host, url, kind, set, own, file, key, verified } = await world(t, variant);
    await host.say("CREATE TABLE cancels (id VARCHAR(191) NOT NULL, evt VARCHAR(191) PRIMARY KEY)");
    const sealing = new AbortController();
    let seals = 0;
    const sealer = (async () => {
      while (!sealing.signal.aborted) {
        await new Promise((done) => execFile(program, ["work", "--store-file", file, "--key-file", key], () => done()));
        seals += 1;
        await new Promise((done) => setTimeout(done, 1_000));
      }
    })();
    const workers = Array.from({ length: many }, (_, seed) => worked({ kind, url, set, own, seed: seed + 1, to: each }, isAsItComes ? seed % 2 : 0));
    const killed = (await Promise.all(workers)).reduce((one, other) => one + other);
    sealing.abort();
    await sealer;
    assert.ok(killed >= 2 || !isAsItComes, `${killed} were killed`);
    assert.ok(seals > 0);
    const report = verified();
    assert.deepEqual([report.level, report.unsealed.records, report.findings], ["intact", 0, []]);
    const id = kind === "pg" ? "convert_to(t.id, 'UTF8')" : kind === "better-sqlite3" ? "CAST(t.id AS BLOB)" : "t.id";
    const tickets = await host.one("SELECT count(*) FROM tickets");
    const agree = `SELECT count(*) FROM tickets t JOIN hos_instance i ON i.tenant = 't1' AND i.contract = 'ticket' AND i.id = ${id} AND i.state = t.status`;
    assert.ok(tickets > 10, `${tickets}`);
    assert.equal(await host.one(agree), tickets);
    assert.equal(await host.one("SELECT count(*) FROM hos_instance WHERE tenant = 't1' AND state <> ''"), tickets);
    const cancelled = await host.one("SELECT count(*) FROM tickets WHERE status = 'cancelled'");
    assert.equal(await host.one("SELECT count(*) FROM cancels"), cancelled);
    const entries = report.logs.find((log) => log.tenant === "t1").size;
    // A hall, each birth, each move.
    assert.equal(entries, 1 + tickets + cancelled);
    assert.equal(await host.one("SELECT count(*) FROM hos_once WHERE tenant = 't1'"), cancelled);
    t.diagnostic(`${tickets} tickets, ${cancelled} cancelled, ${killed} workers killed, ${seals} seals meanwhile`);
  });

  test(`${variant.name}: two births of one at once are one birth`, { skip: variant.skip || variant.kind === "better-sqlite3" }, async (t) => {
    const { host, connect, verified } = await world(t, variant);
    const engine = await hos.Engine.open({ store: host.connection });
    const hooks = [host, await connect()].map((one) => engine.on(one.connection));
    // At its default isolation no database asks for a retry here.
    const tries = variant.set === undefined ? 1 : 5;
    for (let round = 0; round < 30; round += 1) {
      const born = await Promise.all(hooks.map((hook, at) =>
        hook.transaction((_, joined) => joined.tenant("t1").as(ayse).begin("ticket", `r-${round}`, "order", { facts, once: `h-${round}-${at}` }), { tries })));
      assert.deepEqual(born.map((answer) => answer.code ?? "born").sort(), ["born", "hos.instance_exists"], `round ${round}`);
    }
    assert.equal(await host.one("SELECT count(*) FROM hos_once WHERE tenant = 't1'"), 30);
    assert.equal(verified().level, "intact");
  });
}
