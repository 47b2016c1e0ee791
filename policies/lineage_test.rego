package mesh.lineage_test

import data.mesh.lineage

fqn := "urn:dpds:com.example:dataproducts:trips:1"

product(inputs, sources) := {"afterState": {"dataProductVersion": {
	"info": {"fullyQualifiedName": fqn},
	"interfaceComponents": {"inputPorts": inputs},
	"internalComponents": {"applicationComponents": [{"name": "loader", "consumesFrom": sources}]},
}}}

own(port) := sprintf("%s:inputports:%s", [fqn, port])

rules := {violation.rule | some violation in lineage.deny}

test_read_through_a_port if {
	count(lineage.deny) == 0 with input as product([{"name": "raw"}], [own("raw")])
}

test_read_past_the_ports if {
	rules == {"no-input-port"} with input as product([], ["urn:dpds:com.example:dataproducts:stops:1:outputports:stops"])
}

test_a_port_that_is_not_there if {
	some violation in lineage.deny with input as product([{"name": "raw"}], [own("raw"), own("rare")])
	violation.pointer == "/internalComponents/applicationComponents/0/consumesFrom/1"
}

test_nothing_is_read if {
	count(lineage.deny) == 0 with input as product([], [])
}
