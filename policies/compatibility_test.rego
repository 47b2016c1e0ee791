package mesh.compatibility_test

import data.mesh.compatibility

change(from, to, impact) := {"change": {
	"from": {"version": from},
	"to": {"version": to},
	"compatibility": {
		"compatibility": impact,
		"required": "2.0.0",
		"ports": [{"kind": "outputport", "name": "trips", "compatibility": impact, "reasons": [{
			"rule": "promises/promise-removed",
			"path": "promises.api",
			"message": "the API is promised no longer",
			"pointer": "/interfaceComponents/outputPorts/0/promises",
			"impact": impact,
		}]}],
	},
}}

test_a_breaking_change_in_a_minor_version if {
	some violation in compatibility.deny with input as change("1.2.0", "1.3.0", "breaking")
	violation.pointer == "/interfaceComponents/outputPorts/0/promises"
	contains(violation.msg, "port 'trips', promises.api: the API is promised no longer")
}

test_a_breaking_change_in_a_new_major_version if {
	count(compatibility.deny) == 0 with input as change("1.2.0", "2.0.0", "breaking")
}

test_a_compatible_change if {
	count(compatibility.deny) == 0 with input as change("1.2.0", "1.2.1", "compatible")
}

test_before_one_a_new_minor_version_is_enough if {
	count(compatibility.deny) == 0 with input as change("0.9.0", "0.10.0", "breaking")
	count(compatibility.deny) == 1 with input as change("0.9.0", "0.9.1", "breaking")
}

test_a_major_of_two_digits if {
	count(compatibility.deny) == 0 with input as change("9.0.0", "10.0.0", "breaking")
}

test_a_new_product if {
	count(compatibility.deny) == 0 with input as {"change": {"kind": "created", "from": null, "difference": {"fields": []}}}
}

test_the_place_in_a_contract_that_is_a_text if {
	place := {"line": 4, "column": 3, "length": 4}
	before := change("1.2.0", "1.3.0", "breaking").change
	port := before.compatibility.ports[0]
	reasons := [object.union(port.reasons[0], {"within": place})]
	broken := object.union(before, {"compatibility": {"ports": [object.union(port, {"reasons": reasons})]}})
	some violation in compatibility.deny with input as {"change": broken}
	violation.within == place
}
