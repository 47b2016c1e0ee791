# METADATA
# title: Lineage
# description: What an application reads comes in through an input port, so that lineage can be followed.
# custom:
#   enforcement: block
#   remedy: declare an input port for what is read, and name that port in consumesFrom
package mesh.lineage

import data.mesh.ports

applications := object.get(ports.product, ["internalComponents", "applicationComponents"], [])

inputs := object.get(ports.product, ["interfaceComponents", "inputPorts"], [])

# The last part of the names of the input ports.
input_names := {port.name | some port in inputs}

deny contains violation if {
	some position, application in applications
	count(object.get(application, "consumesFrom", [])) > 0
	count(inputs) == 0
	violation := {
		"rule": "no-input-port",
		"msg": sprintf("the application '%s' consumes something, and the product has no input port", [ports.name(application)]),
		"pointer": sprintf("/internalComponents/applicationComponents/%d/consumesFrom", [position]),
	}
}

deny contains violation if {
	count(inputs) > 0
	some position, application in applications
	some index, source in application.consumesFrom
	parts := split(source, ":inputports:")
	count(parts) == 2
	startswith(source, sprintf("%s:", [object.get(ports.product, ["info", "fullyQualifiedName"], "urn:none")]))
	not parts[1] in input_names
	violation := {
		"rule": "unknown-input-port",
		"msg": sprintf("the application '%s' consumes from '%s', which is no input port of the product", [
			ports.name(application),
			source,
		]),
		"pointer": sprintf("/internalComponents/applicationComponents/%d/consumesFrom/%d", [position, index]),
	}
}
