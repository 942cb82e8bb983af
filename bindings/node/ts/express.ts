// Express: who asks is bound to each request, and a route is guarded by one word.

import type { Actor, As, Besides } from "./actor";
import type { Answer } from "./answer";
import { refusal } from "./errors";
import { error } from "./lane";
import type { Tenant } from "./tenant";
import type { UidLike } from "./values";

type Next = (error?: unknown) => void;
/** At once or later. */
export type Maybe<T> = T | Promise<T>;

/** What is used of Express's response. */
interface Reply {
  status(code: number): { json(body: unknown): unknown };
}

/** How a request's actor is bound. */
export interface Binding<Request> {
  /** The tenant, or which one a request is for. */
  tenant: Tenant | ((request: Request) => Maybe<Tenant>);
  /** Who asks; `undefined`, or what else is false as an empty header is, where nobody has signed in. */
  principal: (request: Request) => Maybe<UidLike | undefined>;
  /** The language of messages and the caller's own request id. */
  as?: (request: Request) => As;
}

/** What a route asks besides, and what it says to a no. */
export interface Guard<Request, Response> {
  besides?: (request: Request) => Maybe<Besides | undefined>;
  /** Answers a request that is refused; without it, 403 with the code and the law's message (the code again where that cannot be had). */
  denied?: (answer: Answer, request: Request, response: Response) => unknown;
}

/** A request to which an actor was bound. */
export interface Bound {
  /** Who asks; absent where nobody has signed in. */
  hos?: Actor | undefined;
}

declare global {
  namespace Express {
    interface Request {
      hos?: Actor | undefined;
    }
  }
}

/** Middleware that sets `request.hos`: to nobody where this binding finds nobody or fails, whoever was bound before. */
export function bind<Request extends object = any>(binding: Binding<Request>) {
  return (request: Request, _response: unknown, next: Next): void => {
    (request as Bound).hos = undefined;
    void actorOf(binding, request).then((actor) => {
      (request as Bound).hos = actor;
      next();
    }, failed(next));
  };
}

/** Hands a failure on. Express goes on to a handler where it is told nothing, `"route"` or `"router"`: so it is told an error. */
function failed(next: Next) {
  return (thrown: unknown): void => next(error(thrown));
}

/** Who asks by this request. */
export async function actorOf<Request>(binding: Binding<Request>, request: Request): Promise<Actor | undefined> {
  const who = await binding.principal(request);
  if (!who) return undefined;
  const tenant = typeof binding.tenant === "function" ? await binding.tenant(request) : binding.tenant;
  return tenant.as(who, binding.as?.(request));
}

/** Middleware that lets a request pass only where its actor may do this to that: 401 where there is none, 403 where they may not. */
export function can<Request extends object = any, Response extends Reply = any>(
  action: string,
  resource: (request: Request) => Maybe<UidLike>,
  guard: Guard<Request, Response> = {},
) {
  return (request: Request, response: Response, next: Next): void => {
    void asked(request as Request & Bound, action, resource, guard.besides).then((answer) => {
      if (answer === undefined) return void response.status(401).json({ code: "unauthenticated", message: "sign in first" });
      if (answer.allowed === true) return next();
      if (guard.denied !== undefined) return guard.denied(answer, request, response);
      return void response.status(403).json(refused(answer));
    }).catch(failed(next));
  };
}

/** What a client reads of a no. It stands without the law's message too: the engine may be closed by now, or its store away. */
export function refused(answer: Answer): { code: string | undefined; message: string | undefined } {
  const { code } = answer;
  try {
    return { code, message: answer.message() };
  } catch {
    return { code, message: code };
  }
}

/** The answer for a request; none where nobody asks. */
export async function asked<Request>(
  request: Request & Bound,
  action: string,
  resource: (request: Request) => Maybe<UidLike>,
  besides?: (request: Request) => Maybe<Besides | undefined>,
): Promise<Answer | undefined> {
  if (request.hos === undefined || request.hos === null) return undefined;
  const of = await resource(request);
  if (of === undefined || of === null) throw refusal("hos.call_malformed", `the resource of \`${action}\` is not given for this request`);
  return request.hos.can(action, of, await besides?.(request));
}
