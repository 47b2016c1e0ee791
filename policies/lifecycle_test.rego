package mesh.lifecycle_test

import data.mesh.lifecycle

product(stages, promises) := {"afterState": {"dataProductVersion": {
	"interfaceComponents": {"outputPorts": [{"name": "trips", "promises": promises}]},
	"internalComponents": {"lifecycleInfo": stages},
}}}

rules := {violation.rule | some violation in lifecycle.deny}

ending := {"deprecationPolicy": {"definition": "six months"}}

test_dev_before_prod if {
	count(lifecycle.deny) == 0 with input as product({"dev": [{}], "prod": [{}]}, ending)
}

test_prod_alone if {
	rules == {"rehearsal"} with input as product({"prod": [{"name": "deploy"}]}, ending)
	rules == {"rehearsal"} with input as product({"dev": [], "prod": [{"name": "deploy"}]}, ending)
}

test_no_way_to_end if {
	some violation in lifecycle.deny with input as product({"dev": [{}], "prod": [{}]}, {})
	violation.pointer == "/interfaceComponents/outputPorts/0/promises/deprecationPolicy"
}

test_a_product_that_stays_in_dev if {
	count(lifecycle.deny) == 0 with input as product({"dev": [{}]}, {})
}

test_no_stages if {
	count(lifecycle.deny) == 0 with input as {"afterState": {"dataProductVersion": {"info": {}}}}
}
