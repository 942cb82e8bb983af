// A program against the package's types. What must not compile is marked; `tsc` fails where a mark is not needed.

import { type Actor, type Answer, type Call, Denied, Engine, Ext, HosError, type LawNames, Uid, type UidLike, type Values } from "hos";
import { bind, can } from "hos/express";
import { can as guard, hos } from "hos/fastify";
import Sqlite from "better-sqlite3";
import express from "express";
import fastify from "fastify";
import { type Connection, createPool } from "mysql2";
import { type PoolConnection, createConnection, createPool as createPromisePool } from "mysql2/promise";
import { Client, Pool, type PoolClient } from "pg";
import type { Pazar } from "../../../../examples/pazar/types/pazar.js";

class User {
  constructor(readonly name: string) {}
  hosUid() {
    return new Uid("Pazar::Account", this.name);
  }
}

export async function plain(user: User): Promise<string | undefined> {
  const engine = await Engine.open("law", { store: "hos.db", busyTimeoutMs: 100, seal: "inline" });
  const pazar = engine.tenant("pazar-tr").as(user, { language: "tr" });
  const answer: Answer = pazar.can("order.view", 'Pazar::Order::"o-17"', { context: { hour: 12, big: 2n ** 60n, at: new Date() } });
  if (!answer.allowed) return answer.message();
  const paid = await pazar.transition("order", "o-17", "pay", { args: { amount: 4200, tags: ["a"], price: Ext.decimal("1.50") }, once: "x" });
  const seal: number | undefined = paid.receipt?.seal?.seq;
  await pazar.directory.join(user, { type: "Pazar::Role", id: "operator" });
  const facts: Values = { buyer: user, set: new Set([1, 2]), map: new Map([["a", 1]]), gone: undefined };
  await pazar.begin("order", "o-18", "place", { facts });
  for (const entry of await pazar.history("order", "o-17", { limit: 10 })) console.log(entry.parts["facts"]?.["buyer"], seal);
  try {
    pazar.authorize("order.view", user);
  } catch (error) {
    if (error instanceof Denied) return error.answer.code;
    if (error instanceof HosError && error.status === "retry") return error.faults[0]?.file;
  }
  await using other = await Engine.open({ store: "hos.db" });
  using sync = Engine.openSync({ store: "hos.db" });
  return `${other} ${sync}`;
}

export async function misspelt(engine: Engine): Promise<void> {
  // @ts-expect-error an option of another name
  await Engine.open("law", { stor: "hos.db" });
  // @ts-expect-error the wire's name
  await Engine.open({ store: "hos.db", key_file: "x" });
  // @ts-expect-error no store
  await Engine.open({});
  const actor = engine.tenant("t").as(new Uid("A", "b"));
  // @ts-expect-error an option of another name
  actor.can("a", new Uid("A", "b"), { contxt: {} });
  // @ts-expect-error null is no value
  actor.can("a", new Uid("A", "b"), { context: { x: null } });
  // @ts-expect-error a function is no value
  actor.can("a", new Uid("A", "b"), { context: { x: () => 1 } });
  // @ts-expect-error `reason` is an override's, not a birth's
  await actor.begin("c", "i", "e", { reason: "x" });
  // @ts-expect-error a promise is no answer
  if (actor.transition("c", "i", "e").allowed) console.log("yes");
  // @ts-expect-error what is said cannot be changed
  actor.can("a", new Uid("A", "b")).allowed = true;
  // @ts-expect-error nobody
  engine.tenant("t").as(undefined);
  // @ts-expect-error engines are opened
  new Engine();
}

/** Who acts, and the world's own outcome. */
export async function outcomes(actor: Actor): Promise<void> {
  const who: Uid = actor.principal;
  actor.can("a", who, { legacy: true });
  actor.can("a", who, { legacy: { allowed: false } });
  await actor.transition("c", "i", "e", { legacy: { allowed: true, state: "paid" } });
  // @ts-expect-error an outcome of another kind
  actor.can("a", who, { legacy: "yes" });
}

