use async_trait::async_trait;
use serde_json::Value;

use super::*;
use crate::domain::id::{Fqn, SourceName};
use crate::port::store::PassRow;

/// A record with a few rows, or one that is not there.
struct Rows {
    locked: bool,
}

fn revision() -> crate::domain::id::Revision {
    "0123456789abcdef0123456789abcdef01234567".parse().unwrap()
}

fn product(name: &str, source: &str) -> ProductRow {
    ProductRow {
        product: format!("urn:dpds:com.example:dataproducts:{name}:1").parse().unwrap(),
        display_name: name.to_owned(),
        domain: "数据".to_owned(),
        owner: "evil\u{1b}[2J@example.com".to_owned(),
        version: "1.2.0".to_owned(),
        digest: "sha256:00".to_owned(),
        source: source.parse().unwrap(),
        path: "dp.yaml".to_owned(),
        retired: false,
        upstream: Vec::new(),
    }
}

#[async_trait]
impl Look for Rows {
    async fn sources(&self) -> Result<Vec<SourceRow>, StoreError> {
        Ok(Vec::new())
    }
    async fn products(&self) -> Result<Vec<ProductRow>, StoreError> {
        if self.locked {
            return Err(StoreError::Unavailable("locked".to_owned()));
        }
        Ok(vec![product("trips", "a"), product("orders", "b")])
    }
    async fn versions(&self, _: Option<&Fqn>) -> Result<Vec<VersionRow>, StoreError> {
        Ok(Vec::new())
    }
    async fn content(&self, _: &Fqn, _: &str) -> Result<Option<Value>, StoreError> {
        Ok(None)
    }
    async fn container_rows(&self) -> Result<Vec<ContainerRow>, StoreError> {
        Ok(Vec::new())
    }
    async fn activity_rows(&self, limit: usize) -> Result<Vec<ActivityRow>, StoreError> {
        let row = |at: usize| ActivityRow {
            activity: format!("act-{at:016x}"),
            product: product(if at % 2 == 0 { "trips" } else { "orders" }, "a").product,
            stage: "dev".to_owned(),
            version: "1.2.0".to_owned(),
            status: "failed".to_owned(),
            done: 1,
            tasks: 3,
            source: "a".parse().unwrap(),
            revision: revision(),
            planned_at: "2026-11-20T10:00:00.5Z".to_owned(),
            message: Some("no\nroom".to_owned()),
        };
        Ok((0..100).take(limit).map(row).collect())
    }
    async fn report_rows(&self, _: usize) -> Result<Vec<ReportRow>, StoreError> {
        Ok(Vec::new())
    }
    async fn audit_rows(&self, _: usize) -> Result<Vec<AuditRow>, StoreError> {
        Ok(Vec::new())
    }
    async fn finding_rows(&self, _: Option<&SourceName>) -> Result<Vec<FindingRow>, StoreError> {
        Ok(Vec::new())
    }
    async fn pass_rows(&self, _: Option<&SourceName>, _: usize) -> Result<Vec<PassRow>, StoreError> {
        Ok(Vec::new())
    }
}

async fn run(locked: bool, arguments: &[&str]) -> (ExitStatus, String, String) {
    use clap::Parser;
    let words = ["meshwright", "get"].iter().chain(arguments);
    let crate::face::cli::Verb::Get(args) = crate::face::cli::Cli::try_parse_from(words).unwrap().verb else {
        panic!("get")
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut output = Output { out: &mut out, err: &mut err, colour: false, err_colour: false, width: 100 };
    let status = get(&Rows { locked }, &args, &mut output).await.unwrap();
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[tokio::test]
async fn tables_are_aligned_and_harmless() {
    let (status, out, _) = run(false, &["products"]).await;
    assert_eq!(status, ExitStatus::Success);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("NAME    VERSION  DOMAIN  OWNER"), "{out}");
    assert!(lines[1].starts_with("trips   1.2.0    数据    evil␛[2J@example.com"), "{out}");
}

#[tokio::test]
async fn filters_and_limits_hold_together() {
    let (_, out, _) = run(false, &["products", "--source", "b", "-o", "json"]).await;
    let rows: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["displayName"], "orders");
    let (_, out, _) = run(false, &["activities", "--product", "trips", "--limit", "7", "-o", "json"]).await;
    let rows: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(rows.len(), 7, "the limit counts what is shown, not what was looked at");
    let (_, out, _) = run(false, &["activities", "--limit", "2"]).await;
    assert_eq!(out.lines().count(), 3, "a line end in a message is no row: {out}");
}

#[tokio::test]
async fn yaml_says_what_json_says() {
    let (_, json, _) = run(false, &["products", "-o", "json"]).await;
    let (_, yaml, _) = run(false, &["products", "-o", "yaml"]).await;
    let (json, yaml): (Value, Value) = (serde_json::from_str(&json).unwrap(), serde_yaml::from_str(&yaml).unwrap());
    assert_eq!(json, yaml);
}

#[tokio::test]
async fn nothing_is_an_answer_and_a_locked_record_is_not() {
    let (status, out, err) = run(false, &["reports"]).await;
    assert_eq!((status, out.as_str(), err.as_str()), (ExitStatus::Success, "", "No reports are recorded.\n"));
    let (_, out, _) = run(false, &["reports", "-o", "json"]).await;
    assert_eq!(out, "[]\n");
    let (status, out, err) = run(true, &["products"]).await;
    assert_eq!((status, out.as_str()), (ExitStatus::Failed, ""));
    assert!(err.contains("not available for now: locked"));
}
