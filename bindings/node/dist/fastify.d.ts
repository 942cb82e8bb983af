import type { Actor, Besides } from "./actor";
import type { Answer } from "./answer";
import { type Binding } from "./express";
import type { UidLike } from "./values";
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
    code(code: number): {
        send(body: unknown): unknown;
    };
    readonly sent: boolean;
}
/** What a route asks besides, and what it says to a no. */
export interface Guard<Request, R> {
    besides?: (request: Request) => Maybe<Besides | undefined>;
    /** Answers a request that is refused; without it, 403 with the code and the law's message. */
    denied?: (answer: Answer, request: Request, reply: R) => unknown;
}
/** The plugin: sets `request.hos` before a route's own hooks, so after whoever signs in at `onRequest`. */
export declare function hos<Request = any>(fastify: Instance, binding: Binding<Request>): Promise<void>;
/** A `preHandler` that lets a request pass only where its actor may do this to that: 401 where there is none, 403 where not. */
export declare function can<Request = any, R extends Reply = any>(action: string, resource: (request: Request) => Maybe<UidLike>, guard?: Guard<Request, R>): (request: Request, reply: R) => Promise<unknown>;
export {};
