# METADATA
# title: Task results
# description: What a task returns is recorded and shown, so no secret may be in it.
# custom:
#   events: [TASK_EXECUTION_RESULT]
#   enforcement: block
#   remedy: let the task return where the secret is kept, and change the secret that has been shown
package mesh.results

# The message says where, and never what: the value stays out of every record.
deny contains violation if {
	walk(input.currentState.task.results, [path, value])
	is_string(value)
	looks_secret(path, value)
	violation := {
		"rule": "secret",
		"msg": sprintf("the task's result '%s' looks like a secret", [concat(".", [sprintf("%v", [part]) | some part in path])]),
	}
}

looks_secret(_, value) if regex.match(`-----BEGIN [A-Z ]*PRIVATE KEY-----`, value)

looks_secret(_, value) if regex.match(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`, value)

looks_secret(_, value) if regex.match(`\bgh[pousr]_[A-Za-z0-9]{36,}\b`, value)

looks_secret(_, value) if regex.match(`\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}`, value)

# A user name and a password in a URL.
looks_secret(_, value) if regex.match(`[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@`, value)

looks_secret(path, value) if {
	count(path) > 0
	name := path[count(path) - 1]
	is_string(name)
	regex.match(`(?i)^(.*[_-])?(password|passwd|secret|token|api_?key|private_?key|credentials?)$`, name)
	value != ""
}
