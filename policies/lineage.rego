# METADATA
# title: Lineage
# description: What an application reads comes in through an input port, so that lineage can be followed.
# custom:
#   enforcement: block
#   remedy: declare an input port for what is read, and name that port in consumesFrom
package mesh.lineage

import input.afterState.dataProductVersion as product

deny contains violation if {
	not product.interfaceComponents.inputPorts[0]
	some position, application in product.internalComponents.applicationComponents
	count(application.consumesFrom) > 0
	violation := {
		"rule": "no-input-port",
		"msg": sprintf(
			"the application '%v' consumes something, and the product has no input port",
			[object.get(application, "name", position)],
		),
		"pointer": sprintf("/internalComponents/applicationComponents/%d/consumesFrom", [position]),
	}
}

# A name of an input port of this very product, which is not there.
deny contains violation if {
	some position, application in product.internalComponents.applicationComponents
	some index, source in application.consumesFrom
	[owner, name] := split(source, ":inputports:")
	owner == product.info.fullyQualifiedName
	product.interfaceComponents.inputPorts[0]
	not name in {port.name | some port in product.interfaceComponents.inputPorts}
	violation := {
		"rule": "unknown-input-port",
		"msg": sprintf("the application '%v' consumes from '%s', which is no input port of the product", [
			object.get(application, "name", position),
			source,
		]),
		"pointer": sprintf("/internalComponents/applicationComponents/%d/consumesFrom/%d", [position, index]),
	}
}
