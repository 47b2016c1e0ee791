# Written for Open Data Mesh: it looks at two states and says `allow`.
package dataproduct.versioning

default allow := false

allow if not input.currentState

allow if {
	semver.compare(input.afterState.dataProductVersion.info.version, input.currentState.dataProductVersion.info.version) > 0
	input.afterState.dataProductVersion.info.domain == input.currentState.dataProductVersion.info.domain
}
