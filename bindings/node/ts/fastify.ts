// Fastify: a plugin that binds who asks to each request, and a hook that guards a route by one word.

import type { Actor } from "./actor";
import { type Binding, type Bound, type Guard, type Maybe, actorOf, asked, refused } from "./express";
import { error } from "./lane";
import type { UidLike } from "./values";
import type {} from "fastify";

export type { Guard } from "./express";

declare module "fastify" {
  interface FastifyRequest {
    hos?: Actor | null | undefined;
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
  send(...body: any[]): any;
  readonly sent: boolean;
}

/** The plugin: sets `request.hos` before a route's own hooks, so after whoever signs in at `onRequest`. */
export async function hos<Request = any>(fastify: Instance, binding: Binding<Request>): Promise<void> {
  fastify.decorateRequest("hos", null);
  fastify.addHook("preHandler", async (request: Request & Bound) => {
    request.hos = undefined;
    request.hos = await actorOf(binding, request).catch(failed);
  });
}
// What the plugin adds is meant for the routes beside it, not only for those within it.
Object.assign(hos, { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "hos" });

/** Fails as an error: what is none a server may take for nothing, and go on. */
function failed(thrown: unknown): never {
  throw error(thrown);
}

/** A `preHandler` that lets a request pass only where its actor may do this to that: 401 where there is none, 403 where not. */
export function can<Request = any, R extends Reply = any>(
  action: string,
  resource: (request: Request) => Maybe<UidLike>,
  guard: Guard<Request, R> = {},
) {
  return async (request: Request, reply: R): Promise<unknown> => {
    const answer = await asked(request as Request & Bound, action, resource, guard.besides).catch(failed);
    if (answer === undefined) return reply.code(401).send({ code: "unauthenticated", message: "sign in first" });
    if (answer.allowed === true) return undefined;
    const { denied } = guard;
    if (denied !== undefined && (await answers(reply, () => denied(answer, request, reply)).catch(failed))) return reply;
    // A hook that says nothing would let the request pass.
    return reply.code(403).send(refused(answer));
  };
}

/** Runs a `denied`, and tells whether it answered. `sent` alone does not: it is false while hooks and streams are under way. */
async function answers(reply: Reply, denied: () => unknown): Promise<boolean> {
  const { send } = reply;
  let sending = false;
  reply.send = function (this: unknown, ...body: unknown[]) {
    sending = true;
    return send.apply(this, body);
  };
  try {
    const said = denied();
    // A reply is a promise of its own end; one that is given back is answered, now or later.
    if (said === reply) return true;
    await said;
  } finally {
    reply.send = send;
  }
  return sending || reply.sent;
}
