//! One product, written in three ways.

use super::Files;

/// In YAML, in one file.
pub(super) const YAML: &str = r#"# Trips
dataProductDescriptor: 1.0.0
info:
  name: tripExecution
  version: 1.2.3
  displayName: "Trips \u00e9\U0001F69A"
  domain: transport
  owner: &owner { id: john.doe@company-xyz.com, name: John Doe }
  contactPoints:
    - { name: mail, channel: email, address: trips@example.com }
interfaceComponents:
  inputPorts:
    - name: tmsTripCDC
      version: 1.0.0
      description: Read nightly
  outputPorts:
    - name: trips
      version: 1.1.0
      promises:
        platform: postgres
        servicesType: datastore-services
        api:
          name: tripsApi
          version: 1.0.0
          specification: datastoreapi
          definition:
            schema:
              tables:
                - { name: trips, columns: [{ name: id, size: 1.50, nullable: false, default: null }] }
            limits: [0x10, 1.0e+3, -7, true]
            note: |
              Two
              lines
internalComponents:
  lifecycleInfo:
    dev:
      - name: make
        order: 1
        service: { $href: sql }
        template: { name: make, version: 1.0.0, specification: sql, definition: "create table trips (id int);\n" }
        configurations: { schema: trips }
  applicationComponents:
    - name: loader
      version: 1.0.0
      consumesFrom: ['urn:dpds:com.example:dataproducts:tripExecution:1:inputports:tmsTripCDC']
      dependsOn: ['urn:dpds:com.example:dataproducts:tripExecution:1:infrastructure:store']
  infrastructuralComponents:
    - { name: store, version: 1.0.0 }
x-owner: *owner
tags: [trips]
"#;

/// In JSON, with other white space and other orders of keys.
pub(super) const JSON: &str = r#"{
	"tags": ["trips"], "x-owner": {"name": "John Doe", "id": "john.doe@company-xyz.com"},
	"internalComponents": {
		"infrastructuralComponents": [{"version": "1.0.0", "name": "store"}],
		"applicationComponents": [{
			"dependsOn": ["urn:dpds:com.example:dataproducts:tripExecution:1:infrastructure:store"],
			"consumesFrom": ["urn:dpds:com.example:dataproducts:tripExecution:1:inputports:tmsTripCDC"],
			"name": "loader", "version": "1.0.0"
		}],
		"lifecycleInfo": {"dev": [{
			"configurations": {"schema": "trips"},
			"template": {"definition": "create table trips (id int);\n", "specification": "sql", "version": "1.0.0", "name": "make"},
			"service": {"$href": "sql"}, "order": 1, "name": "make"
		}]}
	},
	"interfaceComponents": {
		"outputPorts": [{"promises": {"api": {
			"definition": {
				"note": "Two\nlines\n", "limits": [16, 1000.0, -7, true],
				"schema": {"tables": [{"columns": [{"default": null, "nullable": false, "size": 1.5, "name": "id"}], "name": "trips"}]}
			},
			"specification": "datastoreapi", "version": "1.0.0", "name": "tripsApi"
		}, "servicesType": "datastore-services", "platform": "postgres"}, "version": "1.1.0", "name": "trips"}],
		"inputPorts": [{"description": "Read nightly", "version": "1.0.0", "name": "tmsTripCDC"}]
	},
	"info": {
		"contactPoints": [{"address": "trips@example.com", "channel": "email", "name": "mail"}],
		"owner": {"name": "John Doe", "id": "john.doe@company-xyz.com"},
		"domain": "transport", "displayName": "Trips é\ud83d\uDE9A", "version": "1.2.3", "name": "tripExecution"
	},
	"dataProductDescriptor": "1.0.0"
}"#;

/// In pieces, each referenced in one of the ways that there are.
pub(super) const PIECES: &str = r#"
dataProductDescriptor: "1.0.0"
info: { $ref: parts/info.json }
interfaceComponents:
  inputPorts:
    - $ref: '#/components/inputPorts/tms~1cdc'
      description: Read nightly
  outputPorts: [{ $ref: parts/ports.yaml#/outputPorts/trips, mediaType: text/yaml }]
internalComponents:
  lifecycleInfo:
    dev:
      - name: make
        order: 1
        service: { $href: sql }
        template: { $ref: '#/components/templates/make' }
        configurations: { $ref: parts/conf.yaml }
  applicationComponents: [{ $ref: ./parts/../parts/loader%2Ejson }]
  infrastructuralComponents: [{ $ref: '#/components/infrastructuralComponents/store' }]
x-owner: { id: john.doe@company-xyz.com, name: John Doe }
tags: [trips]
components:
  inputPorts:
    tms/cdc: { $ref: '#/components/inputPorts/other' }
    other: { name: tmsTripCDC, version: 1.0.0, description: Replaced }
  templates:
    make: { name: make, version: 1.0.0, specification: sql, definition: { $ref: parts/make.sql } }
  infrastructuralComponents:
    store: { name: store, version: 1.0.0 }
"#;

/// The pieces with their files; the root is `p/d.yaml`.
pub(super) fn pieces() -> Files {
    Files::default()
        .with("p/d.yaml", PIECES)
        .with(
            "p/parts/info.json",
            r#"{"name": "tripExecution", "version": "1.2.3", "displayName": "Trips é🚚", "domain": "transport",
               "owner": {"$ref": "owner.yaml"},
               "contactPoints": [{"name": "mail", "channel": "email", "address": "trips@example.com"}]}"#,
        )
        .with("p/parts/owner.yaml", "id: john.doe@company-xyz.com\nname: John Doe\n")
        .with(
            "p/parts/ports.yaml",
            "outputPorts:\n  trips:\n    name: trips\n    version: 1.1.0\n    promises: { $ref: '#/promises' }\npromises:\n  \
             platform: postgres\n  servicesType: datastore-services\n  api: { $ref: ../../apis/trips.json }\n",
        )
        .with(
            "apis/trips.json",
            r#"{"name": "tripsApi", "version": "1.0.0", "specification": "datastoreapi",
               "definition": {"$ref": "trips-api.yaml", "mediaType": "text/yaml"}}"#,
        )
        .with(
            "apis/trips-api.yaml",
            "schema:\n  tables:\n    - $ref: tables/trips.json\nlimits: [16, 1000, -7, true]\nnote: \"Two\\nlines\\n\"\n",
        )
        .with(
            "apis/tables/trips.json",
            r#"{"name": "trips", "columns": [{"name": "id", "size": 1.5, "nullable": false, "default": null}]}"#,
        )
        .with("p/parts/conf.yaml", "schema: trips\n")
        .with("p/parts/make.sql", "create table trips (id int);\n")
        .with(
            "p/parts/loader.json",
            r#"{"name": "loader", "version": "1.0.0",
               "consumesFrom": ["urn:dpds:com.example:dataproducts:tripExecution:1:inputports:tmsTripCDC"],
               "dependsOn": ["urn:dpds:com.example:dataproducts:tripExecution:1:infrastructure:store"]}"#,
        )
}
