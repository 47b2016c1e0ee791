# METADATA
# title: Stages
# description: Only what is generally available comes to production.
# custom:
#   events: [ACTIVITY_STAGE_TRANSITION]
#   enforcement: block
#   remedy: release version 1.0.0 or later, without a pre-release part, before going to production
package mesh.stages

version := input.afterState.dataProductVersion.info.version

to_production if input.afterState.lifecycle in data.vocabulary.production

deny contains violation if {
	to_production
	to_number(split(version, ".")[0]) < 1
	violation := {
		"rule": "released",
		"msg": sprintf("version %s is not generally available, so it cannot go to '%s'", [version, input.afterState.lifecycle]),
		"pointer": "/info/version",
	}
}

deny contains violation if {
	to_production
	contains(split(version, "+")[0], "-")
	violation := {
		"rule": "pre-release",
		"msg": sprintf("version %s is a pre-release, so it cannot go to '%s'", [version, input.afterState.lifecycle]),
		"pointer": "/info/version",
	}
}
