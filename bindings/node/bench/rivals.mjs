// The same decision by others: Ayse, who is active, enters an open hall at noon; nobody enters before six or after ten.

import { createMongoAbility, subject } from "@casl/ability";
import cedar from "@cedar-policy/cedar-wasm/nodejs";
import { newEnforcer, newModelFromString } from "casbin";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./ground.mjs";

const law = join(root, "testdata", "vectors", "call", "law");

/** Cedar's own WebAssembly, with the law's policies and schema parsed beforehand. Entities go with each call: it keeps none. */
function cedarWasm() {
  const text = readFileSync(join(law, "policies", "all.cedar"), "utf8");
  const parts = cedar.policySetTextToParts(text);
  if (parts.type !== "success") throw new Error(JSON.stringify(parts));
  const staticPolicies = Object.fromEntries(parts.policies.map((policy, at) => [`p${at}`, policy]));
  const said = cedar.preparsePolicySet("law", { staticPolicies });
  const schema = cedar.preparseSchema("law", readFileSync(join(law, "schema.cedarschema"), "utf8"));
  if (said.type !== "success" || schema.type !== "success") throw new Error(JSON.stringify([said, schema]));
  const ayse = { type: "S::Account", id: "ayse" };
  const hall = { type: "S::Hall", id: "h1" };
  const entities = [
    { uid: ayse, attrs: { active: true }, parents: [{ type: "S::Role", id: "operator" }] },
    { uid: { type: "S::Role", id: "operator" }, attrs: {}, parents: [] },
    { uid: hall, attrs: { open: true }, parents: [] },
  ];
  return () => {
    const answer = cedar.statefulIsAuthorized({
      principal: ayse, action: { type: "S::Action", id: "hall.enter" }, resource: hall, context: { hour: 12 },
      preparsedPolicySetId: "law", preparsedSchemaName: "law", validateRequest: true, entities,
    });
    return answer.type === "success" && answer.response.decision === "allow";
  };
}

/** casbin with attributes in the matcher, the row given by the caller. */
async function casbin() {
  const model = newModelFromString(`
[request_definition]
r = sub, obj, act, hour
[policy_definition]
p = act, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.act == p.act && ((p.eft == "allow" && r.obj.open && r.sub.active) || (p.eft == "deny" && (r.hour < 6 || r.hour > 22)))
`);
  const enforcer = await newEnforcer(model);
  await enforcer.addPolicies([["hall.enter", "allow"], ["hall.enter", "deny"]]);
  const [ayse, hall] = [{ id: "ayse", active: true }, { id: "h1", open: true }];
  return () => enforcer.enforceSync(ayse, hall, "hall.enter", 12);
}

/** CASL with an ability built once for Ayse; the hour stands in the subject, as it has no context. */
function casl() {
  const ability = createMongoAbility([
    { action: "hall.enter", subject: "Hall", conditions: { open: true } },
    { action: "hall.enter", subject: "Hall", inverted: true, conditions: { hour: { $lt: 6 } } },
    { action: "hall.enter", subject: "Hall", inverted: true, conditions: { hour: { $gt: 22 } } },
  ]);
  return () => ability.can("hall.enter", subject("Hall", { id: "h1", open: true, hour: 12 }));
}

export const rivals = { "cedar-wasm, pre-parsed": cedarWasm(), casbin: await casbin(), casl: casl() };
