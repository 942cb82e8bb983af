// The package: what is packed is what is looked for, on each machine.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { here, place } from "./house.mjs";

/** The package as it is put together, with an addon of this name that is none. */
function staged(addon) {
  const stage = place();
  for (const name of ["package.json", "README.md", "dist"]) cpSync(join(here, name), join(stage, name), { recursive: true });
  mkdirSync(join(stage, "spec"));
  writeFileSync(join(stage, "spec", "answer.md"), "answers\n");
  writeFileSync(join(stage, addon), "no addon");
  writeFileSync(join(stage, "stray.txt"), "nobody's\n");
  return stage;
}

for (const arch of ["x64", "arm64"]) {
  test(`on linux ${arch} the addon is packed under the name that is looked for`, () => {
    const addon = `hos.linux-${arch}-gnu.node`;
    const stage = staged(addon);
    const packed = spawnSync("npm", ["pack", "--dry-run", "--json", "--offline"], { cwd: stage, encoding: "utf8" });
    assert.equal(packed.status, 0, packed.stderr);
    const names = JSON.parse(packed.stdout)[0].files.map((file) => file.path);
    for (const name of [addon, "dist/index.js", "dist/index.d.ts", "README.md", "spec/answer.md"]) assert.ok(names.includes(name), name);
    assert.ok(!names.includes("stray.txt"));
    const env = { ...process.env };
    delete env.HOS_NODE_ADDON;
    const code = `Object.defineProperty(process, "arch", { value: ${JSON.stringify(arch)} });
      Object.defineProperty(process, "platform", { value: "linux" });
      try { require(${JSON.stringify(stage)}).Engine.openSync({ store: "x" }); } catch (error) { console.log(error.message, "\\n", error.cause.message); }`;
    const run = spawnSync(process.execPath, ["-e", code], { encoding: "utf8", env });
    assert.match(run.stdout, new RegExp(`^hos\\.internal: the addon ${join(stage, addon)} cannot be loaded`));
    assert.doesNotMatch(run.stdout, /Cannot find module/, "it was found; that it is no addon is another matter");
  });
}
