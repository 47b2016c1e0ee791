package mesh.ownership_test

import data.mesh.ownership

owned_by(id) := {"afterState": {"dataProductVersion": {"info": {"owner": {"id": id}}}}}

test_a_mailbox_is_an_owner if {
	count(ownership.deny) == 0 with input as owned_by("trips-team@example.com")
}

test_a_name_is_not if {
	some violation in ownership.deny with input as owned_by("Trips Team")
	violation.rule == "mailbox"
	violation.pointer == "/info/owner/id"
}

test_a_missing_owner_is_not if {
	count(ownership.deny) == 1 with input as {"afterState": {"dataProductVersion": {"info": {}}}}
}

test_a_number_is_not if {
	count(ownership.deny) == 1 with input as owned_by(7)
}

test_a_mailbox_that_nobody_reads_is_not if {
	some violation in ownership.deny with input as owned_by("No-Reply@example.com")
	violation.rule == "reachable"
}

test_no_product_is_no_violation if {
	count(ownership.deny) == 0 with input as {"event": "DATA_PRODUCT_VERSION_CREATION"}
}
