// A tenant, and what can be asked without being anybody.

import { Actor, type As } from "./actor";
import { type Entry, historyOf } from "./answer";
import type { Engine } from "./engine";
import { InternalError } from "./errors";
import type { LawNames, Text } from "./law";
import type { UidLike } from "./values";
import { Draft, WORDS } from "./write";

/** Which records `history` tells. */
export interface Page {
  /** The first record's place; 0 if not said. */
  from?: number;
  /** How many, at most 1000. */
  limit?: number;
}

/** A tenant of an engine. */
export class Tenant<L extends LawNames = LawNames> {
  #engine: Engine<L>;
  /** Its name. */
  readonly name: string;

  /** Made by `Engine.tenant`. */
  constructor(engine: Engine<L>, name: string) {
    this.#engine = engine;
    this.name = name;
    Object.freeze(this);
  }

  /** Who acts here: bound once, asked often. */
  as(principal: UidLike, options?: As): Actor<L> {
    return new Actor<L>(this.#engine, this, principal, options);
  }

  /** An instance's records, oldest first. */
  async history(contract: Text<L["contract"]>, id: string, page?: Page): Promise<readonly Entry[]> {
    const draft = new Draft().need("tenant", this.name).need("contract", contract).need("id", id).options(page, WORDS);
    const [, json] = await this.#engine._ask("history", { json: draft.json(), fault: undefined });
    return historyOf(json);
  }

  /** What the law tells an end user of a refusal's code. Here and now; it may look at the store first, as `can` does. */
  message(code: string, language: string): string {
    const draft = new Draft().need("tenant", this.name).need("code", code).need("language", language);
    const [, json] = this.#engine._askSync("message", { json: draft.json(), fault: undefined });
    const { message } = JSON.parse(json) as { message?: unknown };
    if (typeof message !== "string") throw new InternalError("internal", "hos.internal", "the law's message could not be read");
    return message;
  }
}
