// Work that is written once and runs at once or awaited, as the connection is: it yields what is to be done next, and is handed
// what came of it.

/** Work that comes to a `T`. */
export type Work<T> = Generator<() => unknown, T, any>;

/** Does it here and now. */
export function now<T>(work: Work<T>): T {
  let turn = work.next();
  while (turn.done !== true) {
    let came: unknown;
    try {
      came = turn.value();
    } catch (thrown) {
      turn = work.throw(thrown);
      continue;
    }
    turn = work.next(came);
  }
  return turn.value;
}

/** Does it, and waits for each part. */
export async function later<T>(work: Work<T>): Promise<T> {
  let turn = work.next();
  while (turn.done !== true) {
    let came: unknown;
    try {
      came = await turn.value();
    } catch (thrown) {
      turn = work.throw(thrown);
      continue;
    }
    turn = work.next(came);
  }
  return turn.value;
}

const lanes = new WeakMap<object, Promise<unknown>>();

/** One at a time on each connection: the rounds of two steps must not run in between each other. */
export function inLane<T>(connection: object, work: () => Promise<T>): Promise<T> {
  const mine = (lanes.get(connection) ?? Promise.resolve()).then(work);
  const done = () => {};
  lanes.set(connection, mine.then(done, done));
  return mine;
}
