"use strict";
// One spelling for each path: who names a store in other words, or from another directory, opens it by the same options.
Object.defineProperty(exports, "__esModule", { value: true });
exports.whole = whole;
const node_fs_1 = require("node:fs");
const node_path_1 = require("node:path");
const errors_1 = require("./errors");
/** A database's URL, also where a path was made of it, which leaves one slash of two. */
const URL = /:\/\/|^\s*(?:postgres|pgsql|mysql|mariadb|sqlite)[\w+]*:/i;
/**
 * From the root, with its directory as it really is: `..` is where the file system says. The last name stays as it was said, for
 * what belongs to a store lies beside that name. What is no path at all the engine refuses.
 */
function whole(option, path) {
    if (typeof path !== "string" || path === "" || path.includes("\0"))
        return path;
    // It is not quoted, nor made a path of that an error would quote: a password stands in it.
    if (option === "store" && URL.test(path)) {
        throw (0, errors_1.refusal)("hos.call_malformed", "`store` is a file's name or a connection: give the connection, not its URL");
    }
    const name = (0, node_path_1.basename)(path);
    try {
        // The native one: the other takes `..` out before it looks where a link leads.
        if (name === "" || name === "." || name === "..")
            return node_fs_1.realpathSync.native(path);
        return (0, node_path_1.join)(node_fs_1.realpathSync.native((0, node_path_1.dirname)(path)), name);
    }
    catch {
        // Not there, or not ours to look at: the engine says so when it comes to it.
        return (0, node_path_1.isAbsolute)(path) ? path : `${here(option)}${node_path_1.sep}${path}`;
    }
}
function here(option) {
    try {
        return process.cwd();
    }
    catch (cause) {
        throw (0, errors_1.refusal)("hos.call_malformed", `\`${option}\` is a relative path, and the present directory is gone or closed to us`, cause);
    }
}
