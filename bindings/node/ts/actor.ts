// Who acts in a tenant, and everything they can ask for.

import { Answer, type Available, type Entry, type Evaluation, Told, availableOf, evaluationsOf } from "./answer";
import { Directory } from "./directory";
import type { Asker, Engine, Ready } from "./engine";
import { Denied, isA, refusal } from "./errors";
import type { LawNames, Text } from "./law";
import { JOINT } from "./native";
import { parse } from "./read";
import { type Given as GivenBack, WATCHED, type Watched, type World, shadowed } from "./shadow";
import type { Page, Tenant } from "./tenant";
import { Uid, type UidLike, type Values } from "./values";
import { Draft, MARK, NOBODY, WORDS, evaluations, lost, once, plain, uid } from "./write";

/** How somebody acts. */
export interface As {
  /** The language of messages: `en`, `tr`, .. */
  language?: string;
  /** The caller's own request id. It stands in records, so nothing personal; at most 64 of `A-Z a-z 0-9 . _ : -`. */
  request?: string;
}

/** An entity that comes with a call. */
export interface Given {
  readonly uid: UidLike;
  readonly attrs?: Values;
  readonly parents?: readonly UidLike[];
}

/** What every call may have besides. */
export interface Besides {
  /** Context beyond an event's arguments. */
  context?: Values;
  /** Entities that the directory does not hold. */
  given?: readonly Given[];
  /** The world's own outcome, for the modes `off` and `shadow`; `true` or `false` where there is no state to tell. */
  legacy?: World;
  /** This call's request id, in place of the actor's. */
  request?: string;
}

/** A question among several. What it says of `context` and `given` stands in place of what is said for all. */
export interface Question<A = string> {
  readonly action: A;
  readonly resource: UidLike;
  readonly context?: Values;
  readonly given?: readonly Given[];
}

/** What a call that writes may have besides. */
export interface Writing extends Besides {
  /** A key under which the call is carried out once: the second time it gets the first one's receipt. */
  once?: string;
}

/** A row of an older log, in the old world's words; `at` as in `2024-03-01T10:00:00Z`. */
export interface LogRow {
  at: string;
  to: string;
  from?: string;
  event?: string;
  actor?: string;
  detail?: string;
  /** The row's own key in that log. */
  key?: string;
}

/** Somebody who acts in a tenant. */
export class Actor<L extends LawNames = LawNames> {
  #engine: Engine<L>;
  #as: As;
  #begun: Draft;
  #asker: Asker | undefined;
  #words = (code: string, language: string) => this.tenant.message(code, language);
  /** The tenant. */
  readonly tenant: Tenant<L>;
  /** Who acts, made of what was given. Where that could not be read it has neither type nor id, and every call says so. */
  readonly principal: Uid;
  /** Changes of who is who. */
  readonly directory: Directory;

  /** Made by `Tenant.as`. */
  constructor(engine: Engine<L>, tenant: Tenant<L>, principal: unknown, options: As = {}) {
    if (!plain(options)) throw refusal("hos.call_malformed", "as(principal, { language, request }) takes an object");
    for (const name of Object.keys(options)) {
      if (name !== "language" && name !== "request") {
        throw refusal("hos.call_malformed", `as(..) has no option \`${name}\`; it has \`language\` and \`request\``);
      }
    }
    this.#engine = engine;
    this.tenant = tenant;
    this.#as = { ...options };
    const found: Uid[] = [];
    this.#begun = new Draft().need("tenant", tenant.name).need("principal", principal, once(found)).put("language", this.#as.language);
    this.principal = found[0] ?? NOBODY;
    this.#asker = asker(tenant.name, found[0], this.#as);
    this.directory = new Directory(async (change, besides) => {
      const json = change();
      return this.#ask("directory", this.#draft(besides).put("change", json, raw));
    });
    Object.freeze(this);
  }

