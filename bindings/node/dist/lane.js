"use strict";
// Where the law's judgements in shadow wait: one after another, in the order in which the world acted. One at a time, so that a
// store that is locked keeps one thread of libuv's pool and not all; and so many at most, so that it does not fill the memory.
Object.defineProperty(exports, "__esModule", { value: true });
exports.Lane = void 0;
exports.error = error;
const errors_1 = require("./errors");
/** How many judgements may wait, and how many bytes of calls. */
const WAITING_MAX = 1_000;
const WAITING_BYTES_MAX = 16 << 20;
/** What came of a call that the store, or its signer, kept from being judged; in shadow it may come as an answer. */
const STORE_FAILED = /^hos\.(store_\w+|retry|signer_failed|engine_closed)$/;
/** The judgements of one engine. Nothing that happens here is thrown. */
class Lane {
    #waiting = [];
    #bytes = 0;
    #running;
    #closing = false;
    /** Has something asked when its turn comes, and told what came of it. Neither is done before this has returned. */
    push(ask, tell, bytes) {
        if (this.#waiting.length >= WAITING_MAX || this.#bytes + bytes > WAITING_BYTES_MAX) {
            const why = new errors_1.RetryError("retry", "hos.retry", `${this.#waiting.length} calls wait for the law already: it was not asked`);
            queueMicrotask(() => tell(why));
            return;
        }
        this.#waiting.push({ ask, tell, bytes });
        this.#bytes += bytes;
        this.#running ??= this.#run();
    }
    /** Whether anything waits, or is being asked. */
    get isBusy() {
        return this.#running !== undefined;
    }
    /** Kept when nothing waits any more. Once a store fails meanwhile, the rest is told so and not asked. */
    async idle() {
        this.#closing = true;
        while (this.#running !== undefined)
            await this.#running;
        this.#closing = false;
    }
    async #run() {
        let failed = false;
        // Whoever pushed goes on first.
        await undefined;
        for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
            this.#bytes -= next.bytes;
            let told;
            try {
                if (failed)
                    throw new errors_1.ClosedError("closed", "hos.engine_closed", "the store failed while the engine was closed: the law was not asked");
                told = await next.ask();
                failed = this.#closing && STORE_FAILED.test(told.code ?? "");
            }
            catch (thrown) {
                told = error(thrown);
                failed ||= this.#closing && STORE_FAILED.test(String(told.code));
            }
            next.tell(told);
        }
        this.#running = undefined;
    }
}
exports.Lane = Lane;
/** What was thrown, as an error. */
function error(thrown) {
    return (0, errors_1.isA)(thrown, Error) ? thrown : new Error("something was thrown that is no error", { cause: thrown });
}
