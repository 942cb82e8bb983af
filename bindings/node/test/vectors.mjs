// Runs the call vectors (testdata/vectors/call/README.md): each scenario twice, by `call` and in the package's own words.
//
//     node bindings/node/test/vectors.mjs

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { command, here, hos, place, vectors } from "./house.mjs";
import { said, sayable } from "./words.mjs";

const { parse } = await import(join(here, "dist", "read.js"));

const CLASSES = {
  call: hos.CallError, closed: hos.ClosedError, law: hos.LawError, store: hos.StoreError, retry: hos.RetryError,
  unknown: hos.OutcomeUnknownError, absent: hos.AbsentError, internal: hos.InternalError,
};

/** JSON of what may hold integers beyond 53 bits. */
function json(what) {
  if (typeof what === "bigint") return String(what);
  if (Array.isArray(what)) return `[${what.map(json).join()}]`;
  if (typeof what !== "object" || what === null) return JSON.stringify(what);
  return `{${Object.entries(what).map(([name, inner]) => `${JSON.stringify(name)}:${json(inner)}`).join()}}`;
}

/** The normal form of an answer: without what no two runs have in common. */
function normal(what) {
  if (Array.isArray(what)) return what.map(normal);
  if (typeof what !== "object" || what === null) return what;
  const kept = Object.entries(what).filter(([name]) => !["law", "guard_law", "time"].includes(name));
  return Object.fromEntries(
    kept.map(([name, inner]) => {
      if (name === "receipt") return [name, { tenant: inner.tenant, n: inner.n, sealed: inner.seal !== undefined }];
      if (name === "deadlines" && !Array.isArray(inner)) return [name, Object.keys(inner).sort()];
      return [name, normal(inner)];
    }),
  );
}

/** What came, in the form of `expect`. */
async function came(work) {
  try {
    const told = await work();
    if (told === undefined) return { status: "allowed" };
    const { allowed, json: answer } = told;
    const status = allowed ? "allowed" : "refused";
    return Object.keys(answer).length === 0 ? { status } : { status, answer: normal(answer) };
  } catch (error) {
    if (!(error instanceof hos.HosError)) throw error;
    const told = error.message !== "" && error.constructor === CLASSES[error.status];
    return { status: told ? error.status : `${error.constructor.name} says ${error.status}`, code: error.code };
  }
}

/** A store of its own for one run of a scenario. */
function founded(scenario) {
  const dir = place();
  const store = join(dir, "store.db");
  const law = join(vectors, "law");
  const filled = (what) => {
    if (typeof what === "string") return what.replaceAll("{law}", law).replaceAll("{dir}", dir).replaceAll("{store}", store);
    if (typeof what !== "object" || what === null) return what;
    return Object.fromEntries(Object.entries(what).map(([name, inner]) => [name, filled(inner)]));
  };
  for (const words of scenario.found) command(store, words.map(filled));
  return filled;
}

/** The wire's options as the package names them. */
function opening(options) {
  const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [camel(name), value]));
}

function bytes(text) {
  if (typeof text === "string") return Buffer.from(text);
  return Buffer.from(`${text.before ?? ""}${(text.repeat ?? "").repeat(text.times)}${text.after ?? ""}`);
}

async function run(scenario, ownWords) {
  const filled = founded(scenario);
  const engine = await hos.Engine.open(opening(filled({ store: "{store}", ...scenario.options })));
  let open = true;
  const results = [];
  const call = async (operation, text) => {
    const answer = await engine.call(operation, text);
    return { allowed: answer.allowed !== false, json: answer };
  };
  for (const one of scenario.cases) {
    const work = async () => {
      if (one.open !== undefined) {
        const options = opening(filled(one.open));
        // The directory of a law is the first word where there is one.
        const { law, ...rest } = options;
        const other = await (ownWords && law !== undefined ? hos.Engine.open(law, rest) : hos.Engine.open(options));
        await other.close();
        return undefined;
      }
      if (one.close === true) {
        await engine.close();
        // What is closed can be closed again; that it is closed is seen by asking.
        if (!open) return call("can", "{}");
        open = false;
        return undefined;
      }
      if (one.text !== undefined) return call(one.operation, bytes(one.text));
      if (ownWords && sayable(one.operation, one.call)) return said(engine, one.operation, one.call);
      return call(one.operation, json(one.call));
    };
    results.push(await came(work));
  }
  // What a scenario planted may still be there to be met by the last flush; that is none of its cases.
  await came(() => engine.close());
  return results;
}

let passed = 0;
let failed = 0;
for (const name of readdirSync(vectors).filter((name) => name.endsWith(".json")).sort()) {
  const scenario = parse(readFileSync(join(vectors, name), "utf8"));
  const results = [await run(scenario, false), await run(scenario, true)];
  scenario.cases.forEach((one, at) => {
    const wrong = ["by call", "in its own words"].filter((how, way) => {
      const differs = !isDeepStrictEqual(normal(results[way][at]), normal(one.expect));
      if (differs) console.log(`${name} ${one.name}, ${how}:\n  expected ${json(one.expect)}\n      came ${json(results[way][at])}`);
      return differs;
    });
    if (wrong.length === 0) passed += 1;
    else failed += 1;
  });
}
console.log(`node: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
