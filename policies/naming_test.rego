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

# Names are looked at together first: what is wrong with one is not hidden by the other.
faulty := {
	"Trips": {"camel-case"},
	"0trips": {"camel-case"},
	" trips": {"camel-case"},
	"trips ": {"camel-case"},
	"trip s": {"camel-case"},
	"trips\n": {"camel-case"},
	"trips-v": {"camel-case"},
	"tripsV2": {"version-in-name"},
	"tripsv20": {"version-in-name"},
	"Trips_v2": {"camel-case"},
	"trips_rv2": {"camel-case", "version-in-name"},
}

test_each_fault_of_a_product if {
	every name, wrong in faulty {
		rules == wrong with input as product(name, "trips")
	}
}

test_each_fault_of_a_port if {
	every name, wrong in faulty {
		rules == wrong with input as product("trips", name)
	}
}

test_names_that_are_fine_are_fine_together if {
	every name in ["", "t", "tV2x", "v2", "aB9"] {
		count(naming.deny) == 0 with input as product(name, "trips")
		count(naming.deny) == 0 with input as product("trips", name)
	}
}
