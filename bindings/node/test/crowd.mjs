// One worker of a crowd: a process with a connection of its own that buys and cancels tickets in joined transactions, some of which
// it rolls back, and some of whose connections it loses.
//
//     node test/crowd.mjs '{"kind": "pg", "url": .., "seed": 1, "from": 0, "to": 125}'

import { hos } from "./house.mjs";
import { KINDS } from "./databases.mjs";

const { kind, url, set, own, seed, from, to } = JSON.parse(process.argv[2]);
const ayse = new hos.Uid("S::Account", "ayse");
const facts = { owner: ayse, price: 10 };
const rolledBack = new Error("rolled back on purpose");

/** Small chance, the same for each worker and each turn. */
function dice(turn) {
  let state = BigInt(seed * 100_000 + turn + 1);
  return (sides) => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number((state >> 33n) % BigInt(sides));
  };
}

async function connected() {
  const host = await KINDS[kind].connect(url, { ...own, ...(kind === "better-sqlite3" ? { timeout: 20_000 } : {}) });
  if (set !== undefined) await host.say(set);
  return host;
}

let host = await connected();
const engine = await hos.Engine.open({ store: host.connection });

/** What each transaction does, step by step: awaited, or at once. */
function* bought(joined, say, id, key, fate) {
  const actor = joined.tenant("t1").as(ayse);
  const born = yield actor.begin("ticket", id, "order", { facts });
  if (born.allowed) yield say(`INSERT INTO tickets VALUES ('${id}', 'new')`);
  const went = yield actor.transition("ticket", id, "cancel", { once: key });
  if (went.allowed && !went.again) {
    yield say(`INSERT INTO cancels VALUES ('${id}', '${key}')`);
    yield say(`UPDATE tickets SET status = 'cancelled' WHERE id = '${id}'`);
  }
  if (fate < 2) throw rolledBack;
  if (fate === 2) host.lose();
}

async function later(work) {
  let turn = work.next();
  while (!turn.done) turn = work.next(await turn.value);
}

function now(work) {
  let turn = work.next();
  while (!turn.done) turn = work.next(turn.value);
}

for (let turn = from; turn < to; turn += 1) {
  const roll = dice(turn);
  // Few ids and few keys, so that workers meet.
  const [id, key, fate] = [`c-${roll(400)}`, `evt-${roll(600)}`, roll(10)];
  const run = kind === "better-sqlite3" ? now : later;
  try {
    await engine.on(host.connection).transaction((_, joined) => run(bought(joined, host.say, id, key, fate)), { tries: 60 });
  } catch (thrown) {
    const isLost = fate === 2 && (thrown instanceof hos.HosError || /connection|terminated|not open/i.test(thrown.message));
    if (thrown !== rolledBack && !isLost) throw thrown;
  }
  if (fate === 2) host = await connected();
  process.send({ done: turn + 1 });
}
await host.end();
process.disconnect();
