"use strict";
// The world decides, the law watches: the world's own code runs first and once, and what it gives or throws is what the caller
// gets, at once. The law is judged after it, in the background, and nothing that happens there is felt.
Object.defineProperty(exports, "__esModule", { value: true });
exports.WATCHED = void 0;
exports.undone = undone;
exports.isUndone = isUndone;
exports.shadowed = shadowed;
exports.forget = forget;
const node_async_hooks_1 = require("node:async_hooks");
const node_util_1 = require("node:util");
const errors_1 = require("./errors");
const lane_1 = require("./lane");
const write_1 = require("./write");
/** The names of the above: they are none of the call's own. */
exports.WATCHED = new Set(["legacy", "outcome", "seen"]);
const undoing = new WeakSet();
/** An error that has taken the host's transaction with it, and with that what the world did in it. */
function undone(failed) {
    undoing.add(failed);
    return failed;
}
/** Whether it is one. */
function isUndone(thrown) {
    return typeof thrown === "object" && thrown !== null && undoing.has(thrown);
}
/** Runs the world's own code, watched. */
function shadowed(options, watch) {
    const legacy = options?.legacy;
    if (typeof legacy !== "function")
        throw (0, errors_1.refusal)("hos.call_malformed", "`legacy` is the world's own code: a function");
    let given;
    try {
        given = legacy();
    }
    catch (thrown) {
        const looked = look(options, watch, thrown, true);
        if (looked instanceof Promise)
            return looked.then(() => Promise.reject(thrown));
        throw thrown;
    }
    if (isPromise(given))
        return later(options, watch, given);
    const looked = look(options, watch, given, false);
    return (looked instanceof Promise ? looked.then((came) => stood(given, came)) : stood(given, looked));
}
async function later(options, watch, promise) {
    let given;
    try {
        given = await promise;
    }
    catch (thrown) {
        const looked = look(options, watch, thrown, true);
        if (looked instanceof Promise)
            await looked;
        throw thrown;
    }
    const looked = look(options, watch, given, false);
    return stood(given, looked instanceof Promise ? await looked : looked);
}
function stood(given, looked) {
    if (looked !== undefined)
        throw looked;
    return given;
}
function look(options, watch, came, threw) {
    try {
        const tell = teller(options);
        try {
            return watch(() => worldOf(options, came, threw), tell);
        }
        catch (thrown) {
            queueMicrotask(() => tell((0, lane_1.error)(thrown)));
            return isUndone(thrown) ? thrown : undefined;
        }
    }
    catch {
        // A `seen` that cannot even be read is not told.
    }
    return undefined;
}
/** Tells whoever looks on, in the context of the call (`AsyncLocalStorage`). */
function teller(options) {
    const seen = options.seen;
    if (seen === undefined)
        return () => { };
    const context = new node_async_hooks_1.AsyncResource("hos.shadow");
    return (told) => {
        try {
            forget(context.runInAsyncScope(seen, undefined, told));
        }
        catch {
            // What `seen` throws is nobody's.
        }
    };
}
function worldOf(options, came, threw) {
    let said;
    const outcome = options.outcome;
    if (outcome !== undefined) {
        try {
            said = outcome(came);
        }
        catch (thrown) {
            // An `outcome` that knows only what is given cannot read what is thrown; that is a refusal all the same.
            if (!threw)
                throw thrown;
        }
    }
    if (said === undefined || said === null)
        return threw ? { allowed: false } : (read(came) ?? { allowed: true });
    const world = read(said);
    if (world !== undefined)
        return world;
    forget(said);
    throw (0, errors_1.refusal)("hos.value_invalid", "`outcome` gives a boolean or { allowed, state }");
}
/** What says by itself that it is allowed or not. No code of the world's runs by being looked at: no getter, no proxy's trap. */
function read(said) {
    if (typeof said === "boolean")
        return { allowed: said };
    if (node_util_1.types.isProxy(said) || !(0, write_1.plain)(said))
        return undefined;
    const [allowed, state] = ["allowed", "state"].map((name) => Object.getOwnPropertyDescriptor(said, name)?.value);
    if (typeof allowed !== "boolean")
        return undefined;
    return typeof state === "string" ? { allowed, state } : { allowed };
}
function isPromise(given) {
    try {
        return (typeof given === "object" || typeof given === "function") && given !== null && typeof given.then === "function";
    }
    catch {
        return false;
    }
}
/** A promise that nobody waits for is no unhandled rejection. */
function forget(said) {
    if (isPromise(said))
        Promise.resolve(said).then(undefined, () => { });
}
