// Express and Fastify, the real ones: who asks is bound, a no is 401 or 403, and whatever fails is no yes.

import assert from "node:assert/strict";
import { once } from "node:events";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import express from "express";
import fastify from "fastify";
import { bind, can } from "hos/express";
import { can as guard, hos as plugin } from "hos/fastify";
import { hos, store } from "./house.mjs";

const { Engine, Uid } = hos;
const engine = await Engine.open({ store: store() });
after(() => engine.close());
const tenant = engine.tenant("t1");
// As the README has it: an empty header is nobody.
const account = (name) => name && new Uid("S::Account", name);
const hall = (request) => new Uid("S::Hall", request.params.id);
const hour = (request) => (request.query.hour === undefined ? undefined : { context: { hour: Number(request.query.hour) } });
const as = (request) => ({ language: request.headers["accept-language"] });

/** What both servers must say. */
const TABLE = [
  ["/halls/h1", {}, 401, { code: "unauthenticated" }],
  ["/halls/h1", { "x-user": "" }, 401, { code: "unauthenticated" }],
  ["/halls/h1", { "x-user": "mert" }, 200, { who: "t1", said: true }],
  ["/halls/h2", { "x-user": "mert" }, 403, { code: "hos.not_permitted" }],
  ["/halls/h1?hour=3", { "x-user": "mert", "accept-language": "tr" }, 403, { code: "hos.forbidden" }],
  ["/halls/h1", { "x-user": "nobody" }, 403, { code: "hos.principal_unknown" }],
  ["/halls/h1?hour=1.5", { "x-user": "mert" }, 500, {}],
  ["/nothing", { "x-user": "mert" }, 500, {}],
  ["/fails", { "x-user": "mert" }, 500, {}],
  ["/halls/h1", { "x-user": "broken" }, 500, {}],
  ["/own/h2", { "x-user": "mert" }, 418, { own: "hos.not_permitted" }],
  ["/silent/h2", { "x-user": "mert" }, 403, { code: "hos.not_permitted" }],
];

async function asks(base) {
  for (const [path, headers, status, body] of TABLE) {
    const response = await fetch(`${base}${path}`, { headers });
    const text = await response.text();
    assert.equal(response.status, status, `${path} ${JSON.stringify(headers)}: ${text}`);
    const told = status === 500 ? {} : JSON.parse(text);
    for (const [name, value] of Object.entries(body)) assert.deepEqual(told[name], value, path);
    if (headers["accept-language"] === "tr") assert.equal(told.message, tenant.message("hos.forbidden", "tr"));
    if (status === 500) assert.ok(!text.includes("open"), "nothing of the handler's came out");
  }
}

const principal = (request) => {
  if (request.headers["x-user"] === "broken") throw new Error("the table of users is away");
  return account(request.headers["x-user"]);
};
const fails = () => Promise.reject(new Error("the row is away"));

