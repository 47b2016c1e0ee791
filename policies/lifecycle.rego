# METADATA
# title: Lifecycle
# description: A product that goes to production has been somewhere else before, and says how its ports will end.
# custom:
#   enforcement: block
#   remedy: rehearse the rollout at a stage before production, and give every output port a deprecation policy
package mesh.lifecycle

product := input.afterState.dataProductVersion

stages := product.internalComponents.lifecycleInfo

production contains stage if {
	some stage in data.vocabulary.production
	stages[stage]
}

is_rehearsed if {
	some stage in data.vocabulary.rehearsal
	count(stages[stage]) > 0
}

deny contains violation if {
	some stage in production
	count(stages[stage]) > 0
	not is_rehearsed
	violation := {
		"rule": "rehearsal",
		"msg": sprintf("the stage '%s' has tasks, and no stage before it has any", [stage]),
		"pointer": sprintf("/internalComponents/lifecycleInfo/%s", [stage]),
	}
}

deny contains violation if {
	count(production) > 0
	some position, port in product.interfaceComponents.outputPorts
	not port.promises.deprecationPolicy
	violation := {
		"rule": "deprecation-policy",
		"msg": sprintf(
			"the output port '%v' goes to production without a deprecation policy",
			[object.get(port, "name", position)],
		),
		"pointer": sprintf("/interfaceComponents/outputPorts/%d/promises/deprecationPolicy", [position]),
	}
}
