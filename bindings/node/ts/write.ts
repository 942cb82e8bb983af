// A call as JSON. JavaScript can hold what a call may not (floats, null, half a surrogate pair, an object inside itself): it is
// refused here, with the code that the wire has for it and the place where it stands.

import { CallError, isA, refusal } from "./errors";
import { Ext, Uid, shown } from "./values";

/** The largest call, in bytes of JSON; a text has at least as many bytes as units. */
const CALL_BYTES_MAX = 1 << 20;
/** How deep a call's JSON may nest. */
const NESTING_MAX = 40;
/** Matches half a surrogate pair: with the flag `u` whole pairs are one character. */
const HALF = /\p{Surrogate}/u;
/** What a record's fields may not begin with: on the wire it marks an entity or an extension. */
export const MARK = "__";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** What stands in the place of a value that was refused: no JSON of a call, wherever it stands, and refused with the same code. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  "hos.value_invalid": "null",
  "hos.call_too_large": "[".repeat(NESTING_MAX + 1) + "]".repeat(NESTING_MAX + 1),
};
const MALFORMED = '"\\ud800"';
/** The field, which no call has, for what is refused and can have no stand-in under its own name. */
const STRAY = "refused";
/** What every call has among its words and none among its options. */
export const WORDS: ReadonlySet<string> = new Set(
  "tenant principal language action resource evaluations calls contract id event state stream payload payload_hex change code entries".split(" "),
);

/** What may stand among a call's options. The world's own outcome is none of these: it counts wherever an object has it. */
const OPTIONS = "context given once request facts args reason subject".split(" ");

export type Write = (value: unknown, where: string, size: Size, depth: number) => string;
/** What room is left in the call. */
type Size = { left: number };

/** A call that is being put together, field by field. */
export class Draft {
  #json = "";
  #size: Size = { left: CALL_BYTES_MAX };
  #fault: CallError | undefined;
  #world = false;
  #names: string[] = [];

  /** A draft that goes on where another one stands, which stays as it is. */
  static after(begun: Draft): Draft {
    const draft = new Draft();
    draft.#json = begun.#json;
    draft.#size = { ...begun.#size };
    draft.#fault = begun.#fault;
    draft.#world = begun.#world;
    draft.#names = [...begun.#names];
    return draft;
  }

  /** Adds a field; one that is `undefined` is absent. A value that is refused is remembered and stands in for itself. */
  put(name: string, value: unknown, write: Write = writerOf(name)): this {
    return this.#put(name, () => value, write);
  }

  /** Adds a field without which there is no call; one that is `undefined` is refused. */
  need(name: string, value: unknown, write: Write = writerOf(name)): this {
    const read = () => {
      if (value === undefined) throw refusal("hos.call_malformed", `\`${name}\` is not given`);
      return value;
    };
    return this.#put(name, read, write);
  }

  /**
   * Adds a caller's options, each as its name says; a name that no call has is refused by the wire, which knows them. A name that
   * is `taken` is refused here: it has a place of its own among the call's words, even where nothing was said there. One that is
   * `others'` is none of the call's and left out.
   */
  options(options: unknown, taken?: ReadonlySet<string>, others?: ReadonlySet<string>): this {
    if (options === undefined) return this;
    if (typeof options !== "object" || options === null) {
      throw refusal("hos.call_malformed", `options are an object, not ${kind(options)}`);
    }
    const read = (name: string) => (options as Record<string, unknown>)[name];
    for (const name of this.#namesOf(options)) {
      if (others?.has(name) !== true) this.#put(name, () => read(name), writerOf(name), taken?.has(name));
    }
    return this;
  }

  /** Adds what a record says: a text, or bytes. */
  payload(payload: unknown): this {
    return isA(payload, Uint8Array) ? this.put("payload_hex", payload) : this.need("payload", payload);
  }

