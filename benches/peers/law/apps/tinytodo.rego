# TinyTodo of Cedar's paper. `above` of an entity holds itself and all that it stands in, closed beforehand.
package app

default allow := false

who := data.entities[input.principal].above

what := data.entities[input.resource].attrs

allow if {
	input.action in {`Action::"CreateList"`, `Action::"GetLists"`}
	input.resource == `Application::"TinyTodo"`
}

allow if what.owner == input.principal

allow if {
	input.action == `Action::"GetList"`
	who[what.readers]
}

allow if {
	input.action == `Action::"GetList"`
	who[what.editors]
}

allow if {
	input.action in {`Action::"UpdateList"`, `Action::"CreateTask"`, `Action::"UpdateTask"`, `Action::"DeleteTask"`}
	who[what.editors]
}
