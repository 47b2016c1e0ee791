use serde_json::json;

use crate::check::contract::Editions;
use crate::domain::change::Impact::Unknown;
use crate::domain::compat::{Reason, Side};

fn told(before: &str, after: &str, side: Side) -> Vec<Reason> {
    let (before, after) = (json!(before), json!(after));
    super::compare(&Editions { before: &before, after: &after, side, pointer: "/d" })
}

fn rules(before: &str, after: &str, side: Side) -> Vec<String> {
    let file = |body: &str| format!("syntax = \"proto3\";\npackage shop.v1;\n{body}");
    let reasons = told(&file(before), &file(after), side);
    reasons.into_iter().map(|reason| format!("{} {} {:?}", reason.rule, reason.path, reason.impact)).collect()
}

fn of_fields(before: &str, after: &str, side: Side) -> Vec<String> {
    rules(&format!("message A {{ {before} }}"), &format!("message A {{ {after} }}"), side)
}

#[test]
fn types_are_told_by_their_encoding() {
    for (was, is, rule) in [
        ("int32", "int64", "type-widened A.a Unknown"),
        ("int64", "int32", "type-narrowed A.a Compatible"),
        ("int32", "uint32", "type-of-same-encoding A.a Unknown"),
        ("int32", "sint32", "type-changed A.a Breaking"),
        ("fixed32", "sfixed32", "type-of-same-encoding A.a Unknown"),
        ("string", "bytes", "type-widened A.a Unknown"),
        ("string", "int32", "type-changed A.a Breaking"),
        ("Elsewhere", "other.Elsewhere", "type-elsewhere A.a Unknown"),
    ] {
        let told = of_fields(&format!("{was} a = 1;"), &format!("{is} a = 1;"), Side::Read);
        assert_eq!(told, [format!("protobuf/{rule}")], "{was} to {is}");
    }
}

#[test]
fn nothing_is_told_of_what_is_written_otherwise() {
    let before = "message A { B b = 1; map<string, int32> m = 2; message B { int32 x = 1; } }";
    let after = "message A { message B { int32 x = 1; } // moved\n map<string, int32> m = 2; .shop.v1.A.B b = 1; }";
    assert!(rules(before, after, Side::Read).is_empty());
    let qualified = "message A { v1.A.B b = 1; map<string, int32> m = 2; message B { int32 x = 1; } }";
    assert!(rules(before, qualified, Side::Written).is_empty());
}

#[test]
fn maps_are_compared_as_their_field() {
    assert_eq!(
        of_fields("map<string, int32> m = 1;", "map<string, string> m = 1;", Side::Read),
        ["protobuf/type-changed A.m.value Breaking"]
    );
}

#[test]
fn a_oneof_counts_by_its_members() {
    let apart = "int32 a = 1; string b = 2;";
    let together = "oneof c { int32 a = 1; string b = 2; }";
    assert_eq!(
        of_fields(apart, together, Side::Written),
        ["protobuf/into-oneof A.a Breaking", "protobuf/into-oneof A.b Breaking"]
    );
    assert!(of_fields(together, &together.replace('c', "d"), Side::Written).is_empty());
    assert_eq!(
        of_fields("int32 a = 1;", "oneof c { int32 a = 1; }", Side::Read),
        ["protobuf/oneof-of-one A.a Compatible"]
    );
    assert_eq!(
        of_fields("int32 a = 1;", "optional int32 a = 1;", Side::Read),
        ["protobuf/presence-changed A.a Compatible"]
    );
}

#[test]
fn what_a_method_takes_is_sent_by_others() {
    let service = "service S { rpc Get(Ask) returns (Answer); }";
    let before = format!("{service} message Ask {{ string id = 1; }} message Answer {{ string id = 1; }}");
    let after = format!("{service} message Ask {{}} message Answer {{}}");
    // A field that is gone breaks who reads it, and is lost on who sends it.
    assert_eq!(
        rules(&before, &after, Side::Read),
        ["protobuf/field-removed Answer.id Breaking", "protobuf/field-removed Ask.id Compatible"]
    );
}

#[test]
fn types_of_another_name_are_compared() {
    let before = "message A { Old o = 1; } message Old { int32 x = 1; }";
    let after = "message A { New o = 1; } message New { string x = 1; }";
    let told = rules(before, after, Side::Read);
    assert!(told.contains(&"protobuf/type-renamed A.o Unknown".to_owned()), "{told:?}");
    assert!(!told.iter().any(|reason| reason.contains("message-removed")), "{told:?}");
    assert!(told.contains(&"protobuf/type-changed Old.x Breaking".to_owned()), "{told:?}");
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let fine = "syntax = \"proto3\"; message A {}";
    let reasons = told(fine, "syntax = \"proto3\";\nmessage A {\n  int32 = 1;\n}", Side::Read);
    assert_eq!((reasons.len(), reasons[0].impact), (1, Unknown));
    assert!(reasons[0].message.starts_with("the definition cannot be read: line 3, column "), "{}", reasons[0].message);
    let deep = format!("{fine} {}", "message A {".repeat(50_000));
    assert_eq!(told(fine, &deep, Side::Read)[0].impact, Unknown);
    let editions = "edition = \"2023\"; message A {}";
    assert_eq!(told(fine, editions, Side::Read)[0].impact, Unknown);
}

#[test]
fn a_map_whose_values_are_its_own_entries_is_not_followed() {
    let fields = "map<string, FooEntry> foo = 1;";
    let told = of_fields(fields, &format!("{fields} string b = 2;"), Side::Read);
    assert!(told.iter().any(|one| one == "protobuf/type-elsewhere A.foo.value Unknown"), "{told:?}");
}

#[test]
fn messages_of_many_fields_are_compared_in_good_time() {
    const MANY: usize = 20_000;
    let of = |first: usize| {
        let fields: Vec<String> =
            (0..MANY).map(|index| format!("string f{} = {};", index + first, index + 1)).collect();
        let reserved: Vec<String> = (0..MANY).map(|index| format!("reserved {};", MANY + 1 + index * 2)).collect();
        format!("{} {}", fields.concat(), reserved.concat())
    };
    let start = std::time::Instant::now();
    let told = of_fields(&of(0), &of(10), Side::Read);
    assert!(told.contains(&"protobuf/field-renumbered A.f10 Breaking".to_owned()), "{told:?}");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn oneofs_with_many_members_are_compared_in_good_time() {
    let of = |last: &str| {
        let members: Vec<String> = (1..=4_000).map(|number| format!("string f{number} = {number};")).collect();
        format!("oneof one {{ {} }} {last}", members.concat())
    };
    let start = std::time::Instant::now();
    let told = of_fields(&of(""), &of("string more = 5000;"), Side::Read);
    assert_eq!(told, ["protobuf/field-added A.more Compatible"]);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
