// The addon: where it lies, and what it offers. Its own words are in `../src/handle.rs` and `../src/joined.rs`.

import { join, resolve } from "node:path";
import { InternalError } from "./errors";

/** A script's hold on an engine. Texts that come back are a class, a line feed, and JSON. */
export interface Handle {
  call(operation: string, call: string | Uint8Array): Promise<string>;
  callSync(operation: string, call: string | Uint8Array): string;
  bind(tenant: string, principalType: string, principalId: string, beside: string): boolean;
  can(words: string, count: number): number;
  told(number: number): string;
  said(): string;
  shut(): void;
  close(): Promise<void>;
  closeSync(): void;
}

/** An engine that judges in a host's transaction, round by round. */
export interface Joined {
  step(operation: string, inside: boolean | undefined, json: string): string;
}

/** Stands where there is no engine: whatever is asked of it, it throws why. */
export function absent(why: () => Error): Handle {
  const thrown = (): never => {
    throw why();
  };
  return {
    call: thrown, callSync: thrown, bind: thrown, can: thrown, told: thrown, said: thrown,
    shut: () => {}, close: async () => {}, closeSync: () => {},
  };
}

/** Stands between the words of a question. A word that holds it is noticed, for then they are too many. */
export const JOINT = "\u0001";

interface Addon {
  Handle: { open(options: string): Promise<Handle>; openSync(options: string): Handle };
  Joined: { open(options: string): Joined };
}

/** `can` failed: `said` tells how. */
export const SAID = -1;
/** `can` was not asked: its texts must come as JSON. */
export const DOUBT = -2;

let loaded: Addon | undefined;

/** The addon, loaded when it is first needed; once in each thread. */
export function addon(): Addon {
  if (loaded !== undefined) return loaded;
  const name = `hos.${process.platform}-${process.arch}${process.platform === "linux" ? "-gnu" : ""}.node`;
  const path = resolve(process.env["HOS_NODE_ADDON"] ?? join(__dirname, "..", name));
  try {
    loaded = require(path) as Addon;
  } catch (cause) {
    const message = `the addon ${path} cannot be loaded: this package has none for this machine, or was not installed whole`;
    throw new InternalError("internal", "hos.internal", message, { cause });
  }
  return loaded;
}
