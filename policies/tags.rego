# METADATA
# title: Tag vocabulary
# description: Tags come from the vocabulary in data.yaml, so that people find what belongs together.
# custom:
#   enforcement: warn
#   remedy: use a tag of the vocabulary, or propose a new one in policies/data.yaml
package mesh.tags

import input.afterState.dataProductVersion as product

vocabulary := data.vocabulary.tags

deny contains violation if {
	some position, tag in product.tags
	not tag in vocabulary
	violation := unknown(tag, sprintf("/tags/%d", [position]))
}

deny contains violation if {
	tag := product.interfaceComponents[kind][place].tags[position]
	not tag in vocabulary
	violation := unknown(tag, sprintf("/interfaceComponents/%s/%d/tags/%d", [kind, place, position]))
}

unknown(tag, pointer) := {
	"rule": "unknown",
	"msg": sprintf("the tag '%v' is not in the vocabulary", [tag]),
	"pointer": pointer,
}
