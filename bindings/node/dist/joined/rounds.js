"use strict";
// A step: the engine says which statements to run, the host's connection runs them, until the answer is there
// (`spec/joined-transaction.md`).
Object.defineProperty(exports, "__esModule", { value: true });
exports.step = step;
exports.harmless = harmless;
exports.translated = translated;
exports.troubled = troubled;
const errors_1 = require("../errors");
const read_1 = require("../read");
const told_1 = require("../told");
const driver_1 = require("./driver");
/** The class of a step that is not at its end. */
const UNDER_WAY = "step";
const SAVEPOINT = "hos_in_shadow";
/** One step on a connection, in the transaction that it is in. A question needs none, and often no statement either. */
function* step(ground, operation, json) {
    const inside = operation === "can" ? undefined : yield* insideOf(ground);
    return yield* rounds(ground, inside, ground.native.step(operation, inside, json));
}
/**
 * A step that must not harm the host's transaction, whatever becomes of it: it waits for no lock for long, and what fails is undone.
 */
function* harmless(ground, operation, json) {
    const { driver, connection, native } = ground;
    let inside = operation === "can" ? undefined : yield* insideOf(ground);
    const said = native.step(operation, inside, json);
    if (operation === "can") {
        if ((0, told_1.split)(said)[0] !== UNDER_WAY)
            return yield* rounds(ground, inside, said);
        inside = yield* insideOf(ground);
    }
    if (inside === false)
        return yield* rounds(ground, inside, said);
    const say = (sql) => () => driver.run(connection, (0, driver_1.plainly)(sql));
    try {
        yield* translated(ground, [(0, driver_1.plainly)(`SAVEPOINT ${SAVEPOINT}`)]);
    }
    catch (thrown) {
        leave(native, said);
        throw thrown;
    }
    let back;
    try {
        back = yield* driver.bound(connection);
        return yield* rounds(ground, inside, said);
    }
    catch (thrown) {
        leave(native, said);
        try {
            yield say(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
        }
        catch {
            // Then there is no transaction any more, and nothing to undo.
        }
        throw thrown instanceof errors_1.HosError ? thrown : troubled(driver, thrown);
    }
    finally {
        try {
            if (back !== undefined)
                yield* back();
            yield say(`RELEASE SAVEPOINT ${SAVEPOINT}`);
        }
        catch {
            // As above.
        }
    }
}
function* insideOf({ driver, connection }) {
    try {
        return (yield () => driver.inside(connection));
    }
    catch (thrown) {
        throw troubled(driver, thrown);
    }
}
function* rounds(ground, inside, first) {
    const { native } = ground;
    let said = first;
    for (;;) {
        const [status, text] = (0, told_1.split)(said);
        const told = (0, read_1.parse)(text);
        if (status !== UNDER_WAY) {
            // Also where nothing was judged: then they take claims back.
            yield* settled(ground, inside, told.settle ?? []);
            if (status !== "allowed" && status !== "refused")
                throw (0, errors_1.failure)(status, text);
            return { allowed: status === "allowed", answer: told.answer ?? {}, refusal: told.refusal, leave: told.leave ?? [] };
        }
        let rows;
        try {
            rows = yield* translated(ground, told.need ?? []);
            if (inside === true && ground.driver.hasEnded(ground.connection))
                throw ended(errors_1.CallError, "call", "hos.no_transaction");
        }
        catch (thrown) {
            leave(native, said);
            throw thrown;
        }
        said = native.step("go_on", undefined, `{"step":${told.step},"rows":[${rows.map(written).join()}]}`);
    }
}
/** Has the engine forget a step that nobody goes on with; one that is at its end is forgotten already. */
function leave(native, said) {
    const [status, text] = (0, told_1.split)(said);
    if (status === UNDER_WAY)
        native.step("leave", undefined, `{"step":${(0, read_1.parse)(text).step}}`);
}
function* settled(ground, inside, statements) {
    yield* translated(ground, statements);
    if (statements.length > 0 && inside === true && ground.driver.hasEnded(ground.connection)) {
        throw ended(errors_1.OutcomeUnknownError, "unknown", "hos.outcome_unknown");
    }
}
/** Runs statements; what the database throws becomes an error of ours. */
function* translated({ driver, connection }, statements) {
    const rowsOf = (statement, rows) => (statement.reads === true ? rows : []);
    try {
        const inOneGo = driver.runAll?.(connection, statements);
        if (inOneGo !== undefined) {
            const all = (yield () => inOneGo);
            return statements.map((statement, at) => rowsOf(statement, all[at] ?? []));
        }
        const all = [];
        for (const statement of statements)
            all.push(rowsOf(statement, (yield () => driver.run(connection, statement))));
        return all;
    }
    catch (thrown) {
        throw troubled(driver, thrown);
    }
}
const FAILED = {
    retry: "hos.retry",
    missing: "hos.store_version",
    read_only: "hos.store_read_only",
    other: "hos.store_unavailable",
};
const WHY = {
    retry: "the database asks for the whole transaction once more, from its beginning",
    missing: "a table or a column of H-OS is missing: `hos schema` prints them",
    read_only: "the database takes no writes here: ask the primary",
    other: "the database refused a statement of H-OS",
};
/** What the database threw, as an error of ours. */
function troubled(driver, thrown) {
    const { trouble, name } = driver.trouble(thrown);
    const message = `${WHY[trouble]}${name === "" ? "" : ` (${name})`}`;
    if (trouble === "retry")
        return new errors_1.RetryError("retry", FAILED[trouble], message, { cause: thrown });
    return new errors_1.StoreError("store", FAILED[trouble], message, { cause: thrown });
}
function ended(kind, status, code) {
    return new kind(status, code, "the transaction was ended while the call was under way: await each call before you commit");
}
/** Rows as JSON. */
function written(rows) {
    return `[${rows.map((row) => `[${row.map(cell).join()}]`).join()}]`;
}
function cell(column) {
    if (column === null)
        return "null";
    if (typeof column === "string")
        return `"${Buffer.from(column).toString("base64")}"`;
    if (column instanceof Uint8Array)
        return `"${Buffer.from(column.buffer, column.byteOffset, column.byteLength).toString("base64")}"`;
    if (typeof column === "bigint" || Number.isSafeInteger(column))
        return String(column);
    throw new errors_1.InternalError("internal", "hos.internal", "the connection gave a column in a form that is not known");
}
