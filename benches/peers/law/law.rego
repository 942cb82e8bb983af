# The twenty policies of `benches/src/law.rs`. What Cedar finds through parents stands in `groups` and `folders`.
package law

default allow := false

allow if {
	permitted
	not forbidden
}

# staff
permitted if {
	"staff" in input.principal.groups
	input.action == "v"
	input.resource.public
}

# ayse
permitted if {
	input.principal.id == "ayse"
	input.action in {"v", "e"}
	"f0" in input.resource.folders
	input.principal.active
	input.context.level >= 1
}

# folder
permitted if {
	input.action == "v"
	"f0" in input.resource.folders
	input.resource.owner == input.principal.id
}

# inactive
forbidden if not input.principal.active

# locked
forbidden if {
	input.action == "v"
	input.resource.id == "d0"
	input.context.level < 0
}

permitted if {
	input.principal.id == "u5"
	input.action == "e"
}

permitted if {
	input.principal.id == "u6"
	input.action == "v"
}

permitted if {
	input.principal.id == "u7"
	input.action == "e"
}

permitted if {
	input.principal.id == "u8"
	input.action == "v"
}

permitted if {
	input.principal.id == "u9"
	input.action == "e"
}

permitted if {
	input.principal.id == "u10"
	input.action == "v"
}

permitted if {
	input.principal.id == "u11"
	input.action == "e"
}

permitted if {
	input.principal.id == "u12"
	input.action == "v"
}

permitted if {
	input.principal.id == "u13"
	input.action == "e"
}

permitted if {
	input.principal.id == "u14"
	input.action == "v"
}

permitted if {
	input.principal.id == "u15"
	input.action == "e"
}

permitted if {
	input.principal.id == "u16"
	input.action == "v"
}

permitted if {
	input.principal.id == "u17"
	input.action == "e"
}

permitted if {
	input.principal.id == "u18"
	input.action == "v"
}

permitted if {
	input.principal.id == "u19"
	input.action == "e"
}