test("Express", async () => {
  const app = express();
  app.set("env", "test");
  app.get("/unbound/:id", can("hall.enter", hall), (_, response) => response.json({ open: true }));
  app.use(bind({ tenant, principal, as }));
  const open = (request, response) => response.json({ open: true, who: request.hos.tenant.name, said: request.hos.can("hall.enter", hall(request)).allowed });
  app.get("/halls/:id", can("hall.enter", hall, { besides: hour }), open);
  app.get("/nothing", can("hall.enter", () => undefined), open);
  app.get("/fails", can("hall.enter", fails), open);
  app.get("/own/:id", can("hall.enter", hall, { denied: (answer, _, response) => response.status(418).json({ own: answer.code }) }), open);
  app.get("/silent/:id", can("hall.enter", hall), open);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const base = `http://127.0.0.1:${server.address().port}`;
    await asks(base);
    assert.equal((await fetch(`${base}/unbound/h1`, { headers: { "x-user": "mert" } })).status, 401, "a route that nobody bound is shut");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("Fastify", async () => {
  const server = fastify();
  // Asynchronously found tenants are as good.
  await server.register(plugin, { tenant: async () => tenant, principal, as });
  const open = async (request) => ({ open: true, who: request.hos.tenant.name, said: request.hos.can("hall.enter", hall(request)).allowed });
  server.get("/halls/:id", { preHandler: guard("hall.enter", hall, { besides: hour }) }, open);
  server.get("/nothing", { preHandler: guard("hall.enter", () => undefined) }, open);
  server.get("/fails", { preHandler: guard("hall.enter", fails) }, open);
  const own = (answer, _, reply) => reply.code(418).send({ own: answer.code });
  server.get("/own/:id", { preHandler: guard("hall.enter", hall, { denied: own }) }, open);
  server.get("/silent/:id", { preHandler: guard("hall.enter", hall, { denied: () => undefined }) }, open);
  const base = await server.listen({ port: 0, host: "127.0.0.1" });
  try {
    await asks(base);
  } finally {
    await server.close();
  }
  const bare = fastify();
  bare.get("/halls/:id", { preHandler: guard("hall.enter", hall) }, open);
  assert.equal((await bare.inject({ url: "/halls/h1", headers: { "x-user": "mert" } })).statusCode, 401, "a route that nobody bound is shut");
});

test("Express: who is bound last is bound, nobody included", async () => {
  const app = express();
  app.use(bind({ tenant, principal: () => account("mert") }));
  const inner = express.Router();
  inner.use(bind({ tenant, principal }));
  inner.get("/:id", can("hall.enter", hall), (_, response) => response.json({ open: true }));
  app.use("/inner", inner);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const asked = async (headers) => (await fetch(`http://127.0.0.1:${server.address().port}/inner/h1`, { headers })).status;
    assert.deepEqual([await asked({}), await asked({ "x-user": "nobody" }), await asked({ "x-user": "mert" })], [401, 403, 200]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("Fastify: where nobody is found nobody is bound, whoever was before", async () => {
  const server = fastify();
  await server.register(plugin, { tenant, principal });
  server.addHook("onRequest", async (request) => void (request.hos = tenant.as(account("mert"))));
  server.get("/halls/:id", { preHandler: guard("hall.enter", hall) }, async () => ({ open: true }));
  const asked = async (headers) => (await server.inject({ url: "/halls/h1", headers })).statusCode;
  assert.deepEqual([await asked({}), await asked({ "x-user": "mert" })], [401, 200]);
  await server.close();
});

test("Fastify: an answer of `denied` stands, however slowly it is sent", async () => {
  const ways = {
    given: (_, __, reply) => reply.code(404).send({ own: 1 }),
    "not given": (_, __, reply) => void reply.code(404).send({ own: 1 }),
    awaited: async (_, __, reply) => {
      await wait(5);
      reply.code(404).send({ own: 1 });
    },
    streamed: (_, __, reply) => void reply.code(404).send(Readable.from(['{"own":', "1}"])),
    later: (_, __, reply) => {
      setTimeout(() => reply.code(404).send({ own: 1 }), 5);
      return reply;
    },
  };
  for (const [name, denied] of Object.entries(ways)) {
    const complaints = [];
    const server = fastify({ logger: { level: "warn", stream: { write: (line) => complaints.push(line) } } });
    await server.register(plugin, { tenant, principal });
    server.addHook("onSend", async (_, __, payload) => {
      await wait(20);
      return payload;
    });
    let handled = 0;
    server.get("/halls/:id", { preHandler: guard("hall.enter", hall, { denied }) }, async () => ({ handled: (handled += 1) }));
    const response = await server.inject({ url: "/halls/h2", headers: { "x-user": "mert" } });
    assert.deepEqual([response.statusCode, response.body, handled, complaints], [404, '{"own":1}', 0, []], name);
    await server.close();
  }
  const silent = fastify();
  await silent.register(plugin, { tenant, principal });
  const nothings = [() => undefined, () => ({ own: 1 }), async () => "own", (_, __, reply) => void reply.code(204)];
  for (const [at, denied] of nothings.entries()) {
    silent.get(`/${at}/:id`, { preHandler: guard("hall.enter", hall, { denied }) }, async () => ({ open: true }));
  }
  for (const at of nothings.keys()) {
    const response = await silent.inject({ url: `/${at}/h2`, headers: { "x-user": "mert" } });
    assert.deepEqual([response.statusCode, response.json().code], [403, "hos.not_permitted"], "who says nothing has not answered");
  }
  await silent.close();
});

/** What may be thrown that is no error. Express reads the first ones, and two of the texts, as "go on". */
const NO_ERRORS = [undefined, null, "", 0, false, Number.NaN, "route", "router", "text", { status: 200 }, Symbol("s")];
/** Both ways of failing with it. */
const failing = (thrown) => [() => Promise.reject(thrown), () => { throw thrown; }];

test("Express: whatever is thrown, wherever, is an error, and the route stays shut", async () => {
  const app = express();
  const met = [];
  const open = (_, response) => void response.json({ open: true });
  const router = express.Router();
  const paths = [];
  const shut = (name, ...guards) => {
    const path = `/${paths.length}/h2`;
    paths.push([name, path]);
    router.get(path.replace("h2", ":id"), ...guards, open);
  };
  const mert = bind({ tenant, principal: () => account("mert") });
  for (const thrown of NO_ERRORS) {
    for (const fails of failing(thrown)) {
      const name = String(thrown);
      shut(`resource ${name}`, mert, can("hall.enter", fails));
      shut(`besides ${name}`, mert, can("hall.enter", hall, { besides: fails }));
      shut(`denied ${name}`, mert, can("hall.enter", hall, { denied: fails }));
      // The one who was bound before may enter: they must not be who asks now.
      const enter = can("hall.enter", () => new Uid("S::Hall", "h1"));
      shut(`principal ${name}`, mert, bind({ tenant, principal: fails }), enter);
      shut(`tenant ${name}`, mert, bind({ tenant: fails, principal }), enter);
      shut(`as ${name}`, mert, bind({ tenant, principal, as: () => { throw thrown; } }), enter);
    }
  }
  app.use(router);
  // Who leaves the route, or the router, comes upon these.
  app.use(open);
  app.use((error, request, response, _next) => {
    met.push([error, request.hos]);
    response.status(500).json({});
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    for (const [name, path] of paths) {
      const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { headers: { "x-user": "mert" } });
      assert.deepEqual([response.status, await response.json()], [500, {}], name);
      const [error, bound] = met.pop();
      assert.ok(error instanceof Error, name);
      assert.equal(String(error.cause), name.slice(name.indexOf(" ") + 1), "what was thrown is its cause");
      if (/^(principal|tenant|as) /.test(name)) assert.equal(bound, undefined, name);
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("Express: an error is handed on as it is", async () => {
  const own = Object.assign(new Error("mine"), { status: 404 });
  const told = (middleware, request) => new Promise((next) => middleware(request, {}, next));
  for (const fails of failing(own)) {
    assert.equal(await told(can("hall.enter", fails), { hos: tenant.as(account("mert")) }), own);
    assert.equal(await told(bind({ tenant, principal: fails }), {}), own);
  }
});

test("Express: nobody is bound while it is found who asks", async () => {
  const request = { hos: tenant.as(account("mert")) };
  const seen = [];
  const principal = async (of) => void seen.push(of.hos);
  await new Promise((next) => bind({ tenant, principal })(request, {}, next));
  assert.deepEqual([seen, request.hos], [[undefined], undefined]);
});

test("Fastify: whatever is thrown, wherever, is an error, and the route stays shut", async () => {
  for (const thrown of NO_ERRORS) {
    for (const fails of failing(thrown)) {
      const binders = { principal: { tenant, principal: fails }, tenant: { tenant: fails, principal }, as: { tenant, principal, as: () => { throw thrown; } } };
      const guards = { resource: [fails], besides: [hall, { besides: fails }], denied: [hall, { denied: fails }], ...binders };
      for (const [name, words] of Object.entries(guards)) {
        const met = [];
        let handled = 0;
        const server = fastify();
        await server.register(plugin, binders[name] ?? { tenant, principal });
        if (name in binders) server.addHook("onRequest", async (request) => void (request.hos = tenant.as(account("mert"))));
        server.setErrorHandler((error, request, reply) => {
          met.push([error, request.hos]);
          return reply.code(500).send({});
        });
        const preHandler = name in binders ? guard("hall.enter", () => new Uid("S::Hall", "h1")) : guard("hall.enter", ...words);
        server.get("/halls/:id", { preHandler }, async () => ({ handled: (handled += 1) }));
        const response = await server.inject({ url: "/halls/h2", headers: { "x-user": "mert" } });
        assert.deepEqual([response.statusCode, response.json(), handled], [500, {}, 0], `${name} ${String(thrown)}`);
        const [error, bound] = met.pop();
        assert.ok(error instanceof Error, `${name} ${String(thrown)}`);
        assert.ok(Object.is(error.cause, thrown), `${name} ${String(thrown)}: what was thrown is its cause`);
        if (name in binders) assert.equal(bound, undefined, name);
        await server.close();
      }
    }
  }
});

test("a no is 403 where its message cannot be had any more", async () => {
  const refusing = async () => {
    const closing = await Engine.open({ store: store() });
    const actor = closing.tenant("t1").as(account("mert"));
    // The engine is closed between the answer and what is told of it.
    const can = (...words) => {
      const answer = actor.can(...words);
      closing.closeSync();
      assert.throws(() => answer.message(), { code: "hos.engine_closed" });
      return answer;
    };
    return { can };
  };
  const wanted = { code: "hos.not_permitted", message: "hos.not_permitted" };
  const server = fastify();
  server.decorateRequest("hos", null);
  server.addHook("onRequest", async (request) => void (request.hos = await refusing()));
  server.get("/halls/:id", { preHandler: guard("hall.enter", hall) }, async () => ({ open: true }));
  const response = await server.inject({ url: "/halls/h2" });
  assert.deepEqual([response.statusCode, response.json()], [403, wanted]);
  await server.close();
  const request = { params: { id: "h2" }, hos: await refusing() };
  const told = await new Promise((tell) => {
    const reply = { status: (code) => ({ json: (body) => tell([code, body]) }) };
    can("hall.enter", hall)(request, reply, (error) => tell(["next", error]));
  });
  assert.deepEqual(told, [403, wanted]);
});
