// A savepoint around a call in shadow, and little patience within it: whatever befalls the call, the host's transaction goes on as if
// it had not been. Where statements go out as one text, both go with them and cost no exchange of their own.

import { type Driver, RELEASE, SAVEPOINT, plainly } from "./driver";
import type { Work } from "./work";

const ROLLBACK = "ROLLBACK TO SAVEPOINT hos_in_shadow";
/** Of a connection that takes no texts. */
const APART = { head: [SAVEPOINT], tail: [RELEASE], prefix: "" };

export class Watch {
  #driver: Driver;
  #connection: object;
  /** Whether something was said to the database, whether the savepoint is set, and whether it went again with a last text. */
  #tried = false;
  #isSet = false;
  #isEnded = false;
  #back: (() => Work<void>) | undefined;

  constructor(driver: Driver, connection: object) {
    this.#driver = driver;
    this.#connection = connection;
  }

  get #around(): typeof APART | NonNullable<Driver["texts"]> {
    return this.#driver.texts ?? APART;
  }

  /** Whether something was said to the database; outside of a transaction nothing is said here. */
  get wasTried(): boolean {
    return this.#tried;
  }

  /** Before statements that are run by themselves. */
  *begin(): Work<void> {
    this.#tried = true;
    if (!this.#isSet) yield* this.#say(this.#around.head);
    this.#isSet = true;
    this.#back ??= yield* this.#driver.bound?.(this.#connection) ?? free();
  }

  /** What goes with a text, in it and before it. */
  around(isLast: boolean): { head: readonly string[]; tail: readonly string[]; prefix: string } {
    this.#tried = true;
    const { head, tail, prefix } = this.#around;
    return { head: this.#isSet ? [] : head, tail: isLast ? tail : [], prefix: this.#back === undefined ? prefix : "" };
  }

  /** Such a text was run. */
  ran(isLast: boolean): void {
    this.#isSet = true;
    this.#isEnded = isLast;
  }

  /** All went well. */
  *end(): Work<void> {
    if (this.#back !== undefined) yield* this.#back();
    if (this.#isSet && !this.#isEnded) yield* this.#say(this.#around.tail);
  }

  /** Something failed: nothing of it is left. What a step that comes to an error writes takes its claims back by itself. */
  *undo(): Work<void> {
    if (!this.#tried) return;
    // Whether a text that failed came as far as its savepoint, the database knows; no other one has its name, for all are released.
    // That there is none would end PostgreSQL's transaction.
    const undone = this.#isEnded ? [] : [ROLLBACK, RELEASE];
    for (const sql of undone) yield* attempted(this.#run(sql));
    if (this.#back !== undefined) yield* attempted(this.#back());
  }

  *#say(statements: readonly string[]): Work<void> {
    const { texts } = this.#driver;
    if (texts === undefined) for (const sql of statements) yield* this.#run(sql);
    else yield () => texts.run(this.#connection, texts.whole(statements));
  }

  *#run(sql: string): Work<void> {
    yield () => this.#driver.run(this.#connection, plainly(sql));
  }
}

/** Does what cannot be done where the connection is lost, or the whole transaction is. */
function* attempted(work: Work<void>): Work<void> {
  try {
    yield* work;
  } catch {
    // Then there is nothing to undo.
  }
}

/** Nothing is bound, and nothing is brought back. */
function* free(): Work<() => Work<void>> {
  return function* () {};
}
