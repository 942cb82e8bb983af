"use strict";
// Work that is written once and runs at once or awaited, as the connection is: it yields what is to be done next, and is handed
// what came of it.
Object.defineProperty(exports, "__esModule", { value: true });
exports.always = always;
exports.now = now;
exports.later = later;
/** A part that is done whatever became of the rest. */
function always(part) {
    return Object.assign(part, { isAlways: true });
}
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
/** Does it, and waits for each part; `first` is asked before each and may throw. */
async function later(work, first) {
    let turn = work.next();
    while (turn.done !== true) {
        let came;
        try {
            if (turn.value.isAlways !== true)
                first?.();
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
