package mesh.slo_test

import data.mesh.slo

ports(list) := {"afterState": {"dataProductVersion": {"interfaceComponents": {"outputPorts": list}}}}

test_a_port_with_an_slo if {
	promised := {"slo": {"name": "s", "version": "1.0.0", "definition": {"availability": "99.9%"}}}
	count(slo.deny) == 0 with input as ports([{"name": "trips", "promises": promised}])
}

test_no_ports if {
	count(slo.deny) == 0 with input as ports([])
}

test_the_second_port_without_one if {
	promised := {"slo": {"definition": "daily"}}
	asked := ports([{"name": "trips", "promises": promised}, {"name": "stops"}])
	{violation.pointer | some violation in slo.deny} == {"/interfaceComponents/outputPorts/1/promises/slo"} with input as asked
}

test_an_slo_that_says_nothing if {
	some violation in slo.deny with input as ports([{"name": "trips", "promises": {"slo": {"name": "s"}}}])
	violation.rule == "empty"
}
