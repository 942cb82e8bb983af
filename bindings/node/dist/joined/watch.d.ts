import { type Driver } from "./driver";
import type { Work } from "./work";
export declare class Watch {
    #private;
    constructor(driver: Driver, connection: object);
    /** Whether something was said to the database; outside of a transaction nothing is said here. */
    get wasTried(): boolean;
    /** Before statements that are run by themselves. */
    begin(): Work<void>;
    /** What goes with a text, in it and before it. */
    around(isLast: boolean): {
        head: readonly string[];
        tail: readonly string[];
        prefix: string;
    };
    /** Such a text was run. */
    ran(isLast: boolean): void;
    /** All went well. */
    end(): Work<void>;
    /** Something failed: nothing of it is left. What a step that comes to an error writes takes its claims back by itself. */
    undo(): Work<void>;
}
