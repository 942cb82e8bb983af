// What the benchmark stands on: the release build, stores, and a way to measure that a busy machine disturbs little.

import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");

/** A program of the release build. */
export function released(name) {
  const path = join(target, "release", name);
  if (!existsSync(path)) throw new Error(`${path} is not there: cargo build --release -p hos-cli -p hos-node -p hos-bench`);
  return path;
}

const dir = mkdtempSync(join(tmpdir(), "hos-bench-node-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

/** A place for a file of this run. */
export const place = (name) => join(dir, name);

/** The addon of the release build, under a name that Node loads. */
export function addon() {
  const path = place("hos.node");
  if (!existsSync(path)) copyFileSync(released("libhos_node.so"), path);
  return path;
}

/** Runs `hos`. */
export function hos(store, ...args) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HOS_")));
  return execFileSync(released("hos"), args, { env: { ...env, HOS_STORE: store }, encoding: "utf8" });
}

const FOUNDER = ["--founder", "Account::ayse", "--role", "Role::operator", "--attr", "active=true", "--tenant", "t1"];

/** A store under the law of the call vectors and so many policies more, with a hall `h1` that is open. */
export function store(name, policies) {
  const law = place(`${name}-law`);
  cpSync(join(root, "testdata", "vectors", "call", "law"), law, { recursive: true });
  const more = Array.from({ length: policies }, (_, at) =>
    `@id("p-${at}")\npermit (principal == S::Account::"u${at}", action == S::Action::"hall.enter", resource == S::Hall::"h${at + 2}");\n`);
  writeFileSync(join(law, "policies", "more.cedar"), more.join(""));
  const path = place(`${name}.db`);
  hos(path, "init", "--law", law, ...FOUNDER);
  hos(path, "directory", "put", "Hall::h1", "--attr", "open=true", "--tenant", "t1", "--as", "Account::ayse");
  return path;
}

/** A store under Pazar's law. */
export function pazar() {
  const path = place("pazar.db");
  hos(path, "init", "--law", join(root, "examples", "pazar", "law"), ...FOUNDER);
  return path;
}

/** What Rust itself needs for the same question, in nanoseconds. */
export function rust(path, seconds) {
  const question = place("question.json");
  writeFileSync(question, JSON.stringify({
    tenant: "t1", principal: { type: "S::Account", id: "ayse" }, action: "hall.enter", resource: { type: "S::Hall", id: "h1" }, context: { hour: 12 },
  }));
  return JSON.parse(execFileSync(released("hos-bench"), ["shell", "--store", path, "--question", question, "--seconds", String(seconds)], { encoding: "utf8" }));
}

export function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}

/** Nanoseconds a call of each, by turns, so that what disturbs one disturbs all: the median of rounds. */
export function measured(works, rounds = 41, calls = 5_000) {
  const times = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  for (let round = -2; round < rounds; round += 1) {
    for (const [name, work] of Object.entries(works)) {
      const begun = process.hrtime.bigint();
      for (let i = 0; i < calls; i += 1) if (work() !== true) throw new Error(`${name} does not say yes`);
      const each = Number(process.hrtime.bigint() - begun) / calls;
      // The first rounds are the compiler's.
      if (round >= 0) times[name].push(each);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
}
