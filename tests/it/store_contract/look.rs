//! What people look at.

use meshwright::domain::activity::{ActivityEvent, FailureKind};
use meshwright::domain::report::ReportState;
use serde_json::json;

use super::Room;
use super::activities::{planned, roll_out};
use crate::support::samples::{self, PassSample, at, product};

pub async fn rows_say_what_was_recorded(room: &impl Room) {
    let store = room.open().await;
    let pass = PassSample::new(1, 0)
        .version("trips", "1.0.0", "a")
        .descriptor("broken.yaml", &[], vec![samples::error("schema/required", "broken.yaml")])
        .activity("trips", "dev", "1.0.0", "a")
        .with(|pass| {
            pass.versions[0].upstream.push(product("fares", 1));
            pass.reports.push(samples::report(1, ReportState::Failure, "1 error"));
        })
        .build();
    store.record_pass(&pass).await.unwrap();
    let id = &pass.plan.activities[0].id;
    roll_out(&*store, id, 10).await;
    let digest = samples::version("trips", "1.0.0", "a").digest.to_string();
    let trips = "urn:dpds:com.example:dataproducts:trips:1";
    let revision = samples::revision(1);

    let shown = |rows: serde_json::Result<serde_json::Value>| rows.unwrap();
    let sources = shown(serde_json::to_value(store.sources().await.unwrap()));
    let expected = json!([{
        "name": "retail", "url": "https://example.com/retail.git", "branch": "main", "revision": revision,
        "descriptors": 2, "withErrors": 1, "seenAt": at(1).to_string(), "condition": null, "message": null,
    }]);
    assert_eq!(sources, expected);
    let products = shown(serde_json::to_value(store.products().await.unwrap()));
    let expected = json!([{
        "product": trips, "displayName": "TRIPS", "domain": "sales", "owner": "owner@example.com",
        "version": "1.0.0", "digest": digest, "source": "retail", "path": "trips/data-product-descriptor.yaml",
        "retired": false, "upstream": ["urn:dpds:com.example:dataproducts:fares:1"],
    }]);
    assert_eq!(products, expected);
    let versions = shown(serde_json::to_value(store.versions(Some(&product("trips", 1))).await.unwrap()));
    let expected = json!([{
        "product": trips, "version": "1.0.0", "digest": digest, "revision": revision, "released": true,
        "recordedAt": at(1).to_string(),
    }]);
    assert_eq!(versions, expected);
    assert_eq!(store.versions(Some(&product("fares", 1))).await.unwrap(), []);
    let containers = shown(serde_json::to_value(store.container_rows().await.unwrap()));
    let expected = json!([{
        "product": trips, "stage": "dev", "version": "1.0.0", "digest": digest, "revision": revision,
        "activity": id, "since": at(11).to_string(),
    }]);
    assert_eq!(containers, expected);
    let findings = store.finding_rows(None).await.unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!((&findings[0].revision, &findings[0].source), (&revision, &samples::source()));
    assert_eq!(store.finding_rows(Some(&"other".parse().unwrap())).await.unwrap(), []);
    let passes = shown(serde_json::to_value(store.pass_rows(Some(&samples::source()), 9).await.unwrap()));
    let expected = json!([{
        "source": "retail", "revision": revision, "plan": pass.plan.digest, "policies": pass.plan.policies,
        "at": "2026-11-18T11:06:41Z",
    }]);
    assert_eq!(passes, expected);
    let content = store.content(&samples::version("trips", "1.0.0", "a").digest).await.unwrap();
    assert_eq!(content, Some(samples::content("trips", "1.0.0", "a")));
    assert_eq!(store.content(&samples::version("trips", "9.9.9", "a").digest).await.unwrap(), None);
}

pub async fn activities_are_listed_newest_first_with_their_reasons(room: &impl Room) {
    let store = room.open().await;
    let ids = planned(&*store, &["a", "b", "c"]).await;
    roll_out(&*store, &ids[0], 2).await;
    let token = store.claim(&ids[1], "here", at(5), at(1_000)).await.unwrap();
    store
        .append(&ids[1], token, &ActivityEvent::TaskStarted { task: 0, attempt: 1, deadline: None }, at(6))
        .await
        .unwrap();
    let failed = ActivityEvent::TaskFailed {
        task: 0,
        attempt: 1,
        kind: FailureKind::Permanent,
        message: "no such table".to_owned(),
        retry: false,
        again: None,
    };
    store.append(&ids[1], token, &failed, at(7)).await.unwrap();
    store.append(&ids[1], token, &ActivityEvent::Failed, at(8)).await.unwrap();
    store.append(&ids[2], None, &ActivityEvent::Skipped { because: ids[1].clone() }, at(9)).await.unwrap();
    let rows = store.activity_rows(10).await.unwrap();
    let lines: Vec<_> = rows
        .iter()
        .map(|row| {
            format!("{} {} {}/{} {:?}", row.product.product_name(), row.status, row.done, row.tasks, row.message)
        })
        .collect();
    let because = format!("c skipped 0/2 Some(\"{}, for which it waited, did not succeed\")", ids[1]);
    assert_eq!(lines, [because.as_str(), "b failed 0/2 Some(\"provision: no such table\")", "a succeeded 2/2 None"]);
    assert_eq!(rows[0].planned_at, at(1).to_string());
    assert_eq!(store.activity_rows(2).await.unwrap(), rows[..2]);
}

pub async fn every_decision_can_be_traced(room: &impl Room) {
    let store = room.open().await;
    let id = planned(&*store, &["trips"]).await.remove(0);
    roll_out(&*store, &id, 5).await;
    let rows = store.audit_rows(99).await.unwrap();
    let kinds: Vec<_> = rows.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, ["activity-succeeded", "version-recorded", "pass-recorded"]);
    assert!(rows.windows(2).all(|pair| pair[0].id > pair[1].id));
    assert!(rows.iter().all(|row| row.source == Some(samples::source()) && row.revision == Some(samples::revision(1))));
    let plan = store.pass_rows(None, 1).await.unwrap().remove(0);
    for row in &rows {
        assert_eq!(row.detail["plan"], json!(plan.plan), "{row:?}");
    }
    assert_eq!(rows[2].detail["policies"], json!(plan.policies));
    assert_eq!(rows[1].detail["digest"], json!(samples::version("trips", "1.0.0", "a").digest));
    assert_eq!((rows[0].subject.as_str(), rows[0].at.clone()), (id.as_str(), at(6).to_string()));
    assert_eq!(store.audit_rows(1).await.unwrap().len(), 1);
}
