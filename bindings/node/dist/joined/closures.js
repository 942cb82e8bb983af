"use strict";
// Code of the host's that reads what a call is told, and what its failure means to a call that carries the world's own outcome.
Object.defineProperty(exports, "__esModule", { value: true });
exports.codesOf = codesOf;
exports.filled = filled;
exports.filledBeside = filledBeside;
exports.retryOf = retryOf;
exports.failedOf = failedOf;
const errors_1 = require("../errors");
const lane_1 = require("../lane");
const shadow_1 = require("../shadow");
const driver_1 = require("./driver");
const rounds_1 = require("./rounds");
function codesOf(options) {
    if (typeof options !== "object" || options === null)
        return [];
    const read = (name) => {
        try {
            return options[name];
        }
        catch {
            // What cannot be read is refused where it is put into the call.
            return undefined;
        }
    };
    const found = ["facts", "args"].map((name) => [name, read(name)]);
    return found.filter(([, code]) => typeof code === "function");
}
/** Puts into the call what the code gives. */
function* filled(draft, codes) {
    for (const [name, code] of codes) {
        const given = yield code;
        // Where nothing is awaited a promise is no value; nor is it an unhandled rejection.
        (0, shadow_1.forget)(given);
        draft.put(name, given);
    }
}
/**
 * As `filled`, beside the world's own outcome. What fails there may have taken the host's transaction: whether there was one is asked
 * before, for behind the error it can no longer be told.
 */
function* filledBeside(driver, connection, draft, codes) {
    if (codes.length === 0)
        return;
    const inside = yield* isInside(driver, connection);
    try {
        yield* filled(draft, codes);
    }
    catch (thrown) {
        if (connection === undefined || inside === false || (yield* (0, rounds_1.stands)({ driver, connection }, thrown)))
            throw thrown;
        const asking = retryOf(driver, thrown);
        throw (0, shadow_1.undone)(asking === undefined ? (0, lane_1.error)(thrown) : (0, rounds_1.troubled)(driver, asking));
    }
}
function* isInside(driver, connection) {
    try {
        return connection === undefined ? false : yield () => driver.inside(connection);
    }
    catch {
        return undefined;
    }
}
/** What asks for the whole transaction once more, among an error and what caused it. */
function retryOf(driver, thrown) {
    return (0, driver_1.causes)(thrown).find((at) => (0, errors_1.isA)(at, errors_1.RetryError) || driver.trouble(at).trouble === "retry");
}
/** Why there is no call to judge, as a blocker says it. */
function failedOf(thrown) {
    const [name, why] = ["name", "message"].map((field) => (0, driver_1.fieldOf)((0, lane_1.error)(thrown), field));
    const failed = (0, errors_1.isA)(thrown, errors_1.HosError);
    const message = `the closure for arguments failed: ${name}: ${failed ? (0, errors_1.bare)(thrown) : why}`;
    return { code: failed ? thrown.code : "hos.call_malformed", message };
}