/** With the law's names the editor knows each action and event. */
export async function named(): Promise<void> {
  const engine = await Engine.open<Pazar>("law", { store: "hos.db" });
  const pazar = engine.tenant("pazar-tr").as(new Uid("Pazar::Account", "ayse"));
  const shop: Uid = new Uid("Pazar::Shop", "s1");
  pazar.can("order.view", shop);
  await pazar.begin("order", "o-17", "place", { facts: { buyer: shop, shop, total: 4200n } });
  await pazar.transition("order", "o-17", "pay", { args: { amount: 4200, psp_ref: "x" } });
  await pazar.transition("order", "o-17", "close");
  await pazar.adopt("order", "o-18", "paid", { facts: { buyer: shop, shop, total: 1 } });
  // @ts-expect-error a misspelt action
  pazar.can("order.veiw", shop);
  // @ts-expect-error a misspelt contract
  await pazar.transition("ordr", "o-17", "pay");
  // @ts-expect-error a misspelt event
  await pazar.transition("order", "o-17", "pya");
  // @ts-expect-error a misspelt argument
  await pazar.transition("order", "o-17", "pay", { args: { amuont: 4200, psp_ref: "x" } });
  // @ts-expect-error an argument of another type
  await pazar.transition("order", "o-17", "pay", { args: { amount: "4200", psp_ref: "x" } });
  // @ts-expect-error an event is no birth
  await pazar.begin("order", "o-17", "pay");
  // @ts-expect-error no such state
  await pazar.adopt("order", "o-17", "payed");
  const names: LawNames = null as unknown as Pazar;
  console.log(names);
}

export async function shadows(): Promise<void> {
  const engine = await Engine.openForShadow<Pazar>("law", { store: "hos.db" });
  const why: Error | undefined = engine.absent;
  const pazar = engine.tenant("pazar-tr").as(new Uid("Pazar::Account", "ayse"));
  const number: number = pazar.shadow("order", "o-17", "pay", { legacy: () => 5, args: { amount: 4200, psp_ref: "x" }, once: "x" });
  const later: Promise<number> = pazar.shadow("order", "o-17", "pay", {
    legacy: async () => 5,
    outcome: (came) => ({ allowed: came === 5, state: "paid" }),
    seen: (told) => console.log(told instanceof Error ? told.message : told.divergence),
  });
  const may: boolean = pazar.shadowCan("order.view", 'Pazar::Order::"o-17"', { legacy: () => true, context: { hour: 12 }, outcome: (may) => may });
  const facts = { buyer: new Uid("Pazar::Account", "ayse"), shop: new Uid("Pazar::Shop", "s1"), total: 1 };
  const nothing: void = pazar.shadowBegin("order", "o-18", "place", { legacy: () => {}, facts });
  // @ts-expect-error without the old code there is nothing to watch
  pazar.shadow("order", "o-17", "pay", {});
  // @ts-expect-error an outcome is no code
  pazar.shadow("order", "o-17", "pay", { legacy: true });
  // @ts-expect-error a misspelt event
  pazar.shadow("order", "o-17", "pya", { legacy: () => 5 });
  // @ts-expect-error what the old code gives is a number
  const text: string = pazar.shadow("order", "o-17", "pay", { legacy: () => 5 });
  // @ts-expect-error an outcome of another kind
  pazar.shadow("order", "o-17", "pay", { legacy: () => 5, outcome: () => "paid" });
  console.log(why, number, await later, may, nothing, text);
}

