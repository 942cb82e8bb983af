// Work that is written once and runs at once or awaited, as the connection is: it yields what is to be done next, and is handed
// what came of it.

/** What is to be done next. */
export interface Part {
  (): unknown;
  /** Whether it is done whatever became of the rest: it puts back what is not the transaction's. */
  isAlways?: boolean;
}

/** Work that comes to a `T`. */
export type Work<T> = Generator<Part, T, any>;

/** A part that is done whatever became of the rest. */
export function always(part: () => unknown): Part {
  return Object.assign(part, { isAlways: true });
}

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

/** Does it, and waits for each part; `first` is asked before each and may throw. */
export async function later<T>(work: Work<T>, first?: () => void): Promise<T> {
  let turn = work.next();
  while (turn.done !== true) {
    let came: unknown;
    try {
      if (turn.value.isAlways !== true) first?.();
      came = await turn.value();
    } catch (thrown) {
      turn = work.throw(thrown);
      continue;
    }
    turn = work.next(came);
  }
  return turn.value;
}
