import { type Driver } from "./driver";
/** A `Database` of `better-sqlite3`. */
export interface SqliteDatabase {
    prepare(source: string): any;
    pragma(source: string, options?: any): any;
    readonly inTransaction: boolean;
    readonly memory: boolean;
}
export declare const betterSqlite3: Driver<SqliteDatabase>;
