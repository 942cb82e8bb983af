/// <reference lib="esnext.disposable" preserve="true" />
export { Actor, type As, type Besides, type Given, type LogRow, type Question, type Writing } from "./actor";
export { Answer, type Available, type Blocker, type Candidate, type Entry, type Mode, type PolicyError, type Receipt, type Recorded, type Seal, } from "./answer";
export { Directory, type Ends } from "./directory";
export { Engine, type Options } from "./engine";
export { AbsentError, CallError, ClosedError, Denied, type Fault, HosError, InternalError, LawError, OutcomeUnknownError, RetryError, type Status, StoreError, } from "./errors";
export { JoinedActor, JoinedTenant, type Shadowed, type Told } from "./joined/actor";
export type { SqliteDatabase } from "./joined/better-sqlite3";
export type { Isolation } from "./joined/driver";
export { type ConnectionOf, JoinedEngine, type JoinedOptions, type Remote, type Store, type When } from "./joined/engine";
export type { MysqlConnection, MysqlPool } from "./joined/mysql2";
export type { PgClient, PgPool } from "./joined/pg";
export type { Call } from "./joined/several";
export type { Trying } from "./joined/transaction";
export type { ContractNames, LawNames } from "./law";
export type { Watched, World } from "./shadow";
export { type Page, Tenant } from "./tenant";
export { Ext, type Identified, Uid, type UidLike, type Value, type Values } from "./values";
