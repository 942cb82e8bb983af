// Fastify: a plugin that binds who asks to each request, and a hook that guards a route by one word.

import type { Actor, Besides } from "./actor";
import type { Answer } from "./answer";
import { type Binding, type Bound, actorOf, asked } from "./express";
import type { UidLike } from "./values";
import type {} from "fastify";

type Maybe<T> = T | Promise<T>;

declare module "fastify" {
  interface FastifyRequest {
    hos?: Actor | null;
  }
}

/** What is used of a Fastify instance. */
interface Instance {
  decorateRequest(name: string, value: null): unknown;
  addHook(name: "preHandler", hook: (request: any) => Promise<void>): unknown;
}

/** What is used of Fastify's reply. */
interface Reply {
  code(code: number): { send(body: unknown): unknown };
  readonly sent: boolean;
}

/** What a route asks besides, and what it says to a no. */
export interface Guard<Request, R> {
  besides?: (request: Request) => Maybe<Besides | undefined>;
  /** Answers a request that is refused; without it, 403 with the code and the law's message. */
  denied?: (answer: Answer, request: Request, reply: R) => unknown;
}

/** The plugin: sets `request.hos` before a route's own hooks, so after whoever signs in at `onRequest`. */
export async function hos<Request = any>(fastify: Instance, binding: Binding<Request>): Promise<void> {
  fastify.decorateRequest("hos", null);
  fastify.addHook("preHandler", async (request: Request & Bound) => {
    const actor = await actorOf(binding, request);
    if (actor !== undefined) request.hos = actor;
  });
}
// What the plugin adds is meant for the routes beside it, not only for those within it.
Object.assign(hos, { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "hos" });

/** A `preHandler` that lets a request pass only where its actor may do this to that: 401 where there is none, 403 where not. */
export function can<Request = any, R extends Reply = any>(
  action: string,
  resource: (request: Request) => Maybe<UidLike>,
  guard: Guard<Request, R> = {},
) {
  return async (request: Request, reply: R): Promise<unknown> => {
    const answer = await asked(request as Request & Bound, action, resource, guard.besides);
    if (answer === undefined) return reply.code(401).send({ code: "unauthenticated", message: "sign in first" });
    if (answer.allowed === true) return undefined;
    if (guard.denied === undefined) return reply.code(403).send({ code: answer.code, message: answer.message() });
    const said = await guard.denied(answer, request, reply);
    // A hook that says nothing would let the request pass.
    return reply.sent ? said : reply.code(403).send({ code: answer.code, message: answer.message() });
  };
}
