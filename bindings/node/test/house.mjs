// What every test needs: the addon as the last build left it, the program `hos`, and stores that are made anew.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The binding's folder, and the checkout. */
export const here = join(dirname(fileURLToPath(import.meta.url)), "..");
export const root = join(here, "..", "..");

const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");

/** The addon under a name that Node loads, and that a build meanwhile does not write over. */
function addon() {
  if (process.env.HOS_NODE_ADDON !== undefined) return process.env.HOS_NODE_ADDON;
  const built = join(target, "debug", "libhos_node.so");
  if (!existsSync(built)) throw new Error(`${built} is not there: cargo build --workspace --lib --bins --tests --examples`);
  const place = join(target, "node");
  const copy = join(place, `hos-${Math.trunc(statSync(built).mtimeMs)}.node`);
  if (!existsSync(copy)) {
    mkdirSync(place, { recursive: true });
    copyFileSync(built, `${copy}.${process.pid}`);
    renameSync(`${copy}.${process.pid}`, copy);
  }
  return copy;
}

process.env.HOS_NODE_ADDON = addon();

/** The package, as the tests have it. Child processes find the addon by the environment. */
export const hos = await import("hos");

export const program = process.env.HOS_BIN ?? join(target, "debug", "hos");

/** Runs `hos` on a store and gives what it printed. */
export function command(store, args) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HOS_")));
  return execFileSync(program, args, { env: { ...env, HOS_STORE: store }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** An empty directory that goes when the process does. */
export function place() {
  const dir = mkdtempSync(join(tmpdir(), "hos-node-"));
  places.push(dir);
  return dir;
}

const places = [];
process.on("exit", () => places.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

export const vectors = join(root, "testdata", "vectors", "call");

/** A store under the law of the vectors: an operator `ayse`, an account `mert`, an open hall `h1` and a closed one `h2`. */
export function store() {
  const path = join(place(), "hos.db");
  const founder = ["--founder", "Account::ayse", "--role", "Role::operator", "--attr", "active=true"];
  command(path, ["init", "--law", join(vectors, "law"), ...founder, "--tenant", "t1"]);
  const as = ["--as", "Account::ayse"];
  command(path, ["directory", "put", "Account::mert", "--attr", "active=true", "--tenant", "universe", ...as]);
  command(path, ["directory", "put", "Hall::h1", "--attr", "open=true", "--tenant", "t1", ...as]);
  command(path, ["directory", "put", "Hall::h2", "--attr", "open=false", "--tenant", "t1", ...as]);
  return path;
}
