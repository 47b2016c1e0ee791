# METADATA
# title: Tag vocabulary
# description: Tags come from the vocabulary in data.yaml, so that people find what belongs together.
# custom:
#   enforcement: warn
#   remedy: use a tag of the vocabulary, or propose a new one in policies/data.yaml
package mesh.tags

product := input.afterState.dataProductVersion

vocabulary := data.vocabulary.tags

deny contains violation if {
	some position, tag in product.tags
	not tag in vocabulary
	violation := unknown(tag, sprintf("/tags/%d", [position]))
}

deny contains violation if {
	some kind, ports in product.interfaceComponents
	some place, port in ports
	some position, tag in port.tags
	not tag in vocabulary
	violation := unknown(tag, sprintf("/interfaceComponents/%s/%d/tags/%d", [kind, place, position]))
}

unknown(tag, pointer) := {
	"rule": "unknown",
	"msg": sprintf("the tag '%v' is not in the vocabulary", [tag]),
	"pointer": pointer,
}
