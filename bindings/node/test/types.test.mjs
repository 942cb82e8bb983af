// The types: what compiles, what must not, and that what was built is what the sources say.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { here, place } from "./house.mjs";

const tsc = (args) => spawnSync(join(here, "node_modules", ".bin", "tsc"), args, { cwd: here, encoding: "utf8" });

test("a typed program compiles, and what is misspelt in it does not", () => {
  const run = tsc(["-p", "test/types"]);
  assert.deepEqual([run.stdout, run.stderr, run.status], ["", "", 0]);
});

test("the compiler is asked in earnest: a mark that is taken away is an error", () => {
  const dir = mkdtempSync(join(here, "test", "types", "planted-"));
  try {
    const sample = readFileSync(join(here, "test", "types", "sample.ts"), "utf8").replaceAll('"../../../../examples', '"../../../../../examples');
    writeFileSync(join(dir, "sample.ts"), sample.replaceAll(/^ *\/\/ @ts-expect-error .*\n/gm, ""));
    const config = readFileSync(join(here, "test", "types", "tsconfig.json"), "utf8").replaceAll("../../dist", "../../../dist");
    writeFileSync(join(dir, "tsconfig.json"), config);
    const run = tsc(["-p", dir, "--pretty", "false"]);
    const errors = run.stdout.split("\n").filter((line) => /error TS\d+/.test(line));
    const marks = sample.match(/@ts-expect-error/g).length;
    assert.notEqual(run.status, 0);
    assert.ok(errors.length >= marks, `${errors.length} errors for ${marks} marks\n${run.stdout}`);
    assert.match(run.stdout, /'stor' does not exist in type .* Did you mean to write 'store'/, "a misspelt option is named");
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("dist is what the sources make", () => {
  const out = place();
  const run = tsc(["-p", "tsconfig.json", "--outDir", out]);
  assert.equal(run.status, 0, run.stdout);
  const files = (dir) => readdirSync(dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => relative(dir, join(one.path, one.name))).sort();
  const made = files(out);
  assert.deepEqual(files(join(here, "dist")), made);
  assert.ok(made.includes("index.d.ts") && made.includes("joined/pg.d.ts"));
  for (const name of made) {
    assert.equal(readFileSync(join(here, "dist", name), "utf8"), readFileSync(join(out, name), "utf8"), `${name} is stale: npm run build`);
  }
});

test("the lock file names no host", () => {
  const lock = readFileSync(join(here, "package-lock.json"), "utf8");
  assert.ok(lock.includes('"node_modules/fastify"') && !lock.includes('"resolved"'));
  const { dependencies } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  assert.equal(dependencies, undefined, "the package needs nothing but Node");
});
