# METADATA
# title: Naming
# description: Names are camelCase and do not repeat the version; a version is part of no name.
# custom:
#   enforcement: warn
#   remedy: rename it in the next major version; a name is part of every fully qualified name
package mesh.naming

import input.afterState.dataProductVersion as product

# What is wrong with a name, by the pattern that finds it.
faults := {
	"camel-case": {"pattern": `^[^a-z]|[^a-zA-Z0-9]`, "what": "is not camelCase"},
	"version-in-name": {"pattern": `[a-z][vV][0-9]+$`, "what": "has a version in it"},
}

# All names, one after the other: nearly every name is fine, and together they are looked at as fast as one.
names := array.concat(
	[name | name := product.info.name],
	[name | name := product.interfaceComponents[_][_].name],
)

# All patterns of `faults` in one, for names with a space between them.
is_any_at_fault if regex.match(`(^| )[^a-z ]|[^a-zA-Z0-9 ]|[a-z][vV][0-9]+( |$)`, concat(" ", names))

is_any_at_fault if contains(concat("", names), " ")

deny contains violation if {
	is_any_at_fault
	some violation in found("product", product.info.name, "/info/name")
}

deny contains violation if {
	is_any_at_fault
	some kind, ports in product.interfaceComponents
	some position, port in ports
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
