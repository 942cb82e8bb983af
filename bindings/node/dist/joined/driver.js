"use strict";
// What is said to a connection of the host's, and what it says. Each kind of connection has a driver (`pg.ts`, `mysql2.ts`,
// `better-sqlite3.ts`); none imports its package, for the connection is given.
Object.defineProperty(exports, "__esModule", { value: true });
exports.BEGUN = exports.RELEASE = exports.SAVEPOINT = void 0;
exports.plainly = plainly;
exports.valueOf = valueOf;
exports.fieldOf = fieldOf;
exports.causes = causes;
/** What sets the savepoint of a call in shadow, and what takes it away. */
exports.SAVEPOINT = "SAVEPOINT hos_in_shadow";
exports.RELEASE = "RELEASE SAVEPOINT hos_in_shadow";
/** The savepoint behind the beginning of a transaction of ours, where one is its mark. */
exports.BEGUN = "hos_begun";
/** A statement without parameters. */
function plainly(sql, reads = false) {
    return { sql, params: [], reads };
}
/** Bytes of a parameter, and texts and numbers as they are. */
function valueOf(param) {
    return typeof param === "object" && param !== null ? Buffer.from(param.b, "base64") : param;
}
/** A field of an error, where it is a text or a number. */
function fieldOf(thrown, name) {
    const said = read(thrown, name);
    return typeof said === "string" || typeof said === "number" ? String(said) : "";
}
/** An error and what caused it: what runs a host's statements may put the database's own error into one of its own. */
function causes(thrown) {
    const all = [];
    for (let at = thrown; all.length < 8 && typeof at === "object" && at !== null; at = read(at, "cause"))
        all.push(at);
    return all;
}
function read(thrown, name) {
    try {
        return typeof thrown === "object" && thrown !== null ? thrown[name] : undefined;
    }
    catch {
        return undefined;
    }
}
