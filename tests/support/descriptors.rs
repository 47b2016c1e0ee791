//! Made-up descriptors: right by construction, and with mistakes in them. The same seed makes the same
//! ones.

use meshwright::domain::id::{EntityKind, Fqn, Namespace};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::memory_tree::MemoryTree;

/// The namespace with which computed names are right.
pub const NAMESPACE: &str = "com.example";

/// The root file of each.
pub const ROOT: &str = "data-product-descriptor.json";

/// `count` descriptors; three of four have one or two mistakes.
pub fn made_up(count: usize, seed: u64) -> Vec<Value> {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let strategy = (descriptor(), prop::collection::vec(mutation(), 1..3), 0..4_u8);
    (0..count)
        .map(|_| {
            let (mut descriptor, mutations, choice) = strategy.new_tree(&mut runner).unwrap().current();
            let wrong = if choice == 0 { 0 } else { mutations.len() };
            mutations.iter().take(wrong).for_each(|mutation| mutate(&mut descriptor, mutation));
            descriptor
        })
        .collect()
}

/// A tree with this descriptor, and the files to which its references may lead.
pub fn tree_of(descriptor: &Value) -> MemoryTree {
    MemoryTree::new()
        .with(ROOT, descriptor.to_string())
        .with("port.json", r#"{"name": "fromFile", "version": "1.0.0"}"#)
        .with("api.json", r#"{"name": "apiOfFile", "version": "1.0.0", "specification": "custom", "definition": {}}"#)
}

type Any = BoxedStrategy<Value>;

fn text() -> Any {
    "[ -~é]{0,12}".prop_map(Value::from).boxed()
}

fn word() -> Any {
    "[a-z]{1,8}".prop_map(Value::from).boxed()
}

fn name() -> Any {
    "[a-zA-Z][a-zA-Z0-9]{1,6}".prop_map(Value::from).boxed()
}

fn version() -> Any {
    // The product is at major 1, and no port is ahead of it.
    prop::sample::select(vec!["0.1.0", "1.0.0", "1.2.3-rc.1", "1.10.0+build.5"]).prop_map(Value::from).boxed()
}

fn reference(to: &'static str) -> Any {
    (prop::option::of(text()), prop::option::of(word()))
        .prop_map(move |(description, media_type)| {
            let mut reference = json!({"$ref": to});
            if let Some(description) = description {
                reference["description"] = description;
            }
            if let Some(media_type) = media_type {
                reference["mediaType"] = media_type;
            }
            reference
        })
        .boxed()
}

fn anything() -> Any {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        Just(json!(1.5)),
        text(),
        prop::collection::vec(word(), 0..2).prop_map(Value::from),
        Just(json!({})),
        word().prop_map(|word| json!({"name": word})),
        Just(json!({"$ref": "port.json"})),
        Just(json!({"$ref": "nowhere.json"})),
        Just(json!({"$ref": "port.json", "name": "beside", "version": "1.0.0"})),
    ]
    .boxed()
}

fn object(required: Vec<(&'static str, Any)>, optional: Vec<(&'static str, Any)>) -> Any {
    let mut fields: Vec<BoxedStrategy<Option<(String, Value)>>> = Vec::new();
    for (key, value) in required {
        fields.push(value.prop_map(move |value| Some((key.to_owned(), value))).boxed());
    }
    for (key, value) in optional {
        let field = prop::option::weighted(0.3, value).prop_map(move |value| Some((key.to_owned(), value?)));
        fields.push(field.boxed());
    }
    fields.prop_map(|fields| Value::Object(fields.into_iter().flatten().collect::<Map<_, _>>())).boxed()
}

fn list(item: Any, most: usize) -> Any {
    prop::collection::vec(item, 0..=most).prop_map(Value::from).boxed()
}

fn described() -> Vec<(&'static str, Any)> {
    vec![
        ("displayName", text()),
        ("description", text()),
        ("tags", list(word(), 2)),
        (
            "externalDocs",
            object(vec![("$href", Just(json!("https://example.com/docs")).boxed())], vec![("description", text())]),
        ),
        ("x-note", anything_inside()),
    ]
}

/// What extensions hold; no references, which mean nothing there.
fn anything_inside() -> Any {
    prop_oneof![text(), any::<bool>().prop_map(Value::from), Just(json!({"a": [1, null]}))].boxed()
}

fn definition() -> Any {
    let mut optional = described();
    optional.push(("specificationVersion", word()));
    let inner = prop_oneof![Just(json!({})), Just(json!({"tables": []})), word()].boxed();
    object(vec![("name", name()), ("version", version()), ("specification", word()), ("definition", inner)], optional)
}

fn definition_or_reference() -> Any {
    prop_oneof![4 => definition(), 1 => reference("api.json")].boxed()
}

fn port() -> Any {
    let promises = object(
        vec![],
        vec![
            ("platform", word()),
            ("servicesType", word()),
            ("api", definition_or_reference()),
            ("slo", definition()),
            ("deprecationPolicy", definition()),
        ],
    );
    let expectations = object(vec![], vec![("audience", definition()), ("usage", definition())]);
    let obligations = object(vec![], vec![("sla", definition()), ("billingPolicy", definition())]);
    let mut optional = described();
    optional.extend([("promises", promises), ("expectations", expectations), ("obligations", obligations)]);
    object(vec![("name", name()), ("version", version())], optional)
}

fn component(kind: &'static str) -> Any {
    let mut optional = described();
    optional.extend([("platform", word()), (kind, word())]);
    object(vec![("name", name()), ("version", version())], optional)
}

fn task() -> Any {
    let configurations =
        prop_oneof![4 => Just(json!({"schema": "s"})), 1 => reference("port.json"), 1 => Just(json!({}))].boxed();
    object(
        vec![],
        vec![
            ("service", object(vec![("$href", word())], vec![("mediaType", word())])),
            ("template", definition_or_reference()),
            ("configurations", configurations),
        ],
    )
}

fn ports() -> Any {
    list(prop_oneof![6 => port(), 1 => reference("#/components/outputPorts/shared")].boxed(), 2)
}

fn descriptor() -> Any {
    let owner = object(vec![("id", word())], vec![("name", text())]);
    let contact = object(vec![], vec![("name", name()), ("channel", word()), ("address", text())]);
    let info = object(
        vec![
            ("name", name()),
            ("version", prop::sample::select(vec!["1.0.0", "1.4.2"]).prop_map(Value::from).boxed()),
            ("domain", word()),
            ("owner", owner),
            // The specification's schema requires it, so that most descriptors have no difference at once.
            ("fullyQualifiedName", Just(Value::Null).boxed()),
        ],
        vec![("displayName", text()), ("description", text()), ("contactPoints", list(contact, 2)), ("x-note", text())],
    );
    let interface = object(
        vec![("outputPorts", ports())],
        vec![
            ("inputPorts", ports()),
            ("discoveryPorts", ports()),
            ("observabilityPorts", ports()),
            ("controlPorts", ports()),
        ],
    );
    let tasks = prop::collection::vec(task(), 0..3).prop_map(|mut tasks| {
        for (order, task) in tasks.iter_mut().enumerate().skip(1) {
            task["order"] = json!(order);
        }
        Value::from(tasks)
    });
    let internal = object(
        vec![
            ("lifecycleInfo", object(vec![("dev", tasks.clone().boxed())], vec![("prod", tasks.boxed())])),
            ("applicationComponents", list(component("applicationType"), 2)),
        ],
        vec![("infrastructuralComponents", list(component("infrastructureType"), 2))],
    );
    let library = object(
        vec![("outputPorts", object(vec![("shared", port())], vec![]))],
        vec![
            ("apis", object(vec![], vec![("one", definition())])),
            ("templates", object(vec![], vec![("two", definition())])),
        ],
    );
    let edition = prop_oneof![5 => Just("1.0.0"), 1 => Just("1.0.7"), 1 => Just("1.0.0-DRAFT")].prop_map(Value::from);
    let whole = object(
        vec![
            ("dataProductDescriptor", edition.boxed()),
            ("info", info),
            ("interfaceComponents", interface),
            ("internalComponents", internal),
            ("components", library),
        ],
        vec![("tags", list(word(), 2)), ("x-note", anything_inside())],
    );
    whole.prop_map(made_right).boxed()
}

/// What depends on other parts: names are unique, and the product's full name is the computed one.
fn made_right(mut descriptor: Value) -> Value {
    let mut number = 0;
    for section in ["interfaceComponents", "internalComponents"] {
        let Some(lists) = descriptor.get_mut(section).and_then(Value::as_object_mut) else { continue };
        for list in lists.values_mut().filter_map(Value::as_array_mut) {
            let mut references = 0;
            list.retain(|part| {
                references += usize::from(part.get("$ref").is_some());
                part.get("$ref").is_none() || references == 1
            });
            for part in list {
                number += 1;
                if let Some(Value::String(name)) = part.get_mut("name") {
                    name.push_str(&format!("P{number}"));
                }
            }
        }
    }
    let shared = descriptor.pointer_mut("/components/outputPorts/shared/name");
    if let Some(Value::String(name)) = shared {
        name.push_str("Shared");
    }
    let namespace: Namespace = NAMESPACE.parse().unwrap();
    let name = descriptor["info"]["name"].as_str().unwrap();
    let product = Fqn::product(&namespace, name, 1);
    descriptor["info"]["fullyQualifiedName"] = json!(product.as_str());
    if descriptor["dataProductDescriptor"] == "1.0.0-DRAFT" {
        as_draft(&mut descriptor, &product);
    }
    descriptor
}

/// What the draft's schema takes: parts have their full names, definitions few fields, and what came
/// with the release is not there.
fn as_draft(descriptor: &mut Value, product: &Fqn) {
    for section in ["interfaceComponents", "internalComponents", "components"] {
        let Some(lists) = descriptor.get_mut(section).and_then(Value::as_object_mut) else { continue };
        lists.retain(|field, _| !["lifecycleInfo", "apis", "templates"].contains(&field.as_str()));
        for (field, list) in lists {
            let kinds = EntityKind::PORTS.into_iter().chain([EntityKind::Application, EntityKind::Infrastructure]);
            let Some(kind) = kinds.into_iter().find(|kind| kind.field() == field) else { continue };
            let parts: Vec<&mut Value> = match list {
                Value::Array(items) => items.iter_mut().collect(),
                Value::Object(fields) => fields.values_mut().collect(),
                _ => continue,
            };
            for part in parts.into_iter().filter(|part| part.get("$ref").is_none()) {
                let name = part["name"].as_str().unwrap().to_owned();
                part["fullyQualifiedName"] = json!(product.component(kind, &name).as_str());
                part.as_object_mut().unwrap().shift_remove("obligations");
                for (group, field, kept) in [
                    ("promises", "api", &["description", "specification", "version", "definition", "externalDocs"][..]),
                    ("promises", "slo", &["description", "externalDocs"]),
                    ("promises", "deprecationPolicy", &["description", "externalDocs"]),
                    ("expectations", "audience", &["description", "externalDocs"]),
                    ("expectations", "usage", &["description", "externalDocs"]),
                ] {
                    let definition = part.get_mut(group).and_then(|group| group.get_mut(field));
                    if let Some(definition) = definition.and_then(Value::as_object_mut) {
                        definition
                            .retain(|key, _| kept.contains(&key.as_str()) || key == "$ref" || key.starts_with("x-"));
                    }
                }
            }
        }
    }
}

/// One mistake: where (a number that is taken modulo the places that there are), and which.
#[derive(Debug, Clone)]
struct Mutation {
    place: usize,
    kind: u8,
    value: Value,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    (any::<prop::sample::Index>(), 0..10_u8, anything()).prop_map(|(place, kind, value)| Mutation {
        place: place.index(1 << 20),
        kind,
        value,
    })
}

/// The pointers of all values but the whole.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => return,
    };
    for (key, value) in children {
        let pointer = format!("{at}/{key}");
        found.push(pointer.clone());
        pointers(value, &pointer, found);
    }
}

