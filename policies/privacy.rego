# METADATA
# title: Personal data
# description: Output ports with personal data say who may use them, and on which terms.
# custom:
#   enforcement: block
#   remedy: add expectations.audience and obligations.termsAndConditions to the port, or take the tag off
package mesh.privacy

import input.afterState.dataProductVersion as product
import input.afterState.dataProductVersion.interfaceComponents.outputPorts as ports

marks := data.vocabulary.personal

# The positions of the output ports that hold personal data: they are tagged so, or the whole product is.
personal contains position if {
	tag := ports[position].tags[_]
	lower(tag) in marks
}

personal contains position if {
	some tag in product.tags
	lower(tag) in marks
	some position, _ in ports
}

deny contains violation if {
	some position in personal
	not ports[position].expectations.audience
	violation := {
		"rule": "audience",
		"msg": sprintf("the output port '%v' has personal data and names no audience", [name_of(position)]),
		"pointer": sprintf("/interfaceComponents/outputPorts/%d/expectations/audience", [position]),
	}
}

deny contains violation if {
	some position in personal
	not obligations(ports[position]).termsAndConditions
	violation := {
		"rule": "terms",
		"msg": sprintf("the output port '%v' has personal data and no terms and conditions", [name_of(position)]),
		"pointer": sprintf("/interfaceComponents/outputPorts/%d/obligations/termsAndConditions", [position]),
	}
}

# Descriptors of 1.0.0-DRAFT call them contracts.
obligations(port) := port.obligations

obligations(port) := port.contracts if not port.obligations

name_of(position) := object.get(ports[position], "name", position)
