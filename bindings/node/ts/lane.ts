// Where the law's judgements in shadow wait: one after another, in the order in which the world acted. One at a time, so that a
// store that is locked keeps one thread of libuv's pool and not all; and so many at most, so that it does not fill the memory.

import { ClosedError, RetryError, isA } from "./errors";

/** How many judgements may wait, and how many bytes of calls. */
const WAITING_MAX = 1_000;
const WAITING_BYTES_MAX = 16 << 20;
/** What came of a call that the store, or its signer, kept from being judged; in shadow it may come as an answer. */
const STORE_FAILED = /^hos\.(store_\w+|retry|signer_failed|engine_closed)$/;

interface Waiting<T> {
  readonly ask: () => Promise<T>;
  readonly tell: (told: T | Error) => void;
  readonly bytes: number;
}

/** The judgements of one engine. Nothing that happens here is thrown. */
export class Lane<T extends { readonly code: string | undefined }> {
  #waiting: Waiting<T>[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;
  #closing = false;

  /** Has something asked when its turn comes, and told what came of it. Neither is done before this has returned. */
  push(ask: () => Promise<T>, tell: (told: T | Error) => void, bytes: number): void {
    if (this.#waiting.length >= WAITING_MAX || this.#bytes + bytes > WAITING_BYTES_MAX) {
      const why = new RetryError("retry", "hos.retry", `${this.#waiting.length} calls wait for the law already: it was not asked`);
      queueMicrotask(() => tell(why));
      return;
    }
    this.#waiting.push({ ask, tell, bytes });
    this.#bytes += bytes;
    this.#running ??= this.#run();
  }

  /** Whether anything waits, or is being asked. */
  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  /** Kept when nothing waits any more. Once a store fails meanwhile, the rest is told so and not asked. */
  async idle(): Promise<void> {
    this.#closing = true;
    while (this.#running !== undefined) await this.#running;
    this.#closing = false;
  }

  async #run(): Promise<void> {
    let failed = false;
    // Whoever pushed goes on first.
    await undefined;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#bytes -= next.bytes;
      let told: T | Error;
      try {
        if (failed) throw new ClosedError("closed", "hos.engine_closed", "the store failed while the engine was closed: the law was not asked");
        told = await next.ask();
        failed = this.#closing && STORE_FAILED.test(told.code ?? "");
      } catch (thrown) {
        told = error(thrown);
        failed ||= this.#closing && STORE_FAILED.test(String((told as { code?: unknown }).code));
      }
      next.tell(told);
    }
    this.#running = undefined;
  }
}

/** What was thrown, as an error. */
export function error(thrown: unknown): Error {
  return isA(thrown, Error) ? thrown : new Error("something was thrown that is no error", { cause: thrown });
}
