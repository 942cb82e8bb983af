"use strict";
// Fastify: a plugin that binds who asks to each request, and a hook that guards a route by one word.
Object.defineProperty(exports, "__esModule", { value: true });
exports.hos = hos;
exports.can = can;
const express_1 = require("./express");
const lane_1 = require("./lane");
/** The plugin: sets `request.hos` before a route's own hooks, so after whoever signs in at `onRequest`. */
async function hos(fastify, binding) {
    fastify.decorateRequest("hos", null);
    fastify.addHook("preHandler", async (request) => {
        request.hos = undefined;
        request.hos = await (0, express_1.actorOf)(binding, request).catch(failed);
    });
}
// What the plugin adds is meant for the routes beside it, not only for those within it.
Object.assign(hos, { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "hos" });
/** Fails as an error: what is none a server may take for nothing, and go on. */
function failed(thrown) {
    throw (0, lane_1.error)(thrown);
}
/** A `preHandler` that lets a request pass only where its actor may do this to that: 401 where there is none, 403 where not. */
function can(action, resource, guard = {}) {
    return async (request, reply) => {
        const answer = await (0, express_1.asked)(request, action, resource, guard.besides).catch(failed);
        if (answer === undefined)
            return reply.code(401).send({ code: "unauthenticated", message: "sign in first" });
        if (answer.allowed === true)
            return undefined;
        const { denied } = guard;
        if (denied !== undefined && (await answers(reply, () => denied(answer, request, reply)).catch(failed)))
            return reply;
        // A hook that says nothing would let the request pass.
        return reply.code(403).send((0, express_1.refused)(answer));
    };
}
/** Runs a `denied`, and tells whether it answered. `sent` alone does not: it is false while hooks and streams are under way. */
async function answers(reply, denied) {
    const { send } = reply;
    let sending = false;
    reply.send = function (...body) {
        sending = true;
        return send.apply(this, body);
    };
    try {
        const said = denied();
        // A reply is a promise of its own end; one that is given back is answered, now or later.
        if (said === reply)
            return true;
        await said;
    }
    finally {
        reply.send = send;
    }
    return sending || reply.sent;
}
