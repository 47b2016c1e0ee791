# A library: what several policies need to know of a product's ports.
package mesh.ports

kinds := ["inputPorts", "outputPorts", "discoveryPorts", "observabilityPorts", "controlPorts"]

# The product version that is asked about.
product := input.afterState.dataProductVersion

# Every port, with its place.
all contains found if {
	some kind in kinds
	some position, port in product.interfaceComponents[kind]
	found := {"port": port, "kind": kind, "pointer": sprintf("/interfaceComponents/%s/%d", [kind, position])}
}

# The output ports, with their places.
outputs contains found if {
	some position, port in product.interfaceComponents.outputPorts
	found := {"port": port, "pointer": sprintf("/interfaceComponents/outputPorts/%d", [position])}
}

# The name of a port, or something to call it by.
name(port) := object.get(port, "name", "without a name")

# Whether a text says anything.
said(text) if {
	is_string(text)
	trim_space(text) != ""
}
