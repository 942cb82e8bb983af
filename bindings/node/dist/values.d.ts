/** An object of the caller's that says itself which entity it is. */
export interface Identified {
    /** Its identity, or Cedar's text for it. */
    hosUid(): Uid | string;
}
/** Where an entity is expected: a `Uid`, Cedar's text (`Pazar::Account::"ayse"`), a type and an id, or an object that says. */
export type UidLike = Uid | Identified | string | {
    readonly type: string;
    readonly id: string;
};
/** What a value of a call may be. `undefined` is an absent field; there are no floats and there is no `null`. */
export type Value = boolean | number | bigint | string | Uid | Ext | Date | Identified | readonly Value[] | ReadonlySet<Value> | ReadonlyMap<string, Value> | {
    readonly [name: string]: Value | undefined;
};
/** Named values. */
export type Values = {
    readonly [name: string]: Value | undefined;
};
/** An entity's identity: its type with the namespace, and its id. */
export declare class Uid {
    readonly type: string;
    readonly id: string;
    constructor(type: string, id: string);
    /** Reads Cedar's own form, `Pazar::Account::"ayse"`; its escapes are `\"`, `\\`, `\n`, `\r`, `\t`, `\0`. */
    static parse(text: string): Uid;
    /** Whether both name the same entity. */
    equals(other: Uid): boolean;
    /** Cedar's own form. */
    toString(): string;
}
/** A `decimal`, `datetime`, `duration` or `ip`, in Cedar's own text for it. */
export declare class Ext {
    readonly fn: "decimal" | "datetime" | "duration" | "ip";
    readonly arg: string;
    constructor(fn: "decimal" | "datetime" | "duration" | "ip", arg: string);
    /** `Ext.decimal("19.90")`: four digits after the point at most. */
    static decimal(text: string): Ext;
    /** `Ext.datetime("2026-03-01T12:00:00Z")`, or a `Date`. */
    static datetime(when: string | Date): Ext;
    /** `Ext.duration("1h30m")`. */
    static duration(text: string): Ext;
    /** `Ext.ip("10.0.0.0/8")`. */
    static ip(text: string): Ext;
    toString(): string;
}
/** A text as it is shown in messages: short, and on one line. */
export declare function shown(what: unknown): string;
