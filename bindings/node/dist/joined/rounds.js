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
const watch_1 = require("./watch");
/** The class of a step that is not at its end. */
const UNDER_WAY = "step";
/** One step on a connection, in the transaction that it is in. A question needs none, and often no statement either. */
function* step(ground, operation, json, watch) {
    const { native } = ground;
    if (operation === "can" || operation === "can_all") {
        const said = native.step(operation, undefined, json);
        const inside = watch === undefined || (0, told_1.split)(said)[0] !== UNDER_WAY ? undefined : yield* orLeft(native, said, insideOf(ground));
        return yield* rounds(ground, undefined, said, inside === false ? undefined : watch);
    }
    const guarded = yield* begun(ground, operation, json, watch);
    if (guarded !== undefined)
        return yield* rounds(ground, true, guarded, watch);
    const inside = yield* insideOf(ground);
    return yield* rounds(ground, inside, native.step(operation, inside, json), inside === false ? undefined : watch);
}
/**
 * A step that must not harm the host's transaction, whatever becomes of it: it waits for no lock for long, and what fails is undone.
 */
function* harmless(ground, operation, json) {
    const watch = new watch_1.Watch(ground.driver, ground.connection);
    try {
        const stepped = yield* step(ground, operation, json, watch);
        yield* watch.end();
        return stepped;
    }
    catch (thrown) {
        yield* watch.undo();
        throw thrown instanceof errors_1.HosError ? thrown : troubled(ground.driver, thrown);
    }
}
/** The first round, with the question in it whether there is a transaction; none where that is to be asked by itself. */
function* begun(ground, operation, json, watch) {
    const { driver, native, life } = ground;
    const guard = driver.texts?.guard;
    // A refusal is made evidence of by one step, which is not begun twice.
    if (guard === undefined || !life.takesTexts || operation === "refused")
        return undefined;
    const said = native.step(operation, true, json);
    const [status, words] = (0, told_1.split)(said);
    if (status !== UNDER_WAY)
        return said;
    const { step: number, text: first } = (0, read_1.parse)(words);
    let rows;
    try {
        if (first !== undefined)
            rows = yield* text(ground, first, watch, { guard: [guard.sql] });
    }
    catch (thrown) {
        leave(native, said);
        if (guard.isMet(thrown))
            return undefined;
        throw troubled(driver, thrown);
    }
    if (rows !== undefined)
        return native.step("go_on", undefined, `{"step":${number},"result":${written(rows)}}`);
    leave(native, said);
    return undefined;
}
function* insideOf({ driver, connection }) {
    try {
        return (yield () => driver.inside(connection));
    }
    catch (thrown) {
        throw troubled(driver, thrown);
    }
}
function* rounds(ground, inside, first, watch) {
    const { native } = ground;
    let said = first;
    for (;;) {
        const [status, words] = (0, told_1.split)(said);
        const told = (0, read_1.parse)(words);
        if (status !== UNDER_WAY) {
            // Also where nothing was judged: then they take claims back.
            yield* settled(ground, inside, told, watch);
            if (status !== "allowed" && status !== "refused")
                throw (0, errors_1.failure)(status, words);
            const { answer = {}, earlier = [], refusal, leave: claims = [] } = told;
            return { allowed: status === "allowed", answer, earlier, refusal, leave: claims };
        }
        const given = yield* orLeft(native, said, round(ground, inside, told, watch));
        said = native.step("go_on", undefined, `{"step":${told.step},${given}}`);
    }
}
/** What the database gives for a round, as JSON. */
function* round(ground, inside, told, watch) {
    let given;
    let { need } = told;
    if (told.text !== undefined) {
        const rows = yield* orTroubled(ground.driver, text(ground, told.text, watch));
        if (rows === undefined)
            ({ need } = (0, read_1.parse)((0, told_1.split)(ground.native.step("apart", undefined, `{"step":${told.step}}`))[1]));
        else
            given = `"result":${written(rows)}`;
    }
    given ??= `"rows":[${(yield* translated(ground, need ?? [], watch)).map(written).join()}]`;
    if (inside === true && ground.driver.hasEnded(ground.connection))
        throw ended(errors_1.CallError, "call", "hos.no_transaction");
    return given;
}
/** Has the engine forget a step that nobody goes on with; one that is at its end is forgotten already. */
function leave(native, said) {
    const [status, words] = (0, told_1.split)(said);
    if (status === UNDER_WAY)
        native.step("leave", undefined, `{"step":${(0, read_1.parse)(words).step}}`);
}
/** Does work of a step, which is left where that fails. */
function* orLeft(native, said, work) {
    try {
        return yield* work;
    }
    catch (thrown) {
        leave(native, said);
        throw thrown;
    }
}
/** Runs what the step writes. */
function* settled(ground, inside, told, watch) {
    const { settle = [], text: writes } = told;
    if (settle.length > 0)
        yield* wholeOrNot(ground, settle, watch);
    if (writes !== undefined && (yield* orTroubled(ground.driver, text(ground, writes, watch, { isLast: true }))) === undefined) {
        throw new errors_1.InternalError("internal", "hos.internal", "the connection took one text, and not the next");
    }
    if ((settle.length > 0 || writes !== undefined) && inside === true && ground.driver.hasEnded(ground.connection)) {
        throw ended(errors_1.OutcomeUnknownError, "unknown", "hos.outcome_unknown");
    }
}
/** Runs statements of which nothing is left where one fails, whatever the host does then. */
function* wholeOrNot(ground, statements, watch) {
    const { driver } = ground;
    // PostgreSQL's transaction ends by an error as a whole.
    if (statements.length === 1 || driver.dialect === "postgres") {
        yield* translated(ground, statements, watch);
        return;
    }
    if (watch !== undefined)
        yield* orTroubled(driver, watch.begin());
    const say = function* (sql) {
        yield* translated(ground, [(0, driver_1.plainly)(sql)]);
    };
    yield* say("SAVEPOINT hos_settle");
    try {
        yield* translated(ground, statements, watch);
    }
    catch (thrown) {
        try {
            yield* say("ROLLBACK TO SAVEPOINT hos_settle");
        }
        catch {
            // It is gone with the whole transaction, or with the connection.
        }
        throw thrown;
    }
    yield* say("RELEASE SAVEPOINT hos_settle");
}
/** Runs several statements as one, with what must be around them; gives nothing where the database takes no texts. */
function* text(ground, said, watch, { isLast = false, guard = [] } = {}) {
    const { driver: { texts }, connection, life } = ground;
    if (texts === undefined || !life.takesTexts)
        return undefined;
    const { head, tail, prefix } = watch?.around(isLast) ?? { head: [], tail: [], prefix: "" };
    const rows = yield () => texts.run(connection, prefix + texts.whole([...guard, ...head, said, ...tail]));
    if (rows === undefined)
        life.takesTexts = false;
    else
        watch?.ran(isLast);
    return rows;
}
/** What the database throws becomes an error of ours. */
function* orTroubled(driver, work) {
    try {
        return yield* work;
    }
    catch (thrown) {
        throw troubled(driver, thrown);
    }
}
/** Runs statements; what the database throws becomes an error of ours. */
function* translated({ driver, connection }, statements, watch) {
    const rowsOf = (statement, rows) => (statement.reads === true ? rows : []);
    try {
        if (watch !== undefined)
            yield* watch.begin();
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
