package mesh.contacts_test

import data.mesh.contacts

reached_at(points) := {"afterState": {"dataProductVersion": {"info": {"contactPoints": points}}}}

pointers := {violation.pointer | some violation in contacts.deny}

test_a_contact_point if {
	count(contacts.deny) == 0 with input as reached_at([{"channel": "email", "address": "trips@example.com"}])
}

test_none if {
	pointers == {"/info/contactPoints"} with input as reached_at([])
	pointers == {"/info/contactPoints"} with input as {"afterState": {"dataProductVersion": {"info": {}}}}
}

test_half_a_contact_point if {
	pointers == {"/info/contactPoints/0/address"} with input as reached_at([{"channel": "slack"}])
}

test_a_mail_address_that_is_none if {
	pointers == {"/info/contactPoints/0/address"} with input as reached_at([{"channel": "EMail", "address": "trips"}])
}
