import { type Driver } from "./driver";
/** A connection of `mysql2` or of `mysql2/promise`, out of a pool or not. */
export interface MysqlConnection {
    execute(...words: any[]): any;
    query(...words: any[]): any;
    beginTransaction(...words: any[]): any;
}
/** A pool of `mysql2` or of `mysql2/promise`. */
export interface MysqlPool {
    execute(...words: any[]): any;
    getConnection(...words: any[]): any;
}
/** The connection with callbacks, which is behind each. */
interface Core extends MysqlConnection {
    release?(): void;
    destroy(): void;
}
export declare const mysql2: Driver<Core>;
export {};
