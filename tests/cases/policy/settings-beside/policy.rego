# METADATA
# title: Versions
# custom:
#   enforcement: block
#   remedy: from the annotation
package team.versions

deny contains "not a stable version" if startswith(input.afterState.dataProductVersion.info.version, "0.")
