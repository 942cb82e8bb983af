"use strict";
// MySQL and MariaDB by the package `mysql2`: connections and pools, with callbacks or promises.
Object.defineProperty(exports, "__esModule", { value: true });
exports.mysql2 = void 0;
const driver_1 = require("./driver");
const work_1 = require("./work");
const TROUBLE = {
    1020: "retry", 1205: "retry", 1213: "retry", 3572: "retry",
    1146: "missing", 1054: "missing",
    1290: "read_only", 1792: "read_only", 1836: "read_only",
};
/** MySQL's numbers of a syntax error, of one that a statement asks for, and of a savepoint that is not there. */
const SYNTAX = "1064";
const SIGNALLED = "1644";
const NO_SAVEPOINT = "1305";
/** That of how the next transaction is to be, said where there is one already. */
const HAS_BEGUN = "1568";
/** The savepoint by which a step knows its transaction. Without autocommit there is another one at once where it was ended. */
const STEP = "hos_step";
const OUTSIDE = "hos.no_transaction";
const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;
/** How long a call in shadow waits for a lock, in seconds; there are no shorter ones. */
const PATIENCE = "1";
/** What the server said of its transaction last, with each end of a statement that has no rows. */
const statuses = new WeakMap();
function isOutside(core) {
    const status = statuses.get(core);
    return status !== undefined && (status & IN_TRANSACTION) === 0 && (status & AUTOCOMMIT) !== 0;
}
exports.mysql2 = {
    dialect: "mysql",
    places: "question",
    isNow: false,
    connection(store) {
        const core = store.connection ?? store;
        return "beginTransaction" in core && "execute" in core ? core : undefined;
    },
    isPool: (store) => "getConnection" in store,
    async take(pool) {
        const { getConnection } = pool;
        // A pool with promises gives a connection of its own kind, and calls nobody back.
        const connection = await ("pool" in pool
            ? getConnection.call(pool)
            : promised((done) => getConnection.call(pool, done)));
        const core = this.connection(connection);
        return { connection, giveBack: (isBroken) => (isBroken ? core.destroy() : core.release?.()) };
    },
    async inside(core) {
        // The server says it with the end of any statement.
        await this.run(core, (0, driver_1.plainly)("DO 0"));
        return !isOutside(core);
    },
    async begun(core) {
        await this.run(core, (0, driver_1.plainly)("DO 0"));
        return ((statuses.get(core) ?? 0) & IN_TRANSACTION) !== 0;
    },
    async reads(core) {
        if ((await this.begun(core)) || ((statuses.get(core) ?? AUTOCOMMIT) & AUTOCOMMIT) !== 0)
            return false;
        try {
            // What the host has not awaited may write in it meanwhile: it is refused, for it would be rolled back.
            await this.run(core, (0, driver_1.plainly)("SET TRANSACTION READ ONLY"));
            return true;
        }
        catch (thrown) {
            if ((0, driver_1.fieldOf)(thrown, "errno") === HAS_BEGUN)
                return false;
            throw thrown;
        }
    },
    hasEnded: isOutside,
    async stands(core, thrown) {
        try {
            await this.run(core, (0, driver_1.plainly)("DO 0"));
        }
        catch {
            return false;
        }
        const status = statuses.get(core) ?? 0;
        if ((status & IN_TRANSACTION) !== 0)
            return true;
        // Without autocommit the host's next statement begins another one, and it seems to be in one all the time: the error tells then.
        return (status & AUTOCOMMIT) === 0 && !(0, driver_1.causes)(thrown).some((at) => this.trouble(at).trouble === "retry");
    },
    async run(core, statement) {
        return rowsOf(core, await said(core, literally(statement)));
    },
    texts: {
        whole: (statements) => (statements.length === 1 ? statements[0] : `BEGIN NOT ATOMIC\n${statements.join(";\n")};\nEND`),
        async run(core, text) {
            let came;
            try {
                came = await said(core, text);
            }
            catch (thrown) {
                // MySQL has no compound statements.
                if ((0, driver_1.fieldOf)(thrown, "errno") === SYNTAX)
                    return undefined;
                throw thrown;
            }
            // A compound statement ends with a result that has no columns; only where others come before it they come as a list.
            const results = Array.isArray(came) && came.some((one) => !Array.isArray(one)) ? came : [came];
            return results.map((one) => [one, rowsOf(core, one)]).filter(([one]) => Array.isArray(one)).at(-1)?.[1] ?? [];
        },
        guard: {
            first: [
                `IF @@in_transaction = 0 AND @@autocommit = 1 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '${OUTSIDE}'; END IF`,
                `SAVEPOINT ${STEP}`,
            ],
            marks: [`SAVEPOINT ${STEP}`],
            still: [`RELEASE SAVEPOINT ${STEP}`],
            isMet: (thrown) => isSaid(thrown, SIGNALLED, OUTSIDE) || isSaid(thrown, NO_SAVEPOINT, STEP),
        },
        isBlind: true,
        head: [driver_1.SAVEPOINT],
        tail: [driver_1.RELEASE],
        // MariaDB takes settings for one statement, which one of several is too.
        prefix: `SET STATEMENT lock_wait_timeout = ${PATIENCE}, innodb_lock_wait_timeout = ${PATIENCE} FOR `,
    },
    *bound(core) {
        const names = ["lock_wait_timeout", "innodb_lock_wait_timeout"];
        const [row] = yield () => this.run(core, (0, driver_1.plainly)(`SELECT ${names.map((name) => `@@SESSION.${name}`).join(", ")}`, true));
        const set = (values) => (0, driver_1.plainly)(`SET ${names.map((name, at) => `SESSION ${name} = ${Number(values[at])}`).join(", ")}`);
        yield () => this.run(core, set([PATIENCE, PATIENCE]));
        return function* () {
            yield (0, work_1.always)(() => exports.mysql2.run(core, set(row.map(String))));
        };
    },
    *begin(core, isolation) {
        const before = isolation === undefined ? [] : [`SET TRANSACTION ISOLATION LEVEL ${isolation.toUpperCase()}`];
        // Not as one text: what routes statements to several servers would not see in it that a transaction begins.
        for (const sql of [...before, "START TRANSACTION", `SAVEPOINT ${driver_1.BEGUN}`])
            yield () => this.run(core, (0, driver_1.plainly)(sql));
    },
    async isOurs(core) {
        try {
            await this.run(core, (0, driver_1.plainly)(`RELEASE SAVEPOINT ${driver_1.BEGUN}`));
            return true;
        }
        catch (thrown) {
            if (isSaid(thrown, NO_SAVEPOINT, driver_1.BEGUN))
                return false;
            throw thrown;
        }
    },
    *commit(core) {
        yield () => this.run(core, (0, driver_1.plainly)("COMMIT"));
        return true;
    },
    trouble(thrown) {
        const [number, code] = [(0, driver_1.fieldOf)(thrown, "errno"), (0, driver_1.fieldOf)(thrown, "code")];
        return { trouble: TROUBLE[number] ?? "other", name: [code, number].filter((said) => said !== "").join(" ") };
    },
    // What the client itself finds has a code of its own, and no state.
    isSaid: (thrown) => (0, driver_1.fieldOf)(thrown, "errno") !== "" && (0, driver_1.fieldOf)(thrown, "sqlState") !== "",
};
/** Whether it is the error of this number that tells of this. */
function isSaid(thrown, number, what) {
    return (0, driver_1.fieldOf)(thrown, "errno") === number && (0, driver_1.fieldOf)(thrown, "message").includes(what);
}
// A function, for over `false` the connection's own would prevail.
const bytesOf = (field) => field.buffer();
// Columns come as the bytes that the server sent, whatever the host has its connection make of them.
function said(core, sql) {
    return promised((done) => core.query({ sql, values: [], rowsAsArray: true, typeCast: bytesOf, nestTables: false }, done));
}
function rowsOf(core, came) {
    if (Array.isArray(came))
        return came;
    if (typeof came.serverStatus === "number")
        statuses.set(core, came.serverStatus);
    return [];
}
function promised(asked) {
    return new Promise((done, failed) => asked((error, came) => (error ? failed(error) : done(came))));
}
/**
 * The statement with its parameters in it, each in a form that every SQL mode and every character set of a connection reads alike:
 * digits, letters without meaning, or hexadecimal.
 */
function literally({ sql, params }) {
    let at = 0;
    return sql.replace(/\?/g, () => literal(params[at++] ?? null));
}
function literal(param) {
    const value = (0, driver_1.valueOf)(param);
    if (value === null)
        return "NULL";
    if (typeof value === "object")
        return `X'${Buffer.from(value).toString("hex")}'`;
    if (typeof value !== "string")
        return String(value);
    return /^[\w .-]*$/.test(value) ? `'${value}'` : `_utf8mb4 X'${Buffer.from(value).toString("hex")}'`;
}
