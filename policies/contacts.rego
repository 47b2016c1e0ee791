# METADATA
# title: Contact points
# description: Consumers know whom to ask.
# custom:
#   enforcement: warn
#   remedy: add an entry to info.contactPoints with a channel and an address
package mesh.contacts

import input.afterState.dataProductVersion.info

deny contains violation if {
	info
	not info.contactPoints[0]
	violation := {
		"rule": "missing",
		"msg": "the product has no contact point",
		"pointer": "/info/contactPoints",
	}
}

deny contains violation if {
	some position, point in info.contactPoints
	some field in ["channel", "address"]
	not point[field] != ""
	violation := {
		"rule": "incomplete",
		"msg": sprintf("the contact point %d has no %s", [position + 1, field]),
		"pointer": sprintf("/info/contactPoints/%d/%s", [position, field]),
	}
}

deny contains violation if {
	some position, point in info.contactPoints
	lower(point.channel) in {"email", "e-mail", "mail"}
	not contains(point.address, "@")
	violation := {
		"rule": "address",
		"msg": sprintf("'%s' is not a mail address", [point.address]),
		"pointer": sprintf("/info/contactPoints/%d/address", [position]),
	}
}
