"use strict";
// The addon: where it lies, and what it offers. Its own words are in `../src/handle.rs` and `../src/joined.rs`.
Object.defineProperty(exports, "__esModule", { value: true });
exports.DOUBT = exports.SAID = exports.JOINT = void 0;
exports.absent = absent;
exports.addon = addon;
const node_path_1 = require("node:path");
const errors_1 = require("./errors");
/** Stands where there is no engine: whatever is asked of it, it throws why. */
function absent(why) {
    const thrown = () => {
        throw why();
    };
    return {
        call: thrown, callSync: thrown, bind: thrown, can: thrown, told: thrown, said: thrown,
        shut: () => { }, close: async () => { }, closeSync: () => { },
    };
}
/** Stands between the words of a question. A word that holds it is noticed, for then they are too many. */
exports.JOINT = "\u0001";
/** `can` failed: `said` tells how. */
exports.SAID = -1;
/** `can` was not asked: its texts must come as JSON. */
exports.DOUBT = -2;
let loaded;
/** The addon, loaded when it is first needed; once in each thread. */
function addon() {
    if (loaded !== undefined)
        return loaded;
    const name = `hos.${process.platform}-${process.arch}${process.platform === "linux" ? "-gnu" : ""}.node`;
    const path = (0, node_path_1.resolve)(process.env["HOS_NODE_ADDON"] ?? (0, node_path_1.join)(__dirname, "..", name));
    try {
        loaded = require(path);
    }
    catch (cause) {
        const message = `the addon ${path} cannot be loaded: this package has none for this machine, or was not installed whole`;
        throw new errors_1.InternalError("internal", "hos.internal", message, { cause });
    }
    return loaded;
}
