# METADATA
# title: Lifecycle
# description: A product that goes to production has been somewhere else before, and says how its ports will end.
# custom:
#   enforcement: block
#   remedy: rehearse the rollout at a stage before production, and give every output port a deprecation policy
package mesh.lifecycle

import data.mesh.ports

stages := object.get(ports.product, ["internalComponents", "lifecycleInfo"], {})

production contains stage if {
	some stage, _ in stages
	stage in data.vocabulary.production
}

deny contains violation if {
	some stage in production
	count({name | some name, tasks in stages; name in data.vocabulary.rehearsal; count(tasks) > 0}) == 0
	count(stages[stage]) > 0
	violation := {
		"rule": "rehearsal",
		"msg": sprintf("the stage '%s' has tasks, and no stage before it has any", [stage]),
		"pointer": sprintf("/internalComponents/lifecycleInfo/%s", [stage]),
	}
}

deny contains violation if {
	count(production) > 0
	some output in ports.outputs
	not output.port.promises.deprecationPolicy
	violation := {
		"rule": "deprecation-policy",
		"msg": sprintf("the output port '%s' goes to production without a deprecation policy", [ports.name(output.port)]),
		"pointer": sprintf("%s/promises/deprecationPolicy", [output.pointer]),
	}
}