/** In transactions of one's own: promises of all but SQLite. */
export async function joined(user: User): Promise<void> {
  const client = new Client();
  const on = await Engine.open<Pazar>("law", { store: client });
  const answer: Answer = await on.tenant("pazar-tr").as(user).transition("order", "o-17", "pay", {
    args: async () => ({ amount: (await client.query<{ n: number }>("SELECT 1 AS n")).rows[0]?.n ?? 0, psp_ref: "x" }),
  });
  const n: number | undefined = answer.receipt?.n;
  const kept: Answer = await on.refused(answer);
  const number: number = await on.transaction(async (connection, engine) => {
    const same: Client = connection; // `any`, where the law's names are given and the connection's type is not
    const paid: Answer = await engine.tenant("t").as(user).apply("order", "o-17", "close");
    return paid.allowed && same === client ? 1 : 2;
  }, { tries: 3, isolation: "serializable" });
  const text: string = await Engine.openSync({ store: new Pool() }).transaction(async (connection: PoolClient) => connection.escapeLiteral("x"));
  await Engine.openSync({ store: createPromisePool("") }).transaction(async (connection) => {
    const pooled: PoolConnection = connection;
    await pooled.beginTransaction();
  });
  await Engine.openSync({ store: createPool("") }).transaction(async (connection) => connection.release());
  const other = on.on(await createConnection("")).on(null as unknown as Connection);
  const given: number = await other.tenant("t").as(user).shadow("order", "o-17", "pay", { legacy: () => 5 });
  const shop = new Uid("Pazar::Shop", "s1");
  await Engine.openSync<Pazar, Pool>({ store: new Pool() }).transaction(async (connection) => connection.escapeLiteral("x").length);
  const sync = Engine.openSync<Pazar>({ store: new Sqlite("x.db") });
  const now: boolean = sync.tenant("t").as(user).can("order.view", user).allowed;
  const born: Answer = sync.transaction((db, engine) => {
    db.prepare("SELECT 1");
    return engine.tenant("t").as(user).begin("order", "o-19", "draft", { facts: () => ({ buyer: shop, shop, total: 1 }) });
  });
  const five: number = sync.tenant("t").as(user).shadow("order", "o-17", "pay", { legacy: () => 5 });
  const facts = { buyer: user.hosUid(), shop, total: 1 };
  const all: readonly Answer[] = await on.tenant("t").as(user).all([
    { operation: "begin", contract: "order", id: "o-20", event: "place", facts, once: "x" },
    { operation: "transition", contract: "order", id: "o-17", event: "pay", args: { amount: 1, psp_ref: "x" }, context: { hour: 12 } },
    { operation: "adopt", contract: "order", id: "o-21", state: "paid", facts },
    { operation: "record", stream: "notes", payload: new Uint8Array(1), subject: user, given: [{ uid: shop }] },
  ], { context: { hour: 13 } });
  const call: Call<Pazar> = { operation: "transition", contract: "order", id: "o-17", event: "close" };
  const atOnce: readonly Answer[] = sync.tenant("t").as(user).all([call]);
  // @ts-expect-error a misspelt event
  await on.tenant("t").as(user).all([{ operation: "transition", contract: "order", id: "o-17", event: "pya" }]);
  // @ts-expect-error the arguments are another event's
  await on.tenant("t").as(user).all([{ operation: "transition", contract: "order", id: "o-17", event: "close", args: { amount: 1, psp_ref: "x" } }]);
  // @ts-expect-error a change of the directory is made by itself
  await on.tenant("t").as(user).all([{ operation: "directory", change: {} }]);
  // @ts-expect-error a call in shadow is made by itself
  await on.tenant("t").as(user).all([call], { legacy: { allowed: true } });
  // @ts-expect-error a promise is no answer
  if (on.tenant("t").as(user).can("order.view", user).allowed) console.log("yes");
  // @ts-expect-error of SQLite arguments are there at once
  sync.tenant("t").as(user).transition("order", "o-17", "pay", { args: async () => ({ amount: 1, psp_ref: "x" }) });
  // @ts-expect-error a file's option
  await Engine.open("law", { store: client, keyFile: "x" });
  // @ts-expect-error no connection
  await Engine.open("law", { store: { query() {} } });
  // @ts-expect-error a misspelt event
  await on.tenant("t").as(user).transition("order", "o-17", "pya");
  console.log(n, kept, number, text, given, now, born, five, all, atOnce);
}

export function frames(engine: Engine): void {
  const tenant = engine.tenant("pazar-tr");
  const app = express();
  const whose = (id: string): UidLike => new Uid("Pazar::Order", id);
  app.use(bind({ tenant, principal: (request: express.Request) => request.get("x-user") ?? undefined }));
  app.get("/orders/:id", can("order.view", (request: express.Request) => whose(String(request.params["id"]))), (request, response) => {
    response.json({ who: request.hos?.tenant.name });
  });
  const server = fastify();
  server.register(hos, { tenant, principal: () => new Uid("Pazar::Account", "ayse") });
  server.get<{ Params: { id: string } }>("/orders/:id", {
    preHandler: guard("order.view", (request: { params: { id: string } }) => whose(request.params.id)),
  }, async (request) => request.hos?.tenant.name);
}
