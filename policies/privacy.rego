# METADATA
# title: Personal data
# description: Output ports with personal data say who may use them, and on which terms.
# custom:
#   enforcement: block
#   remedy: add expectations.audience and obligations.termsAndConditions to the port, or take the tag off
package mesh.privacy

import data.mesh.ports

# An output port holds personal data when it, or the whole product, is tagged so.
personal contains output if {
	some output in ports.outputs
	some tag in array.concat(object.get(output.port, "tags", []), object.get(ports.product, "tags", []))
	lower(tag) in data.vocabulary.personal
}

deny contains violation if {
	some output in personal
	not output.port.expectations.audience
	violation := {
		"rule": "audience",
		"msg": sprintf("the output port '%s' has personal data and names no audience", [ports.name(output.port)]),
		"pointer": sprintf("%s/expectations/audience", [output.pointer]),
	}
}

deny contains violation if {
	some output in personal
	not output.port.obligations.termsAndConditions
	violation := {
		"rule": "terms",
		"msg": sprintf("the output port '%s' has personal data and no terms and conditions", [ports.name(output.port)]),
		"pointer": sprintf("%s/obligations/termsAndConditions", [output.pointer]),
	}
}
