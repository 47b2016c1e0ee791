package mesh.description_test

import data.mesh.description

product(info, port) := {"afterState": {"dataProductVersion": {
	"info": info,
	"interfaceComponents": {"outputPorts": [port]},
}}}

test_described if {
	asked := product({"description": "Trips."}, {"name": "trips", "description": "All of them."})
	count(description.deny) == 0 with input as asked
	count(description.warn) == 0 with input as asked
}

test_product_without_description if {
	some violation in description.deny with input as product({}, {})
	violation.pointer == "/info/description"
}

test_blank_is_not_a_description if {
	count(description.deny) == 1 with input as product({"description": " \n"}, {})
}

test_port_without_description_is_a_warning if {
	asked := product({"description": "Trips."}, {"name": "trips"})
	count(description.deny) == 0 with input as asked
	some violation in description.warn with input as asked
	violation.pointer == "/interfaceComponents/outputPorts/0/description"
}
