# Google Drive of Cedar's paper. `above` of an entity holds itself and all that it stands in, closed beforehand.
package app

default allow := false

who := data.entities[input.principal].attrs

what := data.entities[input.resource].attrs

where := data.entities[input.resource].above

allow if {
	input.action == `Action::"read"`
	where[who.documentsAndFoldersWithViewAccess]
}

allow if {
	input.action == `Action::"read"`
	what.isPublic
}

allow if {
	input.action in {`Action::"read"`, `Action::"write"`, `Action::"share"`}
	owned
}

owned if {
	some one in who.ownedDocuments
	where[one]
}

owned if {
	some one in who.ownedFolders
	where[one]
}

allow if {
	input.action == `Action::"changeOwner"`
	input.resource in who.ownedDocuments
}

allow if {
	input.action == `Action::"createDocument"`
	input.resource in who.ownedFolders
}
