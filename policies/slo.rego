# METADATA
# title: Service level objectives
# description: Every output port promises a service level.
# custom:
#   enforcement: block
#   remedy: describe availability and freshness in promises.slo of the port
package mesh.slo

import data.mesh.ports

deny contains violation if {
	some output in ports.outputs
	not output.port.promises.slo
	violation := {
		"rule": "missing",
		"msg": sprintf("the output port '%s' promises no service level", [ports.name(output.port)]),
		"pointer": sprintf("%s/promises/slo", [output.pointer]),
	}
}

deny contains violation if {
	some output in ports.outputs
	slo := output.port.promises.slo
	object.get(slo, "definition", {}) in [{}, "", null]
	violation := {
		"rule": "empty",
		"msg": sprintf("the service level of the output port '%s' says nothing", [ports.name(output.port)]),
		"pointer": sprintf("%s/promises/slo/definition", [output.pointer]),
	}
}
