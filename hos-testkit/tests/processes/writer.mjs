// Writes to a store until somebody kills it, and says what it was told (hos-testkit/src/told.rs).
//
//     node writer.mjs write STORE NAME      three calls at once
//     node writer.mjs again STORE KEY..     these once more, which changes nothing

import { writeSync } from "node:fs";
import { join } from "node:path";
import { hos, vectors } from "../../../bindings/node/test/house.mjs";

const [way, store, ...names] = process.argv.slice(2);
const say = (line) => writeSync(1, `${line}\n`);

say("");
const engine = await hos.Engine.open(join(vectors, "law"), { store });
const actor = engine.tenant("t1").as(new hos.Uid("S::Account", "ayse"));

/** Does what a key stands for: `x` makes the lamp `x`, `x+step` lets it go out. */
function done(key) {
  const [lamp, step] = key.split("+");
  if (step !== undefined) return actor.transition("lamp", lamp, "step", { once: key });
  return actor.begin("lamp", lamp, "make", { once: key });
}

async function one(key, again) {
  const answer = await done(key);
  if (!answer.allowed || answer.again !== again) throw new Error(`${key}: ${JSON.stringify(answer)}`);
  say(`ack ${key} ${answer.receipt.record}`);
}

async function write(name) {
  for (let k = 0; ; k++) {
    for (const key of [`${name}-${k}`, `${name}-${k}+step`].slice(0, k % 3 === 0 ? 2 : 1)) {
      say(`try ${key}`);
      await one(key, false);
    }
  }
}

if (way === "again") {
  for (const key of names) await one(key, true);
} else {
  await Promise.all([0, 1, 2].map((n) => write(`${names[0]}.${n}`)));
}
