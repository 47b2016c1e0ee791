use serde_json::json;

use crate::check::contract::Editions;
use crate::domain::change::Impact::Unknown;
use crate::domain::compat::{Reason, Side};

fn told(before: &str, after: &str, side: Side) -> Vec<Reason> {
    let (before, after) = (json!(before), json!(after));
    super::compare(&Editions { before: &before, after: &after, side, pointer: "/d" })
}

fn rules(before: &str, after: &str, side: Side) -> Vec<String> {
    let reasons = told(before, after, side);
    reasons.into_iter().map(|reason| format!("{} {} {:?}", reason.rule, reason.path, reason.impact)).collect()
}

#[test]
fn nothing_is_told_of_what_is_written_otherwise() {
    let before = "CREATE TABLE Orders (ID int PRIMARY KEY, total NUMERIC(10,2) NOT NULL);";
    let after = "create table if not exists orders (\n  id INTEGER,\n  total decimal(10, 2) not null, -- net\n  primary key (id)\n)";
    assert!(rules(before, after, Side::Read).is_empty(), "{:?}", rules(before, after, Side::Read));
    let view = "CREATE VIEW v AS SELECT id FROM orders";
    assert!(rules(view, "create or replace view V as\nselect id\nfrom orders;", Side::Read).is_empty());
}

#[test]
fn alterations_are_run() {
    let before = "CREATE TABLE t (a INT, b INT)";
    let after = "CREATE TABLE t (a INT, b INT); ALTER TABLE t ADD COLUMN c TEXT; ALTER TABLE t DROP COLUMN b;";
    assert_eq!(
        rules(before, after, Side::Read),
        ["sql/column-removed t.b Breaking", "sql/column-added t.c Compatible"]
    );
}

#[test]
fn a_star_is_followed_within_the_text() {
    let view = "; CREATE VIEW v AS SELECT * FROM t";
    let (before, after) = (format!("CREATE TABLE t (a INT, b INT){view}"), format!("CREATE TABLE t (a INT){view}"));
    assert_eq!(
        rules(&before, &after, Side::Read),
        ["sql/column-removed t.b Breaking", "sql/column-removed v.b Breaking"]
    );
    let elsewhere = "CREATE VIEW v AS SELECT * FROM far.away";
    assert!(rules(elsewhere, elsewhere, Side::Read).is_empty());
    let other = "CREATE VIEW v AS SELECT * FROM far.away WHERE x > 1";
    let told = rules(elsewhere, other, Side::Read);
    assert_eq!(told, ["sql/query-changed v Unknown", "sql/columns-not-listed v Unknown"]);
}

#[test]
fn dialects_are_tried() {
    for ddl in [
        "CREATE TABLE `p.d.t` (a INT64 OPTIONS(description='x'), s STRUCT<x INT64, y ARRAY<STRING>>) PARTITION BY DATE(ts)",
        "CREATE TABLE [dbo].[t] ([id] INT IDENTITY(1,1) NOT NULL, [n] NVARCHAR(MAX) NULL)",
        "CREATE TABLE t (id bigserial PRIMARY KEY, j jsonb DEFAULT '{}'::jsonb, at timestamptz(3))",
        "CREATE OR REPLACE TRANSIENT TABLE db.s.t (v VARIANT, n NUMBER(38,0)) CLUSTER BY (n)",
        "CREATE TABLE t (id UInt64, s LowCardinality(String)) ENGINE = MergeTree ORDER BY id",
        "CREATE TABLE t (id INT, d DATE) USING DELTA",
    ] {
        assert!(rules(ddl, ddl, Side::Read).is_empty(), "{ddl}\n{:?}", told(ddl, ddl, Side::Read));
    }
}

#[test]
fn names_stand_in_the_schema_that_is_set() {
    let of = |set: &str| format!("{set}; CREATE TABLE orders (id INT); CREATE VIEW v AS SELECT * FROM orders");
    let (sales, crm) = (of("SET search_path TO sales, public"), of("SET search_path = 'crm'"));
    assert_eq!(
        rules(&sales, &crm, Side::Read),
        [
            "sql/table-renamed sales.orders Breaking",
            "sql/table-renamed sales.v Breaking",
            "sql/table-added crm.orders Compatible",
            "sql/table-added crm.v Compatible",
        ]
    );
    let qualified = "CREATE TABLE sales.orders (id INT); CREATE VIEW sales.v AS SELECT * FROM orders";
    assert_eq!(rules(&of("USE sales"), &of("SET search_path TO sales"), Side::Read), [""; 0]);
    assert!(!rules(&sales, qualified, Side::Read).iter().any(|told| told.contains("table-")));
    let told = rules(&of("SET timezone = 'UTC'"), &sales, Side::Read);
    assert_eq!(told, ["sql/schema-set orders Unknown", "sql/schema-set v Unknown"]);
    let two = |first: &str, second: &str| {
        format!("USE {first}; CREATE TABLE t (a INT); USE {second}; CREATE TABLE t (a INT, b INT)")
    };
    assert!(rules(&two("x", "y"), &two("x", "y"), Side::Read).is_empty());
    assert_eq!(
        rules(&two("x", "y"), &two("y", "x"), Side::Read),
        ["sql/column-added x.t.b Compatible", "sql/column-removed y.t.b Breaking"]
    );
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let fine = "CREATE TABLE t (a INT)";
    let reasons = told(fine, "CREATE TABLE t (\n  a INT,\n  b INT NOT\n)", Side::Read);
    assert_eq!((reasons.len(), reasons[0].impact), (1, Unknown));
    assert!(reasons[0].message.starts_with("the definition cannot be read: line 3, column "), "{}", reasons[0].message);
    assert_eq!(told(fine, "", Side::Read)[0].impact, Unknown);
}

#[test]
fn chains_and_nests_do_not_reach_the_end_of_the_stack() {
    let fine = "CREATE TABLE t (a INT)";
    for (long, is_read) in [
        (format!("CREATE VIEW v AS SELECT 1{} AS a", "+1".repeat(999)), true),
        (format!("CREATE VIEW v AS SELECT 1 AS a{}", " UNION SELECT 1".repeat(999)), true),
        (format!("CREATE VIEW v AS SELECT 1{} AS a", "+1".repeat(400_000)), false),
        (format!("CREATE VIEW v AS SELECT {}1", "(".repeat(100_000)), false),
        (format!("CREATE VIEW v AS SELECT {}1", "NOT ".repeat(40_000)), false),
        (format!("CREATE VIEW v AS SELECT {}1", "- ".repeat(900)), false),
        (format!("CREATE TABLE t (a {}INT{})", "ARRAY<".repeat(400), ">".repeat(400)), false),
    ] {
        let first = told(fine, &long, Side::Read).into_iter().next().unwrap();
        assert_eq!(first.rule != "sql/unreadable", is_read, "{} {first:?}", &long[..60]);
    }
}
