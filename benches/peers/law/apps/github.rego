# GitHub of Cedar's paper. `above` of an entity holds itself and all that it stands in, closed beforehand.
package app

default allow := false

who := data.entities[input.principal].above

what := data.entities[input.resource].attrs

how := data.entities[input.action].above

owner := data.entities[what.owner].attrs

allow if {
	input.action == `Action::"read"`
	who[what.readers]
}

allow if {
	how[`Action::"triage"`]
	who[what.triagers]
}

allow if {
	how[`Action::"write"`]
	who[what.writers]
}

allow if {
	how[`Action::"maintain"`]
	who[what.maintainers]
}

allow if {
	how[`Action::"admin"`]
	who[what.admins]
}

allow if {
	input.action == `Action::"read"`
	who[owner.readers]
}

allow if {
	how[`Action::"write"`]
	who[owner.writers]
}

allow if {
	how[`Action::"admin"`]
	who[owner.admins]
}
