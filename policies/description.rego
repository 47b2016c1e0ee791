# METADATA
# title: Descriptions
# description: A product says what it is for; so does each of its output ports.
# custom:
#   enforcement: block
#   remedy: say in a sentence what a consumer can use it for
package mesh.description

import data.mesh.ports

deny contains violation if {
	info := ports.product.info
	not ports.said(object.get(info, "description", ""))
	violation := {
		"rule": "product",
		"msg": "the product has no description",
		"pointer": "/info/description",
	}
}

warn contains violation if {
	some output in ports.outputs
	not ports.said(object.get(output.port, "description", ""))
	violation := {
		"rule": "port",
		"msg": sprintf("the output port '%s' has no description", [ports.name(output.port)]),
		"pointer": sprintf("%s/description", [output.pointer]),
	}
}
