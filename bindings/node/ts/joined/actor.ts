// Who acts in a tenant, in the transactions of the host's own connection.

import type { As, Besides, LogRow, Question, Writing } from "../actor";
import { type Answer, evaluationsOf } from "../answer";
import { Directory, type Ends } from "../directory";
import { CallError, Denied, HosError, isA, refusal } from "../errors";
import type { LawNames, Text } from "../law";
import { error } from "../lane";
import { type Given as GivenBack, WATCHED, type Watched, isUndone, shadowed } from "../shadow";
import type { Uid, UidLike } from "../values";
import { Draft, NOBODY, WORDS, calls as asOne, evaluations, once, plain, uid } from "../write";
import { type Codes, codesOf, failedOf, filled } from "./closures";
import { fieldOf } from "./driver";
import type { JoinedEngine } from "./engine";
import type { Stepped } from "./rounds";
import { type Call, together } from "./several";
import type { Era } from "./turns";
import type { Work } from "./work";

type When = "now" | "later";

/**
 * Values, or code that reads them when what the call is about is claimed: until the transaction ends nobody else moves it. With
 * SQLite the code answers at once. What it throws goes through; but where the call carries the world's own outcome and the law is not
 * enforced, that outcome is the answer and says in a blocker what was thrown. An error that has taken the host's transaction (a
 * deadlock) has undone what the world did, and is thrown in any mode.
 */
export type Told<M extends When, V> = V | (() => M extends "now" ? V : V | Promise<V>);

/** A tenant of an engine that joins transactions. */
export class JoinedTenant<L extends LawNames = LawNames, M extends When = When> {
  #engine: JoinedEngine<L, any>;
  /** Its name. */
  readonly name: string;

  /** Made by `JoinedEngine.tenant`. */
  constructor(engine: JoinedEngine<L, any>, name: string) {
    this.#engine = engine;
    this.name = name;
    Object.freeze(this);
  }

  /** Who acts here: bound once, asked often. */
  as(principal: UidLike, options?: As): JoinedActor<L, M> {
    return new JoinedActor<L, M>(this.#engine, this.name, principal, options);
  }

  /** What the law tells an end user of a refusal's code. Of the law that the first call has read. */
  message(code: string, language: string): string {
    return this.#engine._message(this.name, code, language);
  }
}

/** Somebody who acts in a tenant, in the host's transaction. */
export class JoinedActor<L extends LawNames = LawNames, M extends When = When> {
  #engine: JoinedEngine<L, any>;
  #tenant: string;
  #as: As;
  #begun: Draft;
  /** Who acts, made of what was given. Where that could not be read it has neither type nor id, and every call says so. */
  readonly principal: Uid;
  /** Changes of who is who. */
  readonly directory: Directory<M>;

