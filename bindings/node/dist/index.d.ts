/// <reference lib="esnext.disposable" preserve="true" />
export { Actor, type As, type Besides, type Given, type Writing } from "./actor";
export { Answer, type Available, type Blocker, type Candidate, type Entry, type Mode, type PolicyError, type Receipt, type Recorded, type Seal, } from "./answer";
export { Directory } from "./directory";
export { Engine, type Options } from "./engine";
export { AbsentError, CallError, ClosedError, Denied, type Fault, HosError, InternalError, LawError, OutcomeUnknownError, RetryError, type Status, StoreError, } from "./errors";
export type { ContractNames, LawNames } from "./law";
export type { Watched, World } from "./shadow";
export { type Page, Tenant } from "./tenant";
export { Ext, type Identified, Uid, type UidLike, type Value, type Values } from "./values";
