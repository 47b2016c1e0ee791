# METADATA
# title: Naming
# description: Names are camelCase and do not repeat the version; a version is part of no name.
# custom:
#   enforcement: warn
#   remedy: rename it in the next major version; a name is part of every fully qualified name
package mesh.naming

import data.mesh.ports

named contains found if {
	name := ports.product.info.name
	found := {"what": "product", "name": name, "pointer": "/info/name"}
}

named contains found if {
	some port in ports.all
	found := {"what": "port", "name": port.port.name, "pointer": sprintf("%s/name", [port.pointer])}
}

deny contains violation if {
	some found in named
	not regex.match(`^[a-z][a-zA-Z0-9]*$`, sprintf("%v", [found.name]))
	violation := {
		"rule": "camel-case",
		"msg": sprintf("the name of the %s '%v' is not camelCase", [found.what, found.name]),
		"pointer": found.pointer,
	}
}

deny contains violation if {
	some found in named
	regex.match(`[a-z][vV][0-9]+$`, sprintf("%v", [found.name]))
	violation := {
		"rule": "version-in-name",
		"msg": sprintf("the name of the %s '%v' has a version in it", [found.what, found.name]),
		"pointer": found.pointer,
	}
}
