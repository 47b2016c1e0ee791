# METADATA
# title: Naming
# description: Names are camelCase and do not repeat the version; a version is part of no name.
# custom:
#   enforcement: warn
#   remedy: rename it in the next major version; a name is part of every fully qualified name
package mesh.naming

product := input.afterState.dataProductVersion

# What is wrong with a name, by the pattern that finds it.
faults := {
	"camel-case": {"pattern": `^[^a-z]|[^a-zA-Z0-9]`, "what": "is not camelCase"},
	"version-in-name": {"pattern": `[a-z][vV][0-9]+$`, "what": "has a version in it"},
}

# All patterns of `faults` in one, because nearly every name is fine.
any_fault := `^[^a-z]|[^a-zA-Z0-9]|[a-z][vV][0-9]+$`

deny contains violation if {
	name := product.info.name
	regex.match(any_fault, name)
	some violation in found("product", name, "/info/name")
}

deny contains violation if {
	some kind, ports in product.interfaceComponents
	some position, port in ports
	regex.match(any_fault, port.name)
	some violation in found("port", port.name, sprintf("/interfaceComponents/%s/%d/name", [kind, position]))
}

found(what, name, pointer) := {violation |
	some rule, fault in faults
	regex.match(fault.pattern, name)
	violation := {
		"rule": rule,
		"msg": sprintf("the name of the %s '%s' %s", [what, name, fault.what]),
		"pointer": pointer,
	}
}
