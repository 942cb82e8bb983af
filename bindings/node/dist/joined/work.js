"use strict";
// Work that is written once and runs at once or awaited, as the connection is: it yields what is to be done next, and is handed
// what came of it.
Object.defineProperty(exports, "__esModule", { value: true });
exports.now = now;
exports.later = later;
exports.inLane = inLane;
/** Does it here and now. */
function now(work) {
    let turn = work.next();
    while (turn.done !== true) {
        let came;
        try {
            came = turn.value();
        }
        catch (thrown) {
            turn = work.throw(thrown);
            continue;
        }
        turn = work.next(came);
    }
    return turn.value;
}
/** Does it, and waits for each part. */
async function later(work) {
    let turn = work.next();
    while (turn.done !== true) {
        let came;
        try {
            came = await turn.value();
        }
        catch (thrown) {
            turn = work.throw(thrown);
            continue;
        }
        turn = work.next(came);
    }
    return turn.value;
}
const lanes = new WeakMap();
/** One at a time on each connection: the rounds of two steps must not run in between each other. */
function inLane(connection, work) {
    const mine = (lanes.get(connection) ?? Promise.resolve()).then(work);
    const done = () => { };
    lanes.set(connection, mine.then(done, done));
    return mine;
}
