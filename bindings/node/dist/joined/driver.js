"use strict";
// What is said to a connection of the host's, and what it says. Each kind of connection has a driver (`pg.ts`, `mysql2.ts`,
// `better-sqlite3.ts`); none imports its package, for the connection is given.
Object.defineProperty(exports, "__esModule", { value: true });
exports.RELEASE = exports.SAVEPOINT = void 0;
exports.plainly = plainly;
exports.valueOf = valueOf;
exports.fieldOf = fieldOf;
/** What sets the savepoint of a call in shadow, and what takes it away. */
exports.SAVEPOINT = "SAVEPOINT hos_in_shadow";
exports.RELEASE = "RELEASE SAVEPOINT hos_in_shadow";
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
    const said = typeof thrown === "object" && thrown !== null ? thrown[name] : undefined;
    return typeof said === "string" || typeof said === "number" ? String(said) : "";
}
