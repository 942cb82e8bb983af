import type { Actor, As, Besides } from "./actor";
import type { Answer } from "./answer";
import type { Tenant } from "./tenant";
import type { UidLike } from "./values";
type Next = (error?: unknown) => void;
/** At once or later. */
export type Maybe<T> = T | Promise<T>;
/** What is used of Express's response. */
interface Reply {
    status(code: number): {
        json(body: unknown): unknown;
    };
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
export declare function bind<Request extends object = any>(binding: Binding<Request>): (request: Request, _response: unknown, next: Next) => void;
/** Who asks by this request. */
export declare function actorOf<Request>(binding: Binding<Request>, request: Request): Promise<Actor | undefined>;
/** Middleware that lets a request pass only where its actor may do this to that: 401 where there is none, 403 where they may not. */
export declare function can<Request extends object = any, Response extends Reply = any>(action: string, resource: (request: Request) => Maybe<UidLike>, guard?: Guard<Request, Response>): (request: Request, response: Response, next: Next) => void;
/** What a client reads of a no. It stands without the law's message too: the engine may be closed by now, or its store away. */
export declare function refused(answer: Answer): {
    code: string | undefined;
    message: string | undefined;
};
/** The answer for a request; none where nobody asks. */
export declare function asked<Request>(request: Request & Bound, action: string, resource: (request: Request) => Maybe<UidLike>, besides?: (request: Request) => Maybe<Besides | undefined>): Promise<Answer | undefined>;
export {};
