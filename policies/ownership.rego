# METADATA
# title: Ownership
# description: Every product has an owner who can be written to.
# custom:
#   enforcement: block
#   remedy: set info.owner.id to a mailbox that a team reads, such as trips-team@example.com
package mesh.ownership

import input.afterState.dataProductVersion.info

deny contains violation if {
	owner := object.get(info, ["owner", "id"], "")
	not is_mailbox(owner)
	violation := {
		"rule": "mailbox",
		"msg": sprintf("the owner '%v' is not a mailbox", [owner]),
		"pointer": "/info/owner/id",
	}
}

deny contains violation if {
	id := info.owner.id
	is_string(id)
	[name, _] := split(id, "@")
	lower(name) in {"noreply", "no-reply", "donotreply", "do-not-reply"}
	violation := {
		"rule": "reachable",
		"msg": sprintf("nobody reads the owner's mailbox '%s'", [id]),
		"pointer": "/info/owner/id",
	}
}

is_mailbox(text) if {
	is_string(text)
	regex.match(`^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$`, text)
}