  /** Made by `JoinedTenant.as`. */
  constructor(engine: JoinedEngine<L, any>, tenant: string, principal: unknown, options: As = {}) {
    this.#engine = engine;
    this.#tenant = tenant;
    this.#as = asOf(options);
    const found: Uid[] = [];
    this.#begun = new Draft().need("tenant", tenant).need("principal", principal, once(found)).put("language", this.#as.language);
    this.principal = found[0] ?? NOBODY;
    this.directory = new Directory<M>((change, besides) => this.#ask("directory", besides, (draft) => draft.put("change", change(), String)));
    Object.freeze(this);
  }

  /** May they do this to that? An answer: look at its `allowed`. It reads on the connection, or on one of the pool's, and needs no transaction. */
  can(action: L["action"], resource: UidLike, besides?: Besides): Ends<M, Answer> {
    return this.#ask("can", besides, (draft) => draft.need("action", action).need("resource", resource, uid));
  }

  /** Several questions, 1 to 1000, answered over one law and one directory, in their order. */
  canAll(questions: readonly Question<L["action"]>[], besides?: Omit<Besides, "legacy">): Ends<M, readonly Answer[]> {
    return this.#engine._called(true, true, (era) => this.#askedAll(era, questions, besides)) as Ends<M, readonly Answer[]>;
  }

  /** As `can`, but throws `Denied` where the answer is no. */
  authorize(action: L["action"], resource: UidLike, besides?: Besides): Ends<M, Answer> {
    return this.#ask("can", besides, (draft) => draft.need("action", action).need("resource", resource, uid), yes);
  }

  /** The birth of an instance. */
  begin<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["begin"]>>(
    contract: C,
    id: string,
    event: E,
    options?: Writing & { facts?: Told<M, L["contract"][C]["facts"]>; args?: Told<M, L["contract"][C]["begin"][E]> },
  ): Ends<M, Answer> {
    return this.#ask("begin", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
  }

  /** An event or an override of an instance. A refusal is an answer: look at its `allowed`, and roll back. */
  transition<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(
    contract: C,
    id: string,
    event: E,
    options?: Writing & { args?: Told<M, L["contract"][C]["event"][E]>; reason?: string },
  ): Ends<M, Answer> {
    return this.#ask("transition", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
  }

  /** As `transition`, but throws `Denied` where the answer is no. */
  apply<C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(
    contract: C,
    id: string,
    event: E,
    options?: Writing & { args?: Told<M, L["contract"][C]["event"][E]>; reason?: string },
  ): Ends<M, Answer> {
    return this.#ask("transition", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event), yes);
  }

  /** A free record in a stream: a text, or bytes. Its place in the stream is given when it is sealed. */
  record(stream: string, payload: string | Uint8Array, options?: Writing & { subject?: UidLike }): Ends<M, Answer> {
    return this.#ask("record", options, (draft) => draft.need("stream", stream).payload(payload));
  }

  /** An existing row taken in as it is. */
  adopt<C extends Text<L["contract"]>>(
    contract: C,
    id: string,
    state: L["contract"][C]["state"],
    options?: Writing & { facts?: Told<M, L["contract"][C]["facts"]> },
  ): Ends<M, Answer> {
    return this.#ask("adopt", options, (draft) => draft.need("contract", contract).need("id", id).need("state", state));
  }

  /** What an older log tells of an instance, the oldest row first. Nothing of it is judged, and the instance stays as it is. */
  legacy(contract: Text<L["contract"]>, id: string, entries: readonly LogRow[], options?: Writing): Ends<M, Answer> {
    return this.#ask("legacy", options, (draft) => draft.need("contract", contract).need("id", id).need("entries", entries));
  }

  /**
   * Several calls, 1 to 16, judged in their order as one: all of it is written, or nothing; in the exchanges of one. No two are about
   * the same instance, or under the same once-key: each is judged on what was there before the first. Gives as many answers as calls,
   * all of them yes; or those up to the first no, which is the last.
   */
  all(calls: readonly Call<L>[], besides?: Omit<Besides, "legacy">): Ends<M, readonly Answer[]> {
    return this.#engine._called(false, true, (era) => this.#made(era, calls, besides)) as Ends<M, readonly Answer[]>;
  }

  /**
   * An event that the world's own code carries out, while the law watches. `legacy` runs first and once; what it gives is given back
   * and what it throws goes through. The call is put down in the same transaction, and judged by `hos work`. Where an error took that
   * transaction, what `legacy` did in it is undone, and the error is thrown.
   */
  shadow<R, C extends Text<L["contract"]>, E extends Text<L["contract"][C]["event"]>>(
    contract: C,
    id: string,
    event: E,
    options: Watched<R> & Omit<Writing, "legacy"> & { args?: Told<M, L["contract"][C]["event"][E]>; reason?: string },
  ): Shadowed<M, R> {
    return this.#shadowed("transition", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
  }

  /** As `shadow`, of a birth. */
  shadowBegin<R, C extends Text<L["contract"]>, E extends Text<L["contract"][C]["begin"]>>(
    contract: C,
    id: string,
    event: E,
    options: Watched<R> &
      Omit<Writing, "legacy"> & { facts?: Told<M, L["contract"][C]["facts"]>; args?: Told<M, L["contract"][C]["begin"][E]> },
  ): Shadowed<M, R> {
    return this.#shadowed("begin", options, (draft) => draft.need("contract", contract).need("id", id).need("event", event));
  }

  /** As `shadow`, of a question, which is judged at once. */
  shadowCan<R>(action: L["action"], resource: UidLike, options: Watched<R> & Omit<Besides, "legacy">): Shadowed<M, R> {
    return this.#shadowed("can", options, (draft) => draft.need("action", action).need("resource", resource, uid));
  }

  #ask(operation: string, options: unknown, words: (draft: Draft) => Draft, then = (answer: Answer) => answer): Ends<M, Answer> {
    // A call that carries the world's own outcome never stands in the way of the host's transaction.
    const isCounted = !hasLegacy(options);
    return this.#engine._called(operation === "can", isCounted, (era) => this.#asked(era, operation, options, words, then)) as Ends<M, Answer>;
  }

