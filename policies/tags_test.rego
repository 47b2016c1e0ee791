package mesh.tags_test

import data.mesh.tags

product(list, port) := {"afterState": {"dataProductVersion": {
	"tags": list,
	"interfaceComponents": {"outputPorts": [{"name": "trips"}, {"name": "stops", "tags": port}]},
}}}

test_known_tags if {
	count(tags.deny) == 0 with input as product(["sales"], ["pii", "batch"])
}

test_an_unknown_tag_of_the_product if {
	some violation in tags.deny with input as product(["sales", "shiny"], [])
	violation.pointer == "/tags/1"
}

test_an_unknown_tag_of_a_port if {
	some violation in tags.deny with input as product([], ["shiny"])
	violation.pointer == "/interfaceComponents/outputPorts/1/tags/0"
}

test_another_vocabulary if {
	asked := product(["shiny"], [])
	count(tags.deny) == 0 with input as asked with data.vocabulary.tags as ["shiny"]
}
