package mesh.privacy_test

import data.mesh.privacy

product(tags, port) := {"afterState": {"dataProductVersion": {
	"tags": tags,
	"interfaceComponents": {"outputPorts": [port]},
}}}

guarded := {
	"name": "riders",
	"tags": ["pii"],
	"expectations": {"audience": {"name": "a", "definition": "marketing"}},
	"obligations": {"termsAndConditions": {"name": "t", "definition": "no re-identification"}},
}

rules := {violation.rule | some violation in privacy.deny}

test_a_guarded_port if {
	count(privacy.deny) == 0 with input as product([], guarded)
}

test_a_port_without_personal_data if {
	count(privacy.deny) == 0 with input as product(["sales"], {"name": "trips"})
}

test_an_unguarded_port if {
	rules == {"audience", "terms"} with input as product([], {"name": "riders", "tags": ["PII"]})
}

test_the_products_tag_counts_for_its_ports if {
	rules == {"terms"} with input as product(["personal-data"], object.remove(guarded, ["tags", "obligations"]))
}

test_contracts_of_the_draft_count if {
	draft := object.union(object.remove(guarded, ["obligations"]), {"contracts": guarded.obligations})
	count(privacy.deny) == 0 with input as product([], draft)
}
