# METADATA
# title: Ownership
# description: Every product has an owner who can be written to.
# custom:
#   enforcement: block
#   remedy: set info.owner.id to a mailbox that a team reads, such as trips-team@example.com
package mesh.ownership

import data.mesh.ports

owner := object.get(ports.product, ["info", "owner", "id"], "")

deny contains violation if {
	not is_mailbox(owner)
	violation := {
		"rule": "mailbox",
		"msg": sprintf("the owner '%v' is not a mailbox", [owner]),
		"pointer": "/info/owner/id",
	}
}

deny contains violation if {
	is_mailbox(owner)
	regex.match(`^(?i)(no-?reply|do-?not-?reply)@`, owner)
	violation := {
		"rule": "reachable",
		"msg": sprintf("nobody reads the owner's mailbox '%s'", [owner]),
		"pointer": "/info/owner/id",
	}
}

is_mailbox(text) if {
	is_string(text)
	regex.match(`^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$`, text)
}
