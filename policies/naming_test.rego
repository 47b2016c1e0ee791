package mesh.naming_test

import data.mesh.naming

product(name, port) := {"afterState": {"dataProductVersion": {
	"info": {"name": name},
	"interfaceComponents": {"inputPorts": [{"name": port}]},
}}}

rules := {violation.rule | some violation in naming.deny}

test_camel_case if {
	count(naming.deny) == 0 with input as product("tripExecution", "tmsTripCDC")
}

test_upper_case_product if {
	some violation in naming.deny with input as product("TripExecution", "trips")
	violation.pointer == "/info/name"
}

test_snake_case_port if {
	some violation in naming.deny with input as product("tripExecution", "tms_trips")
	violation.pointer == "/interfaceComponents/inputPorts/0/name"
}

test_a_version_in_a_name if {
	rules == {"version-in-name"} with input as product("tripExecutionV2", "trips")
}

test_no_product if {
	count(naming.deny) == 0 with input as {}
}

test_all_faults_are_looked_for if {
	naming.any_fault == concat("|", [fault.pattern | some fault in naming.faults])
}
