# METADATA
# title: Descriptions
# description: A product says what it is for; so does each of its output ports.
# custom:
#   enforcement: block
#   remedy: say in a sentence what a consumer can use it for
package mesh.description

import input.afterState.dataProductVersion as product

deny contains violation if {
	trim_space(object.get(product.info, "description", "")) == ""
	violation := {
		"rule": "product",
		"msg": "the product has no description",
		"pointer": "/info/description",
	}
}

warn contains violation if {
	some position, port in product.interfaceComponents.outputPorts
	trim_space(object.get(port, "description", "")) == ""
	violation := {
		"rule": "port",
		"msg": sprintf("the output port '%v' has no description", [object.get(port, "name", position)]),
		"pointer": sprintf("/interfaceComponents/outputPorts/%d/description", [position]),
	}
}