  /** May they do this to that? An answer: look at its `allowed`. Here and now, in microseconds. */
  can(action: L["action"], resource: UidLike, besides?: Besides): Answer {
    const told = this.#swiftly(action, resource, besides) ?? this.#slowly(action, resource, besides);
    return new Answer(told, this.#words, this.#as.language);
  }

  /** Several questions, 1 to 1000, answered over one law and one directory, in their order. */
  canAll(questions: readonly Question<L["action"]>[], besides?: Omit<Besides, "legacy">): readonly Answer[] {
    const draft = this.#draft(besides).need("evaluations", questions, evaluations);
    const [, json] = this.#engine._askSync("can_all", ready(draft));
    const answer = (one: Evaluation) => new Answer(new Told(one.allowed === true, one), this.#words, this.#as.language);
    return evaluationsOf(parse(json)).map(answer);
  }

  /** As `can`, but throws `Denied` where the answer is no. */
  authorize(action: L["action"], resource: UidLike, besides?: Besides): Answer {
    return yes(this.can(action, resource, besides));
  }

  /** The birth of an instance. */
  async begin<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["begin"]>>(
    contract: C,
    id: string,
    event: E,
    options?: Writing & { facts?: L["contract"][C]["facts"]; args?: L["contract"][C]["begin"][E] },
  ): Promise<Answer> {
    return this.#ask("begin", this.#draft(options).need("contract", contract).need("id", id).need("event", event));
  }

  /** An event or an override of an instance. A refusal is an answer: look at its `allowed`. */
  async transition<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(
    contract: C,
    id: string,
    event: E,
    options?: Writing & { args?: L["contract"][C]["event"][E]; reason?: string },
  ): Promise<Answer> {
    return this.#ask("transition", this.#draft(options).need("contract", contract).need("id", id).need("event", event));
  }

  /** As `transition`, but throws `Denied` where the answer is no. */
  async apply<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(
    contract: C,
    id: string,
    event: E,
    options?: Writing & { args?: L["contract"][C]["event"][E]; reason?: string },
  ): Promise<Answer> {
    return yes(await this.transition(contract, id, event, options));
  }

  /**
   * An event that the world's own code carries out, while the law watches.
   *
   *     const r = await pazar.shadow("order", "o-17", "pay", { legacy: () => old.pay(order) });
   *
   * `legacy` runs first and once. What it gives is given back and what it throws goes through, whatever becomes of the law, which
   * judges after it, in the background. The other options are read when `legacy` has ended.
   */
  shadow<R, C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(
    contract: C,
    id: string,
    event: E,
    options: Watched<R> & Omit<Writing, "legacy"> & { args?: L["contract"][C]["event"][E]; reason?: string },
  ): GivenBack<R> {
    return this.#shadowed("transition", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
  }

  /** As `shadow`, of a birth. */
  shadowBegin<R, C extends Text<L["contract"]>, E extends Text<L["contract"][C]["begin"]>>(
    contract: C,
    id: string,
    event: E,
    options: Watched<R> & Omit<Writing, "legacy"> & { facts?: L["contract"][C]["facts"]; args?: L["contract"][C]["begin"][E] },
  ): GivenBack<R> {
    return this.#shadowed("begin", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
  }

  /** As `shadow`, of a question: `pazar.shadowCan("order.view", order, { legacy: () => old.mayView(order) })`. */
  shadowCan<R>(action: L["action"], resource: UidLike, options: Watched<R> & Omit<Besides, "legacy">): GivenBack<R> {
    return this.#shadowed("can", options, (draft) => draft.need("action", action).need("resource", resource, uid));
  }

  /** A free record in a stream: a text, or bytes. */
  async record(stream: string, payload: string | Uint8Array, options?: Writing & { subject?: UidLike }): Promise<Answer> {
    return this.#ask("record", this.#draft(options).need("stream", stream).payload(payload));
  }

  /** An existing row taken in as it is. */
  async adopt<C extends Text<L["contract"]>>(
    contract: C,
    id: string,
    state: L["contract"][C]["state"],
    options?: Writing & { facts?: L["contract"][C]["facts"] },
  ): Promise<Answer> {
    return this.#ask("adopt", this.#draft(options).need("contract", contract).need("id", id).need("state", state));
  }

  /** What an older log tells of an instance, the oldest row first. Nothing of it is judged, and the instance stays as it is. */
  async legacy(contract: Text<L["contract"]>, id: string, entries: readonly LogRow[], options?: Writing): Promise<Answer> {
    return this.#ask("legacy", this.#draft(options).need("contract", contract).need("id", id).need("entries", entries));
  }

  /** What they can do with an instance now. */
  async available(contract: Text<L["contract"]>, id: string, besides?: Besides): Promise<readonly Available[]> {
    const draft = this.#draft(besides).need("contract", contract).need("id", id);
    const [, json] = await this.#engine._ask("available", ready(draft));
    return availableOf(json);
  }

  /** An instance's records, oldest first. */
  async history(contract: Text<L["contract"]>, id: string, page?: Page): Promise<readonly Entry[]> {
    return this.tenant.history(contract, id, page);
  }

  #swiftly(action: unknown, resource: unknown, besides: unknown): Told | undefined {
    const who = this.#asker;
    if (who === undefined || typeof action !== "string" || !isA(resource, Uid)) return undefined;
    const { type, id } = resource;
    if (typeof type !== "string" || typeof id !== "string") return undefined;
    const words = action + JOINT + type + JOINT + id;
    if (besides === undefined) return this.#engine._can(who, words, 3);
    const context = scalarsOf(besides);
    return context === undefined ? undefined : this.#engine._can(who, words + context.words, 3 + context.count);
  }

  #slowly(action: unknown, resource: unknown, besides: unknown): Told {
    const draft = this.#draft(besides).need("action", action).need("resource", resource, uid);
    const [allowed, json] = this.#engine._askSync("can", ready(draft));
    return new Told(allowed, json);
  }

