# METADATA
# title: Compatibility
# description: What breaks consumers comes with a new major version; before 1.0.0, with a new minor one.
# custom:
#   enforcement: block
#   remedy: keep what consumers rely on, or raise the major version and let both run side by side
package mesh.compatibility

deny contains violation if {
	change := input.change
	some port in change.compatibility.ports
	some reason in port.reasons
	reason.impact == "breaking"
	not announced(change.from.version, change.to.version)
	violation := {
		"rule": "breaking",
		"msg": sprintf("port '%s'%s: %s, which breaks consumers, and %s is not a new major version after %s", [
			port.name,
			place(reason),
			reason.message,
			change.to.version,
			change.from.version,
		]),
		"pointer": reason.pointer,
		"within": object.get(reason, "within", null),
	}
}

# Where in the port's contract, for the message.
place(reason) := sprintf(", %s", [reason.path]) if reason.path != ""

place(reason) := "" if reason.path == ""

# Whether the step from one version to the other tells consumers that something breaks.
announced(from, to) if major(to) > major(from)

announced(from, to) if {
	major(from) == 0
	major(to) == 0
	minor(to) > minor(from)
}

major(version) := to_number(split(version, ".")[0])

minor(version) := to_number(split(version, ".")[1])
