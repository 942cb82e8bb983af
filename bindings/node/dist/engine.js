"use strict";
// An open store under its law.
Object.defineProperty(exports, "__esModule", { value: true });
exports.Engine = void 0;
const errors_1 = require("./errors");
const known_1 = require("./known");
const lane_1 = require("./lane");
const engine_1 = require("./joined/engine");
const native_1 = require("./native");
const path_1 = require("./path");
const read_1 = require("./read");
const tenant_1 = require("./tenant");
const told_1 = require("./told");
const write_1 = require("./write");
const NAMES = {
    keyFile: "key_file",
    signerSocket: "signer_socket",
    signerCommand: "signer_command",
    busyTimeoutMs: "busy_timeout_ms",
    directoryAgeMaxMs: "directory_age_max_ms",
};
const WIRE_NAMES = new Set(Object.values(NAMES));
/** Which options are paths. A relative one is meant from the directory in which the engine is opened, whatever comes after. */
const PATHS = new Set(["store", "law", "keyFile", "signerSocket", "mark"]);
const PRIVATE = Symbol("private");
/**
 * An open store. Used for the life of the process; every worker thread opens its own by the same options, and the last one that
 * is closed lets go of the file.
 */
class Engine {
    #handle;
    #pending = new Set();
    #known = new known_1.Known();
    #bound;
    #lane = new lane_1.Lane();
    /** Why there is no engine, where `openForShadow` could open none. */
    absent;
    constructor(handle, key, why) {
        // Types do not hold in JavaScript.
        if (key !== PRIVATE)
            throw (0, errors_1.refusal)("hos.call_malformed", "an engine is opened by Engine.open");
        this.#handle = handle;
        this.absent = why;
    }
    static async open(law, options) {
        const inHosts = joined(law, options);
        if (inHosts !== undefined)
            return inHosts;
        const json = optionsJson(law, options);
        return new Engine(await (0, native_1.addon)().Handle.open(json).catch(told_1.rethrown), PRIVATE);
    }
    static openSync(law, options) {
        const inHosts = joined(law, options);
        if (inHosts !== undefined)
            return inHosts;
        const json = optionsJson(law, options);
        return new Engine((0, told_1.told)(() => (0, native_1.addon)().Handle.openSync(json)), PRIVATE);
    }
    static async openForShadow(law, options) {
        const inHosts = joinedForShadow(law, options);
        if (inHosts !== undefined)
            return inHosts;
        return Engine.open(law, options).catch((thrown) => Engine.#absent(thrown));
    }
    static openForShadowSync(law, options) {
        const inHosts = joinedForShadow(law, options);
        if (inHosts !== undefined)
            return inHosts;
        try {
            return Engine.openSync(law, options);
        }
        catch (thrown) {
            return Engine.#absent(thrown);
        }
    }
    static #absent(thrown) {
        const why = (0, lane_1.error)(thrown);
        return new Engine((0, native_1.absent)(() => why), PRIVATE, why);
    }
    /** A tenant. Whether the store has it is seen by each call. */
    tenant(name) {
        return new tenant_1.Tenant(this, name);
    }
    /**
     * Makes a call in the wire's own words: an operation's name, and an object, JSON, or bytes of JSON. Gives the wire's object;
     * throws where that is an error.
     */
    async call(operation, call) {
        if (typeof operation !== "string")
            throw (0, errors_1.refusal)("hos.call_malformed", "an operation's name is a text");
        if (typeof call !== "string" && !(call instanceof Uint8Array)) {
            const draft = new write_1.Draft().options(call);
            const [, json] = await this._ask(operation, { json: draft.json(), fault: draft.fault });
            return (0, read_1.parse)(json);
        }
        const bytes = typeof call === "string" ? Buffer.from(sound(call)) : call;
        const [, json] = (0, told_1.answered)(await this._later(this.#handle.call(operation, bytes)), undefined);
        return (0, read_1.parse)(json);
    }
    /**
     * Closes: at once for whoever asks from now on; calls that are under way end as they would have. The promise is kept when they
     * have, and this script's hold on the file is gone. What the law has not judged yet of `shadow` calls it still judges, unless the
     * store fails. An engine that is closed can be closed again.
     */
    async close() {
        const handle = this.#handle;
        this.#forget();
        if (this.absent === undefined) {
            this.#handle = (0, native_1.absent)(() => new errors_1.ClosedError("closed", "hos.engine_closed", "the engine was closed; open it again"));
        }
        if (this.#lane.isBusy)
            await this.#lane.idle();
        handle.shut();
        await Promise.allSettled([...this.#pending]);
        await handle.close().catch(told_1.rethrown);
    }
    /** As `close`, without waiting for calls that are under way, or for the law's judgements; it may wait for the disk. */
    closeSync() {
        this.#forget();
        (0, told_1.told)(() => this.#handle.closeSync());
    }
    #forget() {
        this.#bound = undefined;
        this.#known = new known_1.Known();
    }
    /** @internal A promise that `close` waits for. */
    _later(promise) {
        this.#pending.add(promise);
        const done = () => void this.#pending.delete(promise);
        promise.then(done, done);
        return promise;
    }
    /** @internal Makes a call off the main thread, and gives the JSON of its answer. */
    async _ask(operation, ready) {
        return (0, told_1.answered)(await this._later(this.#handle.call(operation, Buffer.from(ready.json))), ready.fault);
    }
    /** @internal Has the law judge in its turn what the world has done, and tells what came of it. */
    _watch(operation, ready, read, tell) {
        const [handle, call] = [this.#handle, Buffer.from(ready.json)];
        const ask = async () => read(...(0, told_1.answered)(await this._later(handle.call(operation, call)), ready.fault));
        this.#lane.push(ask, tell, call.length);
    }
    /** @internal Makes a call here and now. */
    _askSync(operation, ready) {
        return (0, told_1.answered)(this.#handle.callSync(operation, Buffer.from(ready.json)), ready.fault);
    }
    /** @internal `can` with its words apart; `undefined` where they must come as JSON. */
    _can(asker, words, count) {
        const handle = this.#handle;
        if (this.#bound !== asker) {
            this.#bound = undefined;
            asker.swift = handle.bind(asker.tenant, asker.type, asker.id, asker.beside);
            if (!asker.swift)
                return undefined;
            this.#bound = asker;
        }
        const number = handle.can(words, count);
        if (number >= 0)
            return this.#known.get(number) ?? this.#fetched(number);
        if (number === native_1.DOUBT)
            return undefined;
        if (number === native_1.SAID)
            throw (0, errors_1.failure)(...(0, told_1.split)(handle.said()));
        throw new errors_1.InternalError("internal", "hos.internal", "the addon gave a number that nobody knows");
    }
    #fetched(number) {
        const [allowed, json] = (0, told_1.answered)(this.#handle.told(number), undefined);
        return this.#known.keep(number, allowed, json);
    }
}
exports.Engine = Engine;
for (const [symbol, value] of [
    [Symbol.dispose, function () { this.closeSync(); }],
    [Symbol.asyncDispose, function () { return this.close(); }],
]) {
    if (typeof symbol === "symbol")
        Object.defineProperty(Engine.prototype, symbol, { value, configurable: true, writable: true });
}
function optionsJson(law, options) {
    const draft = new write_1.Draft();
    const only = options === undefined && typeof law === "object";
    const given = only ? law : options;
    if (!only)
        draft.put("law", (0, path_1.whole)("law", law));
    if (typeof given !== "object" || given === null) {
        throw (0, errors_1.refusal)("hos.call_malformed", 'an engine is opened by Engine.open("law", { store: "hos.db" }) or Engine.open({ store: "hos.db" })');
    }
    for (const [name, value] of Object.entries(given)) {
        if (WIRE_NAMES.has(name)) {
            throw (0, errors_1.refusal)("hos.call_malformed", `the options have no field \`${name}\`; did you mean \`${camel(name)}\`?`);
        }
        draft.put(NAMES[name] ?? name, PATHS.has(name) ? (0, path_1.whole)(name, value) : value);
    }
    return draft.json();
}
function camel(name) {
    return name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}
function sound(text) {
    if (/\p{Surrogate}/u.test(text))
        throw (0, errors_1.refusal)("hos.call_malformed", "the call holds half a surrogate pair, which is no text");
    return text;
}
/** An engine in the host's transactions, where the store is a connection. */
function joined(law, options) {
    if ((0, engine_1.isStore)(options))
        return (0, engine_1.openJoined)(law, options);
    return options === undefined && (0, engine_1.isStore)(law) ? (0, engine_1.openJoined)(undefined, law) : undefined;
}
function joinedForShadow(law, options) {
    try {
        return joined(law, options);
    }
    catch (thrown) {
        return (0, engine_1.absentJoined)(((0, engine_1.isStore)(options) ? options : law), thrown);
    }
}
