/**
 * From the root, with its directory as it really is: `..` is where the file system says. The last name stays as it was said, for
 * what belongs to a store lies beside that name. What is no path at all the engine refuses.
 */
export declare function whole(option: string, path: unknown): unknown;
