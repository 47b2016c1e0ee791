//! Cases of planning a migration.

use super::definition::{Column, TableSpec, ViewSpec};
use super::migrate::*;
use super::types::ColumnType;

fn column(name: &str, kind: ColumnType, not_null: bool) -> Column {
    Column { name: name.into(), kind, not_null }
}

fn table(columns: Vec<Column>) -> TableSpec {
    let primary_key = vec!["id".to_owned()];
    TableSpec { name: "t".into(), port: "p".into(), columns, primary_key, uniques: Vec::new() }
}

fn base() -> Vec<Column> {
    vec![column("id", ColumnType::Integer, true), column("name", ColumnType::VarChar(50), false)]
}

/// The schema after `table` was made.
fn made(table: &TableSpec, empty: bool) -> Existing {
    let columns = table.columns.iter().map(|column| ExistingColumn {
        name: column.name.clone(),
        declared: "as declared".into(),
        kind: Some(column.kind),
        not_null: column.not_null,
    });
    let there = ExistingTable {
        columns: columns.collect(),
        primary_key: table.primary_key.clone(),
        uniques: table.uniques.iter().map(|columns| unique_name(&table.name, columns)).collect(),
        empty,
    };
    let recorded = Recorded { port: table.port.clone(), digest: String::new() };
    Existing {
        tables: [(table.name.clone(), there)].into(),
        views: Default::default(),
        recorded: [(table.name.clone(), recorded)].into(),
    }
}

fn wanted(tables: Vec<TableSpec>) -> Wanted {
    Wanted { tables, ..Wanted::default() }
}

fn view(query: &str) -> ViewSpec {
    ViewSpec { name: "v".into(), port: "p".into(), query: query.into() }
}

#[test]
fn what_is_there_as_wanted_is_left_alone() {
    let mut spec = table(base());
    spec.uniques = vec![vec!["name".into()]];
    assert_eq!(plan(&made(&spec, false), &wanted(vec![spec.clone()]), false).unwrap(), Migration::default());
    let first = plan(&Existing::default(), &wanted(vec![spec]), false).unwrap();
    assert_eq!(first.created, ["t"]);
    assert_eq!(first.steps.len(), 2);
}

/// Each case: what is wanted instead of `base()`, whether rows are there, and what comes of it:
/// a change, or a part of the refusal.
#[test]
fn evolution_is_safe_or_refused() {
    use ColumnType::{BigInt, Integer, Text, VarChar};
    type Case = (&'static str, Vec<Column>, bool, Result<&'static str, &'static str>);
    let id = || column("id", Integer, true);
    let cases: Vec<Case> = vec![
        ("a nullable column", [base(), vec![column("x", Text, false)]].concat(), false, Ok("column x added")),
        (
            "a needed column, rows",
            [base(), vec![column("x", Text, true)]].concat(),
            false,
            Err("without the constraint"),
        ),
        ("a needed column, no rows", [base(), vec![column("x", Text, true)]].concat(), true, Ok("column x added")),
        ("wider text", vec![id(), column("name", VarChar(100), false)], false, Ok("column name widened")),
        ("narrower text", vec![id(), column("name", VarChar(10), false)], false, Err("does not hold all")),
        ("another type", vec![id(), column("name", Integer, false)], false, Err("does not hold all")),
        ("wider key", vec![column("id", BigInt, true), base().remove(1)], false, Ok("column id widened")),
        ("a column gone", vec![id()], false, Err("'name' would be dropped")),
        ("not null, rows", vec![id(), column("name", VarChar(50), true)], false, Err("would become NOT NULL")),
        ("not null, no rows", vec![id(), column("name", VarChar(50), true)], true, Ok("made NOT NULL")),
    ];
    for (case, columns, empty, outcome) in cases {
        let planned = plan(&made(&table(base()), empty), &wanted(vec![table(columns.clone())]), false);
        match (planned, outcome) {
            (Ok(migration), Ok(part)) => {
                assert!(migration.changed[0].contains(part), "{case}: {:?}", migration.changed);
            }
            (Err(refusals), Err(part)) => {
                assert!(refusals[0].contains(part), "{case}: {refusals:?}");
                let forced = plan(&made(&table(base()), empty), &wanted(vec![table(columns)]), true);
                // Only what cannot work at all is refused when told to go on.
                assert_eq!(forced.is_err(), case == "a needed column, rows", "{case}");
            }
            (planned, _) => panic!("{case}: {planned:?}"),
        }
    }
}

#[test]
fn keys_are_never_changed() {
    let mut other = table(base());
    other.primary_key = vec!["id".into(), "name".into()];
    let refusals = plan(&made(&table(base()), true), &wanted(vec![other]), true).unwrap_err();
    assert!(refusals[0].contains("primary key"), "{refusals:?}");
}

#[test]
fn a_table_that_nobody_wants_is_kept_or_refused() {
    let there = made(&table(base()), false);
    assert!(plan(&there, &wanted(vec![]), false).unwrap_err()[0].contains("'t' would be dropped"));
    let dropped = plan(&there, &wanted(vec![]), true).unwrap();
    assert_eq!(dropped.steps, [Step::DropTable("t".into())]);
    // Another port's table, and one that somebody else made, are not looked at.
    let left_alone = Wanted { left_alone: ["p".to_owned()].into(), ..Wanted::default() };
    assert_eq!(plan(&there, &left_alone, true).unwrap(), Migration::default());
    let foreign = Existing { recorded: Default::default(), ..there };
    assert_eq!(plan(&foreign, &wanted(vec![]), true).unwrap(), Migration::default());
}

#[test]
fn views_are_replaced_when_they_or_what_they_read_changes() {
    let mut there = made(&table(base()), false);
    there.views.insert("v".into());
    let old = Recorded { port: "p".into(), digest: view_digest(&view("select id from t")) };
    there.recorded.insert("v".into(), old);
    let want = |columns, query| Wanted { tables: vec![table(columns)], views: vec![view(query)], ..Wanted::default() };
    let same = plan(&there, &want(base(), "select id from t"), false).unwrap();
    assert_eq!(same, Migration::default());
    let other = plan(&there, &want(base(), "select name from t"), false).unwrap();
    assert_eq!(other.changed, ["v: view replaced"]);
    assert_eq!(other.steps, [Step::DropView("v".into()), Step::CreateView(view("select name from t"))]);
    let widened = vec![column("id", ColumnType::BigInt, true), base().remove(1)];
    let steps = plan(&there, &want(widened, "select id from t"), false).unwrap().steps;
    assert!(matches!(steps.as_slice(), [Step::DropView(_), Step::AlterTable { .. }, Step::CreateView(_)]), "{steps:?}");
    let gone = plan(&there, &wanted(vec![table(base())]), false).unwrap();
    assert_eq!(gone.steps, [Step::DropView("v".into())]);
}
