import type { Actor } from "./actor";
import { type Binding, type Guard, type Maybe } from "./express";
import type { UidLike } from "./values";
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
    code(code: number): {
        send(body: unknown): unknown;
    };
    send(...body: any[]): any;
    readonly sent: boolean;
}
/** The plugin: sets `request.hos` before a route's own hooks, so after whoever signs in at `onRequest`. */
export declare function hos<Request = any>(fastify: Instance, binding: Binding<Request>): Promise<void>;
/** A `preHandler` that lets a request pass only where its actor may do this to that: 401 where there is none, 403 where not. */
export declare function can<Request = any, R extends Reply = any>(action: string, resource: (request: Request) => Maybe<UidLike>, guard?: Guard<Request, R>): (request: Request, reply: R) => Promise<unknown>;
