// A call of the vectors in the package's own words, and what came of it as the wire would have it.

import { hos } from "./house.mjs";

const { Answer, Ext, Uid } = hos;

/** A value of the wire as a caller of the package writes it. */
function value(wire) {
  if (Array.isArray(wire)) return wire.map(value);
  if (typeof wire !== "object" || wire === null) return wire;
  const keys = Object.keys(wire).join();
  if (keys === "__entity") return identity(wire.__entity) ?? wire;
  if (keys === "__extn" && typeof wire.__extn?.arg === "string") return new Ext(wire.__extn.fn, wire.__extn.arg);
  return Object.fromEntries(Object.entries(wire).map(([name, inner]) => [name, value(inner)]));
}

function identity(wire) {
  const whole = typeof wire === "object" && wire !== null && Object.keys(wire).sort().join() === "id,type";
  return whole && typeof wire.type === "string" && typeof wire.id === "string" ? new Uid(wire.type, wire.id) : undefined;
}

/** Where an entity is expected, the short form is one too. */
function entity(wire) {
  return identity(wire) ?? value(wire);
}

function given(wire) {
  if (!Array.isArray(wire)) return wire;
  return wire.map((one) => {
    const parents = Array.isArray(one?.parents) ? { parents: one.parents.map(entity) } : {};
    return typeof one === "object" && one !== null ? { ...value(one), uid: entity(one.uid), ...parents } : one;
  });
}

/** The rest of a call's fields as options. */
function options(fields) {
  const rest = Object.entries(fields).map(([name, wire]) => {
    if (name === "given") return [name, given(wire)];
    return [name, name === "subject" ? entity(wire) : value(wire)];
  });
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}

const CHANGES = {
  put: ["uid", "attrs"],
  remove: ["uid"],
  join: ["uid", "parent"],
  leave: ["uid", "parent"],
  grant: ["id", "template", "principal", "resource"],
  revoke: ["id"],
};

/** A change that the package has words for: one of its kinds, and no field that the kind does not have. */
function known(change) {
  const entries = Object.entries(change ?? {});
  if (entries.length !== 1) return undefined;
  const [[kind, fields]] = entries;
  const names = CHANGES[kind];
  if (names === undefined || typeof fields !== "object" || fields === null) return undefined;
  return Object.keys(fields).every((name) => names.includes(name)) ? { kind, fields } : undefined;
}

function changed(directory, { kind, fields }, besides) {
  switch (kind) {
    case "put":
      return directory.put(entity(fields.uid), value(fields.attrs), besides);
    case "remove":
      return directory.remove(entity(fields.uid), besides);
    case "join":
    case "leave":
      return directory[kind](entity(fields.uid), entity(fields.parent), besides);
    case "grant": {
      const slots = Object.entries(fields).filter(([name]) => name === "principal" || name === "resource");
      return directory.grant(fields.id, fields.template, Object.fromEntries(slots.map(([name, of]) => [name, entity(of)])), besides);
    }
    default:
      return directory.revoke(fields.id, besides);
  }
}

/** Whether the package has words for a call. */
export function sayable(operation, call) {
  if (operation === "failpoint") return false;
  return operation !== "directory" || known(call.change) !== undefined;
}

/** Makes the call and gives what the wire would have given, and whether it was a yes. */
export async function said(engine, operation, call) {
  const { tenant: name, principal, language, request, ...rest } = call;
  const tenant = engine.tenant(name);
  if (operation === "message") {
    return { allowed: true, json: { message: tenant.message(rest.code, language) } };
  }
  if (operation === "history") {
    const { contract, id, ...page } = rest;
    return { allowed: true, json: { history: (await tenant.history(contract, id, options(page))).map(entry) } };
  }
  const bound = Object.entries({ language, request }).filter(([, said]) => said !== undefined);
  const actor = tenant.as(entity(principal), Object.fromEntries(bound));
  if (operation === "available") {
    const { contract, id, ...besides } = rest;
    return { allowed: true, json: { available: (await actor.available(contract, id, options(besides))).map((one) => ({ ...one })) } };
  }
  if (operation === "can_all") {
    const { evaluations, ...besides } = rest;
    const ask = ({ action, resource, ...own }) => ({ action, resource: entity(resource), ...options(own) });
    const answers = await actor.canAll(Array.isArray(evaluations) ? evaluations.map(ask) : evaluations, options(besides));
    const allowed = answers.every((one) => one.allowed);
    return { allowed, json: { allowed, evaluations: answers.map(answer) } };
  }
  const came = await acted(actor, operation, rest);
  if (!(came instanceof Answer)) throw new Error(`${operation} gave no Answer`);
  return { allowed: came.allowed, json: answer(came) };
}

function acted(actor, operation, call) {
  switch (operation) {
    case "can": {
      const { action, resource, ...rest } = call;
      return actor.can(action, entity(resource), options(rest));
    }
    case "begin":
    case "transition": {
      const { contract, id, event, ...rest } = call;
      return actor[operation](contract, id, event, options(rest));
    }
    case "record": {
      const { stream, payload, ...rest } = call;
      const bytes = /^([0-9a-f]{2})*$/.test(rest.payload_hex ?? "x") && payload === undefined;
      if (!bytes) return actor.record(stream, payload, options(rest));
      const { payload_hex: hex, ...others } = rest;
      return actor.record(stream, Buffer.from(hex, "hex"), options(others));
    }
    case "directory": {
      const { change, ...rest } = call;
      return changed(actor.directory, known(change), options(rest));
    }
    case "adopt": {
      const { contract, id, state, ...rest } = call;
      return actor.adopt(contract, id, state, options(rest));
    }
    case "legacy": {
      const { contract, id, entries, ...rest } = call;
      return actor.legacy(contract, id, entries, options(rest));
    }
    default:
      throw new Error(`the package has no word for ${operation}`);
  }
}

const ANSWER = {
  allowed: "allowed", code: "code", blockers: "blockers", effect: "effect", policies: "policies", errors: "errors", mode: "mode",
  divergence: "divergence", candidate: "candidate", law: "law", directoryVersion: "directory_version", from: "from", to: "to",
  version: "version", fired: "fired", again: "again", receipt: "receipt",
};

/** An answer put together again from its getters. */
function answer(came) {
  const fields = Object.entries(ANSWER).map(([name, wire]) => [wire, came[name]]);
  return Object.fromEntries(fields.filter(([, said]) => said !== undefined));
}

const ENTRY = { guardLaw: "guard_law", contractVersion: "contract_version", directoryVersion: "directory_version" };

function entry(one) {
  return Object.fromEntries(Object.entries(one).map(([name, said]) => [ENTRY[name] ?? name, name === "parts" ? wire(said) : said]));
}

/** A recorded value as the wire has it. */
function wire(said) {
  if (said instanceof Uid) return { __entity: { type: said.type, id: said.id } };
  if (said instanceof Ext) return { __extn: { fn: said.fn, arg: said.arg } };
  if (Array.isArray(said)) return said.map(wire);
  if (typeof said !== "object") return said;
  return Object.fromEntries(Object.entries(said).map(([name, inner]) => [name, wire(inner)]));
}