fn mutate(descriptor: &mut Value, mutation: &Mutation) {
    let mut all = Vec::new();
    pointers(descriptor, "", &mut all);
    let Some(pointer) = all.get(mutation.place % all.len().max(1)) else { return };
    let (above, key) = pointer.rsplit_once('/').unwrap();
    match mutation.kind {
        0 | 1 => {
            // A field is forgotten, or misspelt.
            let Some(Value::Object(fields)) = descriptor.pointer_mut(above) else { return };
            if let Some(value) = fields.shift_remove(key)
                && mutation.kind == 1
            {
                fields.insert(format!("{key}s"), value);
            }
        }
        2 => *descriptor.pointer_mut(pointer).unwrap() = Value::Null,
        3 => {
            // A part stands twice.
            if let Some(Value::Array(items)) = descriptor.pointer_mut(above) {
                let item = items[key.parse::<usize>().unwrap()].clone();
                items.push(item);
            }
        }
        4 => {
            // Texts of wrong forms.
            let value = descriptor.pointer_mut(pointer).unwrap();
            if value.is_string() {
                *value =
                    json!(["", "banana", "a b", "{braces}", "2.0", "https://example.com/x y", "é"][mutation.place % 7]);
            }
        }
        5 | 6 => {
            let name = descriptor["info"]["fullyQualifiedName"].as_str().unwrap_or_default().to_owned();
            // Fields that are there in other editions, computed ones, and orders.
            let part = [
                "/interfaceComponents/outputPorts/0",
                "/info",
                "/internalComponents/lifecycleInfo/dev/0",
                "/internalComponents/applicationComponents/0",
            ][mutation.place % 4];
            let fields = [
                ("contracts", json!({"sla": {"name": "x"}})),
                ("entityType", json!("wrong")),
                (
                    "order",
                    [json!(1.5), json!(-3), json!(1.0), json!(4_294_967_296_i64)][mutation.place / 4 % 4].clone(),
                ),
                ("deployInfo", json!({"service": {"$href": "x"}, "template": 3})),
                ("id", json!("2b172838-73b1-5d6c-be45-cc75aee180a0")),
                (
                    "dependsOn",
                    json!([
                        "urn:dpds:com.example:dataproducts:other:1:applications:x",
                        format!("{name}:applications:gone")
                    ]),
                ),
            ];
            let (key, value) = fields[mutation.place / 16 % fields.len()].clone();
            if let Some(Value::Object(part)) = descriptor.pointer_mut(part) {
                part.insert(key.to_owned(), value);
            }
        }
        _ => *descriptor.pointer_mut(pointer).unwrap() = mutation.value.clone(),
    }
}