  async #ask(operation: string, draft: Draft): Promise<Answer> {
    const [allowed, json] = await this.#engine._ask(operation, ready(draft));
    return new Answer(new Told(allowed, json), this.#words, this.#as.language);
  }

  #shadowed<R>(operation: string, options: Watched<R>, words: (draft: Draft) => Draft): GivenBack<R> {
    return shadowed(options, (came, tell) => {
      const draft = words(this.#draft(options, WATCHED).put("legacy", came()));
      const answer = (allowed: boolean, json: string) => new Answer(new Told(allowed, json), this.#words, this.#as.language);
      this.#engine._watch(operation, ready(draft), answer, tell);
    });
  }

  #draft(options: unknown, others?: ReadonlySet<string>): Draft {
    const draft = Draft.after(this.#begun).options(options, WORDS, others);
    return draft.has("request") ? draft : draft.put("request", this.#as.request);
  }
}

function ready(draft: Draft): Ready {
  return { json: draft.json(), fault: draft.fault };
}

function yes(answer: Answer): Answer {
  if (answer.allowed !== true) throw new Denied(answer);
  return answer;
}

/** JSON that a draft of its own has made. */
function raw(value: unknown): string {
  return value as string;
}

/** The words that can be bound; none where they are not what they should be, which the wire then says. */
function asker(tenant: unknown, who: Uid | undefined, as: As): Asker | undefined {
  if (who === undefined || typeof tenant !== "string") return undefined;
  try {
    const beside = new Draft().put("language", as.language).put("request", as.request).json();
    return { tenant, type: who.type, id: who.id, beside: beside === "{}" ? "" : beside, swift: true };
  } catch {
    return undefined;
  }
}

/** A context of a few scalars and nothing besides, as words; none where it holds more, or where reading it throws. */
function scalarsOf(besides: unknown): { words: string; count: number } | undefined {
  try {
    return wordsOf(besides);
  } catch {
    return undefined;
  }
}

/** As words: a name and a scalar by turns, whose first letter says its type. */
function wordsOf(besides: unknown): { words: string; count: number } | undefined {
  // The world's own outcome comes as JSON, also where it is no field that is gone through.
  if (!plain(besides) || besides.legacy !== undefined || lost(besides) !== undefined) return undefined;
  let words = "";
  let count = 0;
  for (const name in besides) {
    const context = besides[name];
    if (context === undefined) continue;
    if (name !== "context" || !plain(context)) return undefined;
    for (const key of Object.keys(context)) {
      const value = context[key];
      if (value === undefined) continue;
      const word = scalar(value);
      if (word === undefined || key.startsWith(MARK) || (count += 2) > 16) return undefined;
      words += JOINT + key + JOINT + word;
    }
  }
  return { words, count };
}

function scalar(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return `s${value}`;
    case "number":
      return Number.isSafeInteger(value) ? `n${value === 0 ? 0 : value}` : undefined;
    case "boolean":
      return value ? "btrue" : "bfalse";
    default:
      return undefined;
  }
}
