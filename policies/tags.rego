# METADATA
# title: Tag vocabulary
# description: Tags come from the vocabulary in data.yaml, so that people find what belongs together.
# custom:
#   enforcement: warn
#   remedy: use a tag of the vocabulary, or propose a new one in policies/data.yaml
package mesh.tags

import data.mesh.ports

known := {tag | some tag in data.vocabulary.tags}

tagged contains found if {
	some position, tag in ports.product.tags
	found := {"tag": tag, "pointer": sprintf("/tags/%d", [position])}
}

tagged contains found if {
	some port in ports.all
	some position, tag in port.port.tags
	found := {"tag": tag, "pointer": sprintf("%s/tags/%d", [port.pointer, position])}
}

deny contains violation if {
	some found in tagged
	not found.tag in known
	violation := {
		"rule": "unknown",
		"msg": sprintf("the tag '%v' is not in the vocabulary", [found.tag]),
		"pointer": found.pointer,
	}
}
