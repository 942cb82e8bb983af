// Every snippet of the README runs as it stands, in the order of the page, and prints what stands behind it.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { here, place, program, root } from "./house.mjs";
import { KINDS } from "./databases.mjs";

const page = readFileSync(join(here, "README.md"), "utf8");
const blocks = [...page.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language, text]) => ({ language, text }));

/** A directory as a reader has it: the packed package, the law, the program `hos`. */
function reader() {
  const dir = place();
  symlinkSync(join(root, "examples", "pazar", "law"), join(dir, "law"));
  writeFileSync(join(dir, "package.json"), '{ "private": true, "type": "module" }');
  execFileSync("npm", ["pack", "--pack-destination", dir, "--silent"], { cwd: here });
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HOS_") || name === "HOS_NODE_ADDON"));
  const path = `${dirname(program)}${delimiter}${process.env.PATH}`;
  return { dir, env: { ...env, PATH: path, npm_config_offline: "true", npm_config_audit: "false", npm_config_fund: "false" } };
}

/** The comments that say what is printed. */
function printed(text) {
  return text.split("\n").filter((line) => line.includes("console.log(")).map((line) => {
    const said = / \/\/ (.*)$/.exec(line);
    assert.ok(said !== null, `what \`${line.trim()}\` prints stands behind it`);
    return said[1];
  });
}

test("each snippet runs and prints what it says", async (t) => {
  const { dir, env } = reader();
  const { missing, make, drop, url } = KINDS.pg;
  if (!missing) {
    const name = `hos_readme_${process.pid}`;
    await make(name);
    t.after(() => drop(name));
    env.DATABASE_URL = url(name);
  }
  const seen = { sh: 0, js: 0, ts: 0 };
  for (const { language, text } of blocks) {
    assert.ok(language in seen, `a block of \`${language}\` is not run by anybody`);
    seen[language] += 1;
    if (missing && text.includes("DATABASE_URL")) {
      t.diagnostic(`a block of \`${language}\` is left out: ${missing}`);
      continue;
    }
    if (language === "sh") {
      const run = spawnSync("sh", ["-eu", "-c", text], { cwd: dir, env, encoding: "utf8" });
      assert.equal(run.status, 0, `${text}\n${run.stdout}${run.stderr}`);
      // The frameworks are the reader's own; here they are the tests'.
      for (const name of ["express", "fastify", "pg", "better-sqlite3"]) {
        const link = join(dir, "node_modules", name);
        try { symlinkSync(join(here, "node_modules", name), link); } catch (error) { if (error.code !== "EEXIST") throw error; }
      }
    } else if (language === "js") {
      const file = join(dir, `snippet-${seen.js}.mjs`);
      writeFileSync(file, text);
      const run = spawnSync(process.execPath, [file], { cwd: dir, env, encoding: "utf8", timeout: 30_000 });
      assert.deepEqual([run.stderr, run.status], ["", 0], text);
      assert.deepEqual(run.stdout.trimEnd().split("\n"), printed(text), text);
    } else {
      const types = join(dir, "types");
      mkdirSync(types, { recursive: true });
      const pazar = execFileSync(program, ["law", "types", "--ts", join(dir, "law")], { env, encoding: "utf8" });
      writeFileSync(join(types, "pazar.ts"), pazar);
      writeFileSync(join(types, `snippet-${seen.ts}.ts`), text);
      const flags = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", join(types, `snippet-${seen.ts}.ts`)];
      const run = spawnSync(join(here, "node_modules", ".bin", "tsc"), flags, { cwd: dir, env, encoding: "utf8" });
      assert.deepEqual([run.stdout, run.status], ["", 0], text);
    }
  }
  assert.ok(seen.sh >= 3 && seen.js >= 8 && seen.ts >= 1, JSON.stringify(seen));
});
