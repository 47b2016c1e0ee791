package mesh.stages_test

import data.mesh.stages

moving(stage, version) := {"afterState": {
	"lifecycle": stage,
	"dataProductVersion": {"info": {"version": version}},
}}

rules := {violation.rule | some violation in stages.deny}

test_a_release_goes_to_production if {
	count(stages.deny) == 0 with input as moving("prod", "1.0.0")
	count(stages.deny) == 0 with input as moving("prod", "1.0.0+build-7")
}

test_what_is_not_released_does_not if {
	rules == {"released"} with input as moving("prod", "0.9.0")
	rules == {"pre-release"} with input as moving("production", "2.0.0-rc.1")
}

test_elsewhere_it_may if {
	count(stages.deny) == 0 with input as moving("dev", "0.1.0-alpha")
}

test_a_transition_without_a_version if {
	count(stages.deny) == 0 with input as {"afterState": {"lifecycle": "prod"}}
}
