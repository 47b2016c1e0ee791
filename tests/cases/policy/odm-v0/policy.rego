package dataproduct.naming

default allow = false

allow {
	startswith(input.afterState.dataProductVersion.info.name, "acme")
}