  *#asked(era: Era | undefined, operation: string, options: unknown, words: (draft: Draft) => Draft, then: (answer: Answer) => Answer): Work<Answer> {
    const codes = codesOf(options);
    const draft = words(this.#draft(options, new Set(codes.map(([name]) => name))));
    if (draft.hasOutcome) return then(this.#answer(yield* this.#beside(era, operation, draft, codes)));
    const claimed = codes.length === 0 ? undefined : yield* this.#claim(era, operation, draft);
    let stepped: Stepped;
    try {
      yield* filled(draft, codes);
      const json = draft.json();
      stepped = yield () => this.#engine._step(era, operation, json);
    } catch (thrown) {
      if (claimed !== undefined && !FAILED.has(fieldOf(thrown, "status"))) yield () => this.#engine._leave(era, claimed);
      throw thrown;
    }
    return then(this.#answer(stepped));
  }

  *#askedAll(era: Era | undefined, questions: unknown, besides: unknown): Work<readonly Answer[]> {
    const json = this.#draft(besides, new Set()).need("evaluations", questions, evaluations).json();
    const stepped = (yield () => this.#engine._step(era, "can_all", json)) as Stepped;
    return evaluationsOf(stepped.answer).map((one) => this.#answer({ ...stepped, allowed: one.allowed === true, answer: one }));
  }

  *#made(era: Era | undefined, calls: unknown, besides: unknown): Work<readonly Answer[]> {
    const json = this.#draft(besides, new Set()).need("calls", calls, asOne).json();
    const stepped = (yield () => this.#engine._step(era, "all", json)) as Stepped;
    const earlier = stepped.earlier.map((answer) => this.#answer({ ...stepped, allowed: true, answer, refusal: undefined }));
    return together([...earlier, this.#answer(stepped)]);
  }

  /** A call that carries the world's own outcome, which stands where the call fails, if the law leaves it that. */
  *#beside(era: Era | undefined, operation: string, draft: Draft, codes: Codes): Work<Stepped> {
    // Nothing is claimed: the world has acted already.
    try {
      yield* this.#engine._filled(draft, codes);
    } catch (thrown) {
      return yield* this.#stood(operation, draft, failedOf(thrown), thrown);
    }
    const json = draft.json();
    try {
      return (yield () => this.#engine._step(era, operation, json, true)) as Stepped;
    } catch (thrown) {
      // The place that we know is of more use than the one that stood in for it.
      const failed = isA(thrown, CallError) ? (draft.fault ?? thrown) : (thrown as HosError);
      return yield* this.#stood(operation, draft, failed, failed);
    }
  }

  *#stood(operation: string, draft: Draft, failed: Pick<HosError, "code" | "message">, thrown: unknown): Work<Stepped> {
    if (isUndone(thrown)) throw thrown;
    const stood = yield* this.#engine._instead(operation, draft.json(), failed);
    if (stood === undefined) throw thrown;
    return stood;
  }

  *#claim(era: Era | undefined, operation: string, draft: Draft): Work<Stepped> {
    const json = Draft.after(draft).put("operation", operation).json();
    return (yield () => this.#engine._step(era, "claim", json)) as Stepped;
  }

  #shadowed<R>(operation: string, options: Watched<R>, words: (draft: Draft) => Draft): Shadowed<M, R> {
    // Its transaction is the one of now, however long the world's own code takes.
    const era = this.#engine._era(operation === "can");
    const watched = () =>
      shadowed(options, (came, tell) => {
        const seen = (work: () => Work<Answer>) => this.#engine._run(work) as Answer | Promise<Answer>;
        const told = seen(() => this.#watched(era, operation, options, words, came));
        if (!(told instanceof Promise)) return tell(told);
        return told.then(tell, (thrown: unknown) => {
          tell(error(thrown));
          return isUndone(thrown) ? thrown : undefined;
        });
      });
    return (this.#engine._isNow ? watched() : (async () => watched())()) as Shadowed<M, R>;
  }

  *#watched(era: Era | undefined, operation: string, options: unknown, words: (draft: Draft) => Draft, came: () => unknown): Work<Answer> {
    const codes = codesOf(options);
    const draft = words(this.#draft(options, new Set([...WATCHED, ...codes.map(([name]) => name)]))).put("legacy", came());
    return this.#answer(yield* this.#beside(era, operation, draft, codes));
  }

  #answer(stepped: Stepped): Answer {
    return this.#engine._answer(stepped, this.#tenant, this.#as.language);
  }

  #draft(options: unknown, others: ReadonlySet<string>): Draft {
    const draft = Draft.after(this.#begun).options(options, WORDS, others);
    return draft.has("request") ? draft : draft.put("request", this.#as.request);
  }
}

/** What a caller gets of the world's own code: itself at once, or a promise of it. */
export type Shadowed<M extends When, R> = M extends "now" ? GivenBack<R> : Promise<Awaited<R>>;

/** Errors behind which the database runs no more statements of this transaction, or must not. */
const FAILED: ReadonlySet<unknown> = new Set(["store", "retry", "unknown", "internal"]);

function hasLegacy(options: unknown): boolean {
  try {
    return (options as { legacy?: unknown } | null | undefined)?.legacy !== undefined;
  } catch {
    return false;
  }
}

function asOf(options: As): As {
  if (!plain(options)) throw refusal("hos.call_malformed", "as(principal, { language, request }) takes an object");
  for (const name of Object.keys(options)) {
    if (name !== "language" && name !== "request") {
      throw refusal("hos.call_malformed", `as(..) has no option \`${name}\`; it has \`language\` and \`request\``);
    }
  }
  return { ...options };
}

function yes(answer: Answer): Answer {
  if (answer.allowed !== true) throw new Denied(answer);
  return answer;
}
