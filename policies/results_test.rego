package mesh.results_test

import data.mesh.results

returned(value) := {"currentState": {"task": {"name": "provision", "results": value}}}

test_plain_results if {
	value := {"schema": "dev_trips_v1", "tables": ["trips", "stops"], "rows": 12, "url": "postgres://db/mesh"}
	count(results.deny) == 0 with input as returned(value)
}

test_a_password_by_name if {
	some violation in results.deny with input as returned({"db": {"admin_password": "hunter2"}})
	contains(violation.msg, "'db.admin_password'")
	not contains(violation.msg, "hunter2")
}

test_a_private_key if {
	count(results.deny) == 1 with input as returned({"note": "-----BEGIN RSA PRIVATE KEY-----\nMII"})
}

test_a_password_in_a_url if {
	count(results.deny) == 1 with input as returned({"urls": ["postgres://mesh:hunter2@db/mesh"]})
}

test_an_access_key if {
	count(results.deny) == 1 with input as returned({"id": "AKIAABCDEFGHIJKLMNOP"})
}

test_no_results if {
	count(results.deny) == 0 with input as {"currentState": {"task": {"name": "provision"}}}
	count(results.deny) == 0 with input as returned(null)
}
