# METADATA
# title: Service level objectives
# description: Every output port promises a service level.
# custom:
#   enforcement: block
#   remedy: describe availability and freshness in promises.slo of the port
package mesh.slo

import input.afterState.dataProductVersion.interfaceComponents.outputPorts as ports

deny contains violation if {
	some position, port in ports
	not port.promises.slo
	violation := {
		"rule": "missing",
		"msg": sprintf("the output port '%v' promises no service level", [object.get(port, "name", position)]),
		"pointer": sprintf("/interfaceComponents/outputPorts/%d/promises/slo", [position]),
	}
}

deny contains violation if {
	some position, port in ports
	slo := port.promises.slo
	object.get(slo, "definition", "") in ["", {}, null]
	violation := {
		"rule": "empty",
		"msg": sprintf("the service level of the output port '%v' says nothing", [object.get(port, "name", position)]),
		"pointer": sprintf("/interfaceComponents/outputPorts/%d/promises/slo/definition", [position]),
	}
}
