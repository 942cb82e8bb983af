"use strict";
// Express: who asks is bound to each request, and a route is guarded by one word.
Object.defineProperty(exports, "__esModule", { value: true });
exports.bind = bind;
exports.actorOf = actorOf;
exports.can = can;
exports.refused = refused;
exports.asked = asked;
const errors_1 = require("./errors");
const lane_1 = require("./lane");
/** Middleware that sets `request.hos`: to nobody where this binding finds nobody or fails, whoever was bound before. */
function bind(binding) {
    return (request, _response, next) => {
        request.hos = undefined;
        void actorOf(binding, request).then((actor) => {
            request.hos = actor;
            next();
        }, failed(next));
    };
}
/** Hands a failure on. Express goes on to a handler where it is told nothing, `"route"` or `"router"`: so it is told an error. */
function failed(next) {
    return (thrown) => next((0, lane_1.error)(thrown));
}
/** Who asks by this request. */
async function actorOf(binding, request) {
    const who = await binding.principal(request);
    if (!who)
        return undefined;
    const tenant = typeof binding.tenant === "function" ? await binding.tenant(request) : binding.tenant;
    return tenant.as(who, binding.as?.(request));
}
/** Middleware that lets a request pass only where its actor may do this to that: 401 where there is none, 403 where they may not. */
function can(action, resource, guard = {}) {
    return (request, response, next) => {
        void asked(request, action, resource, guard.besides).then((answer) => {
            if (answer === undefined)
                return void response.status(401).json({ code: "unauthenticated", message: "sign in first" });
            if (answer.allowed === true)
                return next();
            if (guard.denied !== undefined)
                return guard.denied(answer, request, response);
            return void response.status(403).json(refused(answer));
        }).catch(failed(next));
    };
}
/** What a client reads of a no. It stands without the law's message too: the engine may be closed by now, or its store away. */
function refused(answer) {
    const { code } = answer;
    try {
        return { code, message: answer.message() };
    }
    catch {
        return { code, message: code };
    }
}
/** The answer for a request; none where nobody asks. */
async function asked(request, action, resource, besides) {
    if (request.hos === undefined || request.hos === null)
        return undefined;
    const of = await resource(request);
    if (of === undefined || of === null)
        throw (0, errors_1.refusal)("hos.call_malformed", `the resource of \`${action}\` is not given for this request`);
    return request.hos.can(action, of, await besides?.(request));
}
