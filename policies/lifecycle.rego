# METADATA
# title: Lifecycle
# description: A product that goes to production has been somewhere else before, and says how its ports will end.
# custom:
#   enforcement: block
#   remedy: rehearse the rollout at a stage before production, and give every output port a deprecation policy
package mesh.lifecycle

import input.afterState.dataProductVersion as product

is_rehearsed if {
	rehearsal := data.vocabulary.rehearsal
	some stage, tasks in product.internalComponents.lifecycleInfo
	stage in rehearsal
	count(tasks) > 0
}

goes_to_production if {
	production := data.vocabulary.production
	some stage, _ in product.internalComponents.lifecycleInfo
	stage in production
}

deny contains violation if {
	not is_rehearsed
	production := data.vocabulary.production
	some stage, tasks in product.internalComponents.lifecycleInfo
	stage in production
	count(tasks) > 0
	violation := {
		"rule": "rehearsal",
		"msg": sprintf("the stage '%s' has tasks, and no stage before it has any", [stage]),
		"pointer": sprintf("/internalComponents/lifecycleInfo/%s", [stage]),
	}
}

deny contains violation if {
	some position, port in product.interfaceComponents.outputPorts
	not port.promises.deprecationPolicy
	goes_to_production
	violation := {
		"rule": "deprecation-policy",
		"msg": sprintf(
			"the output port '%v' goes to production without a deprecation policy",
			[object.get(port, "name", position)],
		),
		"pointer": sprintf("/interfaceComponents/outputPorts/%d/promises/deprecationPolicy", [position]),
	}
}
