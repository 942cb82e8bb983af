// What a joined call costs the host: the same transaction of the host's own with and without it, on each database. The ratio of the
// two, and how often each call says something to the database.
//
//     HOS_TEST_POSTGRES=.. HOS_TEST_MARIADB=.. node bindings/node/bench/joined.mjs

import { addon, median } from "./ground.mjs";

process.env.HOS_NODE_ADDON ??= addon();
const { hos } = await import("../test/house.mjs");
const { FEWER, world } = await import("../test/databases.mjs");

const ayse = new hos.Uid("S::Account", "ayse");
const facts = { owner: ayse, price: 10 };
const ROUNDS = 41;
const EACH = 10;
const endings = [];
const forLater = { after: (work) => endings.push(work) };

/** Counts what is said over a connection. To SQLite nothing is. */
function counted(connection, kind) {
  const core = kind === "mysql2/promise" ? connection.connection : connection;
  const { query } = core;
  const count = { n: 0 };
  core.query = function (...words) {
    count.n += 1;
    return query.apply(this, words);
  };
  return count;
}

async function measured(variant) {
  const { host } = await world(forLater, variant);
  const engine = await hos.Engine.open({ store: host.connection });
  const actor = engine.tenant("t1").as(ayse);
  const count = variant.kind === "better-sqlite3" ? undefined : counted(host.connection, variant.kind);
  let number = 0;
  // A host's own work: it reads a row, writes two, commits.
  const bare = async (id) => {
    await host.say(`SELECT status FROM tickets WHERE id = '${id}'`);
    await host.say(`INSERT INTO tickets VALUES ('${id}', 'new')`);
    await host.say(`UPDATE tickets SET status = 'paid' WHERE id = '${id}'`);
  };
  const works = {
    bare: async (id) => bare(id),
    moved: async (id) => {
      await bare(id);
      const answer = await actor.transition("ticket", id, "pay", { args: { amount: 10 }, once: `evt-${id}` });
      if (!answer.allowed) throw new Error(answer.code);
    },
  };
  const took = { bare: [], moved: [] };
  let statements = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, work] of Object.entries(works)) {
      const ids = Array.from({ length: EACH }, () => `b-${(number += 1)}`);
      if (name === "moved") {
        await host.begin();
        for (const id of ids) await actor.begin("ticket", id, "order", { facts });
        await host.commit();
      }
      const begun = performance.now();
      for (const id of ids) {
        await host.begin();
        const before = count?.n;
        await work(id);
        if (name === "moved") statements = count === undefined ? undefined : count.n - before - 3;
        await host.commit();
      }
      took[name].push((performance.now() - begun) / EACH);
    }
  }
  const [without, withIt] = [took.bare, took.moved].map((all) => median(all.slice(2)));
  console.log(
    `${variant.name.padEnd(36)} ${without.toFixed(2)} ms without, ${withIt.toFixed(2)} ms with: ratio ${(withIt / without).toFixed(2)}${statements === undefined ? "" : `, ${statements} exchanges more`}`,
  );
}

for (const variant of FEWER) {
  if (variant.skip) console.log(`${variant.name.padEnd(36)} left out: ${variant.skip}`);
  else await measured(variant);
}
for (const end of endings.reverse()) await end();
