"use strict";
// How the addon tells what came of a call: the class of the end, a line feed, and JSON.
Object.defineProperty(exports, "__esModule", { value: true });
exports.split = split;
exports.answered = answered;
exports.rethrown = rethrown;
exports.told = told;
const errors_1 = require("./errors");
const write_1 = require("./write");
/** How much of a fault's words stands in a blocker. */
const SAID_MAX = 1_000;
/** A class and JSON, as the addon tells them. */
function split(said) {
    const at = said.indexOf("\n");
    return at < 0 ? ["internal", "{}"] : [said.slice(0, at), said.slice(at + 1)];
}
/** The answer; what is no answer is thrown. `fault`: what was wrong with the call, in whose place something else stood. */
function answered(said, fault) {
    const [status, json] = split(said);
    if (status === "allowed" || status === "refused")
        return [status === "allowed", fault === undefined ? json : named(json, fault)];
    const failed = (0, errors_1.failure)(status, json);
    // The place that we know is of more use than the one that stood in for it.
    throw fault !== undefined && failed instanceof errors_1.CallError ? fault : failed;
}
/** The world's own outcome, with what was wrong in its blocker: the engine speaks of what stood there instead. */
function named(json, fault) {
    const told = JSON.parse(json);
    const blocker = told.blockers?.[0];
    if (blocker?.code !== (0, write_1.standInOf)(fault))
        return json;
    blocker.detail = (0, write_1.sound)((0, errors_1.bare)(fault), SAID_MAX);
    if (blocker.code !== fault.code) {
        told.code = blocker.code = fault.code;
        // It is that of the other code.
        delete blocker.message;
    }
    return JSON.stringify(told);
}
/** Throws what the addon threw, as an error of ours. */
function rethrown(thrown) {
    if (!(thrown instanceof Error) || thrown instanceof errors_1.HosError)
        throw thrown;
    const [status, json] = split(thrown.message);
    throw thrown.message.includes("\n") ? (0, errors_1.failure)(status, json) : new errors_1.InternalError("internal", "hos.internal", thrown.message, { cause: thrown });
}
/** Runs what throws as the addon does. */
function told(work) {
    try {
        return work();
    }
    catch (thrown) {
        return rethrown(thrown);
    }
}