  /** Whether a field is there. */
  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /** The world's own outcome counts wherever an object has it, and also where nothing else of the object can be found out. */
  #namesOf(options: object): string[] {
    try {
      const names = Object.keys(options);
      const why = lost(options, names);
      if (why !== undefined) this.#refuse(refusal("hos.call_malformed", why));
      return names.includes("legacy") || !("legacy" in options) ? names : [...names, "legacy"];
    } catch (cause) {
      this.#refuse(unreadable("options", cause));
      return ["legacy"];
    }
  }

  // The value is read here, for what throws meanwhile is as good as a value that is refused.
  #put(name: string, read: () => unknown, write: Write, taken = false): this {
    const before = this.#size.left;
    let value: unknown;
    try {
      value = read();
      if (value === undefined) return this;
      weigh(name.length, name, this.#size);
      if (taken) throw refusal("hos.call_malformed", `\`${name}\` is no option: it has its own place in the call`);
      if (HALF.test(name)) throw refusal("hos.call_malformed", `${shown(name)} is no option: it holds half a surrogate pair`);
      const json = write(value, name, this.#size, 1);
      if (name === "legacy") this.#world = true;
      return this.#add(name, json);
    } catch (thrown) {
      // What is not taken takes no room: the fields after it must be read where the world's own answer stands.
      this.#size.left = before;
      this.#refuse(isA(thrown, CallError) ? thrown : unreadable(name, thrown));
      if (taken) return this;
      // What cannot be said beside the world's own outcome leaves that as it is.
      const allowed = name === "legacy" ? outcome(value) : undefined;
      if (allowed !== undefined) {
        this.#world = true;
        return this.#add(name, `{"allowed":${allowed}}`);
      }
      // What remains of an action tells which mode of the law is meant; where nothing does, it is that of all that have none of their own.
      return name === "action" ? this.#add(name, JSON.stringify(typeof value === "string" ? sound(value) : "")) : this;
    }
  }

  /** Remembers what was refused first, and puts a stand-in into the call: by it the wire refuses the call with the same code. */
  #refuse(fault: CallError): this {
    this.#fault ??= fault;
    return this.has(STRAY) ? this : this.#add(STRAY, PLACEHOLDERS[fault.code] ?? MALFORMED);
  }

  #add(name: string, json: string): this {
    this.#json += `${this.#json === "" ? "{" : ","}${JSON.stringify(name)}:${json}`;
    this.#names.push(name);
    return this;
  }

  /** Whether the world's own outcome is in it. */
  get hasOutcome(): boolean {
    return this.#world;
  }

  /** What was refused first. */
  get fault(): CallError | undefined {
    return this.#fault;
  }

  /**
   * The call. Where something was refused this throws it, unless the call carries the world's own outcome: that must stand
   * whatever the rest of the call is, and only the engine knows whether it may.
   */
  json(): string {
    if (this.#fault !== undefined && !this.#world) throw this.#fault;
    return this.#json === "" ? "{}" : `${this.#json}}`;
  }
}

/** What of a caller's options would be left out without a word: what a class or a prototype has, or what is hidden. */
export function lost(options: object, names: readonly string[] = Object.keys(options)): string | undefined {
  const hidden = OPTIONS.find((word) => word in options && !names.includes(word));
  const name = hidden ?? (plain(options) ? undefined : inherited(options));
  return name === undefined ? undefined : `${shown(name)} of the options is inherited or hidden: an option is a field of their own`;
}

