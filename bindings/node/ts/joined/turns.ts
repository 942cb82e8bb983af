// Whose turn it is on a connection, and in which of its transactions. A call belongs to the transaction that it was made in: when
// that has ended, nothing more of the call is said to the database, where another may have begun meanwhile.

import { CallError } from "../errors";

/** The time of one transaction on a connection. Another is another object. */
export interface Era {
  /** How many calls are under way in it whose end somebody has to await. */
  calls: number;
}

interface Turns {
  era: Era;
  /** How many wait or run. */
  waiting: number;
  last: Promise<unknown>;
}

const known = new WeakMap<object, Turns>();

function turnsOf(connection: object): Turns {
  let turns = known.get(connection);
  if (turns === undefined) known.set(connection, (turns = { era: { calls: 0 }, waiting: 0, last: Promise.resolve() }));
  return turns;
}

/** What a call is made in that is made now. */
export function eraOf(connection: object): Era {
  return turnsOf(connection).era;
}

/** What was made until now is over: said before a transaction is ended or begun, and where one is seen to have ended. */
export function endEra(connection: object): void {
  turnsOf(connection).era = { calls: 0 };
}

/** Throws where the transaction has ended that a call was made in. */
export function stands(connection: object, era: Era): void {
  if (era !== eraOf(connection)) throw over();
}

/** The transaction of a call has ended. */
export function over(): CallError {
  const why = "the transaction that the call was made in has ended: await each call before it is committed or rolled back";
  return new CallError("call", "hos.no_transaction", why);
}

/** One at a time on each connection: the rounds of two steps must not run in between each other. */
export function inLane<T>(connection: object, work: () => Promise<T>): Promise<T> {
  const turns = turnsOf(connection);
  turns.waiting += 1;
  const mine = turns.last.then(work);
  const done = () => void (turns.waiting -= 1);
  turns.last = mine.then(done, done);
  return mine;
}

/** Waits for the steps that wait or run; `undefined` where there are none. */
export function quiet(connection: object): Promise<unknown> | undefined {
  const { waiting, last } = turnsOf(connection);
  return waiting === 0 ? undefined : last;
}
