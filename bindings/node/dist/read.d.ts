/** Reads what the engine wrote. */
export declare function parse(json: string): unknown;