/** A name that an object has of its prototypes, but for what all objects have. */
function inherited(value: object): string | undefined {
  for (let at = Object.getPrototypeOf(value) as object | null; at !== null && !isRoot(at); at = Object.getPrototypeOf(at) as object | null) {
    const found = Object.getOwnPropertyNames(at).find((name) => name !== "constructor" && name !== "legacy");
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The code by which the wire refuses what stands in for this. */
export function standInOf(fault: CallError): string {
  return Object.hasOwn(PLACEHOLDERS, fault.code) ? fault.code : "hos.call_malformed";
}

/** The world's own outcome: a boolean is one without a state. */
function world(value: unknown, where: string, size: Size, depth: number): string {
  return any(typeof value === "boolean" ? { allowed: value } : value, where, size, depth);
}

/** What the world answered, where that much can be read of it. */
function outcome(legacy: unknown): boolean | undefined {
  if (typeof legacy === "boolean") return legacy;
  try {
    const { allowed } = legacy as { allowed?: unknown };
    return typeof allowed === "boolean" ? allowed : undefined;
  } catch {
    return undefined;
  }
}

/** The beginning of a text, without halves of pairs. */
export function sound(text: string, units = 200): string {
  return text.slice(0, units).replace(/\p{Surrogate}/gu, "\ufffd");
}

function writerOf(name: string): Write {
  switch (name) {
    case "principal":
    case "resource":
    case "subject":
    case "uid":
    case "parent":
      return uid;
    case "given":
      return entities;
    case "legacy":
      return world;
    case "action":
    case "language":
      return word;
    case "payload_hex":
      return hex;
    default:
      return any;
  }
}

/** A text which the engine reads also in a call that it refuses: another value there would keep it from reading that at all. */
function word(value: unknown, where: string, size: Size, depth: number): string {
  const json = any(value, where, size, depth);
  if (typeof value !== "string") throw refusal("hos.call_malformed", `\`${where}\` is a text, not ${kind(value)}`);
  return json;
}

/** Bytes in hexadecimal digits. They are weighed first: of too many no text can be made. */
function hex(value: unknown, where: string, size: Size, depth: number): string {
  if (!isA(value, Uint8Array)) return any(value, where, size, depth);
  weigh(2 * value.byteLength, where, size);
  return `"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}"`;
}

/** An identity where one is expected, in the short form. */
export function uid(value: unknown, where: string, size: Size, depth: number): string {
  const found = uidOf(value, where);
  if (found === undefined) return any(value, where, size, depth);
  return `{"type":${text(found.type, `${where}.type`, size)},"id":${text(found.id, `${where}.id`, size)}}`;
}

/** The identity that a value says, if it says one by itself. */
export function uidOf(value: unknown, where: string): Uid | undefined {
  if (value instanceof Uid) return whole(value, where);
  if (typeof value === "string") return parsed(value, where);
  if (typeof value !== "object" || value === null || typeof (value as { hosUid?: unknown }).hosUid !== "function") return undefined;
  const said = (value as { hosUid(): unknown }).hosUid();
  if (said instanceof Uid) return whole(said, where);
  if (typeof said === "string") return parsed(said, where);
  throw refusal("hos.call_malformed", `\`${where}\`: hosUid() gives a Uid or a text, not ${kind(said)}`);
}

/** Stands for a principal that could not be read. */
export const NOBODY = new Uid("", "");

/** An identity, found once and kept in `found`: an object that says another one later is still who it was. */
export function once(found: Uid[]): Write {
  return (value, where, size, depth) => {
    const said = uidOf(value, where);
    const given = said === undefined && plain(value) ? { ...value } : value;
    const who = said ?? (plain(given) ? pairOf(given) : undefined);
    if (who === undefined) return any(given, where, size, depth);
    found.push(who);
    return uid(who, where, size, depth);
  };
}

/** An identity as its type and its id, and nothing besides. */
function pairOf({ type, id, ...others }: Record<string, unknown>): Uid | undefined {
  if (typeof type !== "string" || typeof id !== "string" || Object.values(others).some((other) => other !== undefined)) return undefined;
  return new Uid(type, id);
}

// Whatever has `Uid.prototype` is an instance of it; only what the constructor made is sure to be whole.
function whole({ type, id }: Uid, where: string): Uid {
  if (typeof type !== "string" || typeof id !== "string") {
    throw refusal("hos.call_malformed", `\`${where}\`: a Uid's type and id are texts; make one with new Uid(type, id)`);
  }
  return new Uid(type, id);
}

function parsed(value: string, where: string): Uid {
  if (value.length > CALL_BYTES_MAX) throw tooLarge(where);
  try {
    return Uid.parse(value);
  } catch {
    throw refusal("hos.id_invalid", `\`${where}\` is no entity: ${shown(value)}; write Type::"id"`);
  }
}

/** Entities that come with a call. */
function entities(value: unknown, where: string, size: Size, depth: number): string {
  if (!Array.isArray(value)) return any(value, where, size, depth);
  return list(value, where, size, depth, (item, place) => {
    if (!plain(item)) return any(item, place, size, depth + 1);
    return fields(Object.entries(item), place, size, depth + 1, (name, inner, at) => {
      if (name === "uid") return uid(inner, at, size, depth + 2);
      if (name !== "parents" || !Array.isArray(inner)) return any(inner, at, size, depth + 2);
      return list(inner, at, size, depth + 2, (parent, of) => uid(parent, of, size, depth + 3));
    });
  });
}

/** Questions that are asked at once. */
export function evaluations(value: unknown, where: string, size: Size, depth: number): string {
  return several(value, where, size, depth, (field) => field);
}

/** Calls that are made as one. Bytes stand in them as in a call of `record`. */
export function calls(value: unknown, where: string, size: Size, depth: number): string {
  return several(value, where, size, depth, ([name, inner]) => {
    return [name === "payload" && isA(inner, Uint8Array) ? "payload_hex" : name, inner];
  });
}

type Field = [name: string, value: unknown];

function several(value: unknown, where: string, size: Size, depth: number, said: (field: Field) => Field): string {
  if (!Array.isArray(value)) return any(value, where, size, depth);
  return list(value, where, size, depth, (item, place) => {
    if (!plain(item)) return any(item, place, size, depth + 1);
    return fields(Object.entries(item).map(said), place, size, depth + 1, (name, inner, at) => writerOf(name)(inner, at, size, depth + 2));
  });
}

/** Any value. */
export function any(value: unknown, where: string, size: Size, depth: number): string {
  switch (typeof value) {
    case "string":
      return text(value, where, size);
    case "boolean":
      return room(value ? "true" : "false", where, size);
    case "number":
      if (!Number.isSafeInteger(value)) throw invalid(where, number(value));
      return room(value === 0 ? "0" : String(value), where, size);
    case "bigint":
      if (value < INT64_MIN || value > INT64_MAX) throw invalid(where, "an integer beyond 64 bits is no value here");
      return room(String(value), where, size);
    case "object":
      return object(value, where, size, depth);
    default:
      throw invalid(where, `${kind(value)} is no value here`);
  }
}

function number(value: number): string {
  if (Number.isInteger(value)) {
    const whole = BigInt(value);
    if (whole < INT64_MIN || whole > INT64_MAX) return "an integer beyond 64 bits is no value here";
    return `${value} is not exact as a number: write a bigint, if ${whole}n is meant`;
  }
  return `${Number.isFinite(value) ? "a float" : String(value)} is no value here: write money in its smallest unit, or Ext.decimal("1.50")`;
}

function object(value: object | null, where: string, size: Size, depth: number): string {
  if (value === null) throw invalid(where, "null is no value here: leave the field out");
  if (depth > NESTING_MAX) {
    throw refusal("hos.call_too_large", `\`${short(where)}\` nests more than ${NESTING_MAX} deep, or contains itself`);
  }
  const each: Inner = (item, place) => any(item, place, size, depth + 1);
  if (Array.isArray(value)) return list(value, where, size, depth, each);
  if (value instanceof Ext) return `{"__extn":{"fn":${any(value.fn, where, size, depth)},"arg":${any(value.arg, where, size, depth)}}}`;
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw invalid(where, "an invalid Date is no value here");
    return object(Ext.datetime(value), where, size, depth);
  }
  if (value instanceof Set) return list([...value], where, size, depth, each);
  const entity = uidOf(value, where);
  if (entity !== undefined) return `{"__entity":${uid(entity, where, size, depth)}}`;
  if (value instanceof Map) {
    if (![...value.keys()].every((name) => typeof name === "string")) throw invalid(where, "a Map whose keys are not all texts is no value here");
    return fields([...value], where, size, depth, (_, inner, place) => each(inner, place));
  }
  if (!plain(value)) throw invalid(where, `${kind(value)} is no value here: give its fields, or a method hosUid()`);
  return fields(Object.entries(value), where, size, depth, (_, inner, place) => each(inner, place));
}

type Inner = (value: unknown, where: string) => string;

function list(items: readonly unknown[], where: string, size: Size, depth: number, write: Inner): string {
  if (depth > NESTING_MAX) throw refusal("hos.call_too_large", `\`${short(where)}\` nests more than ${NESTING_MAX} deep`);
  let json = room("[", where, size);
  // By number: an array with holes has `undefined` there, which is no value.
  for (let at = 0; at < items.length; at += 1) {
    json += `${at === 0 ? "" : ","}${write(items[at], `${where}[${at}]`)}`;
    room(",", where, size);
  }
  return `${json}]`;
}

function fields(
  entries: readonly (readonly [string, unknown])[],
  where: string,
  size: Size,
  depth: number,
  write: (name: string, value: unknown, where: string) => string,
): string {
  if (depth > NESTING_MAX) throw refusal("hos.call_too_large", `\`${short(where)}\` nests more than ${NESTING_MAX} deep`);
  let json = room("{", where, size);
  for (const [name, value] of entries) {
    if (value === undefined) continue;
    if (name.startsWith(MARK)) {
      // A record that came from outside must not turn into anybody's identity.
      const why = `no field's name begins with ${MARK}; an entity is a Uid, the others an Ext`;
      throw refusal("hos.call_malformed", `\`${short(where)}\`: ${why}`);
    }
    json += `${json === "{" ? "" : ","}${text(name, where, size)}:${write(name, value, `${where}.${name}`)}`;
  }
  return `${json}}`;
}

function text(value: string, where: string, size: Size): string {
  // The length comes first: a text of ten megabytes is not read through to be refused.
  room(value, where, size);
  if (HALF.test(value)) {
    throw refusal("hos.call_malformed", `\`${short(where)}\` holds half a surrogate pair, which is no text`);
  }
  return JSON.stringify(value);
}

function room(json: string, where: string, size: Size): string {
  weigh(json.length, where, size);
  return json;
}

/** Takes so much of what room is left; before anything is made of what takes it. */
function weigh(units: number, where: string, size: Size): void {
  size.left -= units;
  if (size.left < 0) throw tooLarge(where);
}

function tooLarge(where: string): CallError {
  return refusal("hos.call_too_large", `the call has more than ${CALL_BYTES_MAX} bytes at \`${short(where)}\``);
}

/** Whether it is an object with nothing but fields. What cannot be looked at (a proxy that was revoked) is none. */
export function plain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  try {
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === null || isRoot(prototype as object);
  } catch {
    return false;
  }
}

/** Whether it is what all objects inherit from. An object of another context (`vm`, a test runner's) has another `Object.prototype`. */
function isRoot(prototype: object): boolean {
  return prototype === Object.prototype || (Object.getPrototypeOf(prototype) === null && "hasOwnProperty" in prototype);
}

function invalid(where: string, why: string): CallError {
  return refusal("hos.value_invalid", `\`${short(where)}\`: ${why}`);
}

function unreadable(where: string, cause: unknown): CallError {
  return refusal("hos.value_invalid", `\`${short(where)}\` could not be read`, cause);
}

function short(where: string): string {
  const inner = shown(where).slice(1, -1);
  return inner.length > 120 ? `${inner.slice(0, 120)}…` : inner;
}

function kind(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") {
    const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
    return typeof name === "string" && name !== "" ? `an instance of ${shown(name).slice(1, -1)}` : "an object";
  }
  return typeof value === "undefined" ? "undefined" : `a ${typeof value}`;
}
