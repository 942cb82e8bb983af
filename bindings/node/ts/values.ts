// What a call's values are made of: identities, and the four values that JavaScript has no word for.

import { refusal } from "./errors";

/** An object of the caller's that says itself which entity it is. */
export interface Identified {
  /** Its identity, or Cedar's text for it. */
  hosUid(): Uid | string;
}

/** Where an entity is expected: a `Uid`, Cedar's text (`Pazar::Account::"ayse"`), a type and an id, or an object that says. */
export type UidLike = Uid | Identified | string | { readonly type: string; readonly id: string };

/** What a value of a call may be. `undefined` is an absent field; there are no floats and there is no `null`. */
export type Value =
  | boolean
  | number
  | bigint
  | string
  | Uid
  | Ext
  | Date
  | Identified
  | readonly Value[]
  | ReadonlySet<Value>
  | ReadonlyMap<string, Value>
  | { readonly [name: string]: Value | undefined };

/** Named values. */
export type Values = { readonly [name: string]: Value | undefined };

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", n: "\n", r: "\r", t: "\t", 0: "\0" };

/** An entity's identity: its type with the namespace, and its id. */
export class Uid {
  readonly type: string;
  readonly id: string;

  constructor(type: string, id: string) {
    if (typeof type !== "string" || typeof id !== "string") {
      throw refusal("hos.call_malformed", "a Uid's type and id are texts");
    }
    this.type = type;
    this.id = id;
    Object.freeze(this);
  }

  /** Reads Cedar's own form, `Pazar::Account::"ayse"`; its escapes are `\"`, `\\`, `\n`, `\r`, `\t`, `\0`. */
  static parse(text: string): Uid {
    const wrong = () => refusal("hos.id_invalid", `no entity: ${shown(text)}; write Type::"id"`);
    if (typeof text !== "string") throw wrong();
    const at = text.indexOf('::"');
    if (at < 0 || text.length < at + 4 || !text.endsWith('"')) throw wrong();
    const inner = text.slice(at + 3, -1);
    // Nothing is left over where every quote and backslash belongs to an escape.
    if (/["\\]/.test(inner.replace(/\\["\\nrt0]/g, ""))) throw wrong();
    return new Uid(text.slice(0, at), inner.replace(/\\(["\\nrt0])/g, (_, letter: string) => ESCAPES[letter] ?? ""));
  }

  /** Whether both name the same entity. */
  equals(other: Uid): boolean {
    return other instanceof Uid && this.type === other.type && this.id === other.id;
  }

  /** Cedar's own form. */
  toString(): string {
    const letters: Record<string, string> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0" };
    return `${this.type}::"${this.id.replace(/["\\\n\r\t\0]/g, (letter) => letters[letter] ?? letter)}"`;
  }
}

/** A `decimal`, `datetime`, `duration` or `ip`, in Cedar's own text for it. */
export class Ext {
  readonly fn: "decimal" | "datetime" | "duration" | "ip";
  readonly arg: string;

  constructor(fn: "decimal" | "datetime" | "duration" | "ip", arg: string) {
    this.fn = fn;
    this.arg = arg;
    Object.freeze(this);
  }

  /** `Ext.decimal("19.90")`: four digits after the point at most. */
  static decimal(text: string): Ext {
    return new Ext("decimal", text);
  }

  /** `Ext.datetime("2026-03-01T12:00:00Z")`, or a `Date`. */
  static datetime(when: string | Date): Ext {
    if (!(when instanceof Date)) return new Ext("datetime", when);
    if (Number.isNaN(when.getTime())) throw refusal("hos.value_invalid", "an invalid Date is no value here");
    return new Ext("datetime", when.toISOString());
  }

  /** `Ext.duration("1h30m")`. */
  static duration(text: string): Ext {
    return new Ext("duration", text);
  }

  /** `Ext.ip("10.0.0.0/8")`. */
  static ip(text: string): Ext {
    return new Ext("ip", text);
  }

  toString(): string {
    return `${this.fn}("${this.arg}")`;
  }
}

/** A text as it is shown in messages: short, and on one line. */
export function shown(what: unknown): string {
  if (typeof what !== "string") return typeof what;
  return JSON.stringify(what.length > 80 ? `${what.slice(0, 80)}…` : what).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "?");
}
