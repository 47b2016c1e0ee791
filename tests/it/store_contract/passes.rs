//! What passes write, and what the next pass reads of it.

use meshwright::domain::finding::{Finding, Location, RuleId};
use meshwright::domain::id::Digest;
use meshwright::domain::policy::{PolicyEvent, Verdict};
use meshwright::domain::source::Condition;
use meshwright::port::store::{Standing, StoreError, VerdictEntry};
use serde_json::json;

use super::Room;
use crate::support::samples::{self, PassSample, path};

fn condition(reason: &str) -> Condition {
    Condition { reason: reason.to_owned(), message: format!("{reason}: look at the network") }
}

pub async fn a_source_is_not_there_before_it_is_looked_at(room: &impl Room) {
    let store = room.open().await;
    assert_eq!(store.source(&samples::source()).await.unwrap(), None);
    assert_eq!(store.descriptors(&samples::source()).await.unwrap(), []);
    assert_eq!(store.unfinished().await.unwrap(), []);
    assert_eq!(store.plan(&Digest::of(b"?")).await.unwrap(), None);
}

pub async fn a_pass_is_read_back_as_it_was_recorded(room: &impl Room) {
    let pass = PassSample::new(1, 0)
        .version("trips", "1.0.0", "a")
        .version("fares", "1.2.0", "b")
        .activity("trips", "dev", "1.0.0", "a")
        .activity("fares", "dev", "1.2.0", "b")
        .with(|pass| {
            pass.plan.refused.push(samples::product("refused", 1));
            let finding = samples::error("plan/unknown-executor", "fares/data-product-descriptor.yaml");
            pass.plan.findings.insert(samples::product("fares", 1), vec![finding]);
            pass.verdicts.push(VerdictEntry {
                product: samples::product("trips", 1),
                event: PolicyEvent::ActivityStageTransition,
                stage: Some("dev".parse().unwrap()),
                verdict: Verdict::not_evaluated(Digest::of(b"policies"), "it took too long"),
            });
        })
        .build();
    room.open().await.record_pass(&pass).await.unwrap();

    let store = room.open().await;
    let source = store.source(&samples::source()).await.unwrap().unwrap();
    assert_eq!(source.revision, Some(samples::revision(1)));
    assert_eq!(source.policies, Some(pass.plan.policies.clone()));
    assert_eq!(source.platform, Some(pass.platform.clone()));
    assert_eq!(source.sequence, 1);
    assert_eq!(source.condition, None);
    assert_eq!(store.plan(&pass.plan.digest).await.unwrap(), Some(pass.plan.clone()));
    let descriptors = store.descriptors(&samples::source()).await.unwrap();
    let expected = ["fares", "trips"]
        .map(|name| (path(&format!("{name}/data-product-descriptor.yaml")), Some(samples::product(name, 1))));
    assert_eq!(descriptors, expected);
    let activities = store.activities_of(&samples::source(), &samples::revision(1)).await.unwrap();
    assert_eq!(
        activities.iter().map(|activity| &activity.planned).collect::<Vec<_>>(),
        pass.plan.activities.iter().collect::<Vec<_>>()
    );
    assert!(activities.iter().all(|activity| activity.plan == pass.plan.digest && activity.planned_at == pass.at));
    let trips = &store.latest_versions(&[samples::product("trips", 1)]).await.unwrap()[0];
    assert_eq!(trips.version, pass.versions[0].version);
    assert_eq!(*trips.content.value(), samples::content("trips", "1.0.0", "a"));
    assert!(!trips.retired && !trips.released);
    assert_eq!(store.containers(&[samples::product("trips", 1)]).await.unwrap(), []);
}

pub async fn the_same_plan_twice_changes_nothing(room: &impl Room) {
    let store = room.open().await;
    let pass = PassSample::new(1, 0).version("trips", "1.0.0", "a").activity("trips", "dev", "1.0.0", "a").build();
    store.record_pass(&pass).await.unwrap();
    let id = &pass.plan.activities[0].id;
    store.claim(id, "here", samples::at(2), samples::at(1_000)).await.unwrap().unwrap();
    let before =
        (store.activity_rows(10).await.unwrap(), store.audit_rows(99).await.unwrap(), store.sources().await.unwrap());
    store.record_pass(&pass).await.unwrap();
    let after =
        (store.activity_rows(10).await.unwrap(), store.audit_rows(99).await.unwrap(), store.sources().await.unwrap());
    assert_eq!(before, after);
    assert_eq!(store.pass_rows(None, 10).await.unwrap().len(), 1);
    assert_eq!(store.source(&samples::source()).await.unwrap().unwrap().sequence, 1);
}

pub async fn an_empty_plan_moves_the_source_and_not_its_sequence(room: &impl Room) {
    let store = room.open().await;
    store.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    let empty = PassSample::new(2, 1).build();
    store.record_pass(&empty).await.unwrap();
    let source = store.source(&samples::source()).await.unwrap().unwrap();
    assert_eq!((source.revision, source.sequence), (Some(samples::revision(2)), 1));
    let other_platform = PassSample::new(2, 1).with(|pass| pass.platform = Digest::of(b"another")).build();
    assert_eq!(other_platform.plan.digest, empty.plan.digest);
    store.record_pass(&other_platform).await.unwrap();
    let source = store.source(&samples::source()).await.unwrap().unwrap();
    assert_eq!((source.platform, source.sequence), (Some(Digest::of(b"another")), 1));
}

pub async fn going_back_with_an_empty_plan_is_recorded_again(room: &impl Room) {
    let store = room.open().await;
    let first = PassSample::new(1, 0).build();
    let second = PassSample::new(2, 0).build();
    for pass in [&first, &second, &first, &first] {
        store.record_pass(pass).await.unwrap();
        let source = store.source(&samples::source()).await.unwrap().unwrap();
        assert_eq!(source.revision.as_ref(), Some(&pass.plan.revision));
    }
    let revisions: Vec<_> = store.pass_rows(None, 10).await.unwrap().into_iter().map(|row| row.revision).collect();
    assert_eq!(revisions, [1, 2, 1].map(samples::revision));
}

pub async fn a_plan_that_was_made_before_another_was_recorded_is_not_recorded(room: &impl Room) {
    let store = room.open().await;
    store.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    let late = PassSample::new(2, 0).version("trips", "1.1.0", "b").activity("trips", "dev", "1.1.0", "b").build();
    let error = store.record_pass(&late).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("planned anew")), "{error}");
    assert_eq!(store.source(&samples::source()).await.unwrap().unwrap().revision, Some(samples::revision(1)));
    assert_eq!(store.unfinished().await.unwrap(), []);
    assert_eq!(store.latest_versions(&[samples::product("trips", 1)]).await.unwrap()[0].version.version.minor, 0);
}

pub async fn only_a_complete_pass_forgets_what_it_does_not_name(room: &impl Room) {
    let store = room.open().await;
    let paths = async || -> Vec<String> {
        let all = store.descriptors(&samples::source()).await.unwrap();
        all.into_iter().map(|(path, _)| path.to_string()).collect()
    };
    let first = PassSample::new(1, 0).descriptor("a.yaml", &[], vec![]).descriptor("b.yaml", &["b.json"], vec![]);
    let elsewhere = PassSample::new(1, 0).of("other").descriptor("a.yaml", &[], vec![]).build();
    store.record_pass(&first.descriptor("c.yaml", &[], vec![]).build()).await.unwrap();
    store.record_pass(&elsewhere).await.unwrap();
    store.record_pass(&PassSample::new(2, 0).descriptor("d.yaml", &[], vec![]).build()).await.unwrap();
    assert_eq!(paths().await, ["a.yaml", "b.yaml", "c.yaml", "d.yaml"]);
    store.record_pass(&PassSample::new(3, 0).with(|pass| pass.gone.push(path("a.yaml"))).build()).await.unwrap();
    assert_eq!(paths().await, ["b.yaml", "c.yaml", "d.yaml"]);
    let complete = PassSample::new(4, 0).descriptor("c.yaml", &[], vec![]).with(|pass| pass.complete = true).build();
    store.record_pass(&complete).await.unwrap();
    assert_eq!(paths().await, ["c.yaml"]);
    assert_eq!(store.descriptors_reading(&samples::source(), &[path("b.json")]).await.unwrap(), []);
    assert_eq!(store.descriptors(&"other".parse().unwrap()).await.unwrap().len(), 1);
}

pub async fn descriptors_are_found_by_the_files_they_read(room: &impl Room) {
    let store = room.open().await;
    let pass = PassSample::new(1, 0)
        .descriptor("a/p.yaml", &["shared/api.json", "a/x.json"], vec![])
        .descriptor("b/p.yaml", &["shared/api.json"], vec![])
        .descriptor("c/it's \"odd\".yaml", &["c/é%_.json"], vec![]);
    store.record_pass(&pass.build()).await.unwrap();
    let reading = async |files: &[&str]| -> Vec<String> {
        let files: Vec<_> = files.iter().map(|file| path(file)).collect();
        let found = store.descriptors_reading(&samples::source(), &files).await.unwrap();
        found.into_iter().map(|path| path.to_string()).collect()
    };
    assert_eq!(reading(&["shared/api.json"]).await, ["a/p.yaml", "b/p.yaml"]);
    assert_eq!(reading(&["a/x.json", "a/p.yaml", "nowhere"]).await, ["a/p.yaml"]);
    assert_eq!(reading(&["c/é%_.json"]).await, ["c/it's \"odd\".yaml"]);
    assert_eq!(reading(&["c/it's \"odd\".yaml"]).await, ["c/it's \"odd\".yaml"]);
    assert!(reading(&[]).await.is_empty());
    // It no longer reads the shared file.
    store.record_pass(&PassSample::new(2, 0).descriptor("a/p.yaml", &["a/x.json"], vec![]).build()).await.unwrap();
    assert_eq!(reading(&["shared/api.json"]).await, ["b/p.yaml"]);
}

pub async fn only_errors_stand(room: &impl Room) {
    let store = room.open().await;
    let policy = |file| {
        Finding::error(RuleId::policy("mesh.owner", "mailbox"), Location::top_of(path(file)), "/info", "no mailbox")
    };
    let note = Finding::warning(RuleId::built_in("style/x"), Location::top_of(path("w.yaml")), "", "odd");
    let pass = PassSample::new(1, 0)
        .descriptor(
            "e.yaml",
            &[],
            vec![samples::error("schema/required", "e.yaml"), policy("e.yaml"), policy("e.yaml")],
        )
        .descriptor("p.yaml", &[], vec![policy("p.yaml")])
        .descriptor("w.yaml", &[], vec![note])
        .descriptor("fine.yaml", &[], vec![])
        .build();
    store.record_pass(&pass).await.unwrap();
    let standing = store.standing(&samples::source()).await.unwrap();
    let expected = [
        Standing { path: path("e.yaml"), errors: 1, refusals: 2 },
        Standing { path: path("p.yaml"), errors: 0, refusals: 1 },
    ];
    assert_eq!(standing, expected);
}

pub async fn findings_of_a_descriptor_are_replaced_when_it_is_read_again(room: &impl Room) {
    let store = room.open().await;
    let of_the_source = samples::error("source/link", "l.yaml");
    let pass = PassSample::new(1, 0)
        .descriptor("a.yaml", &[], vec![samples::error("schema/required", "a.yaml")])
        .descriptor("b.yaml", &[], vec![samples::error("ref/not-found", "b.yaml")])
        .with(|pass| pass.findings.push(of_the_source.clone()))
        .build();
    store.record_pass(&pass).await.unwrap();
    let rules = async || -> Vec<String> {
        let rows = store.finding_rows(Some(&samples::source())).await.unwrap();
        rows.into_iter()
            .map(|row| format!("{} {}", row.finding.rule, row.revision.as_str().trim_start_matches('0')))
            .collect()
    };
    assert_eq!(rules().await, ["schema/required 1", "ref/not-found 1", "source/link 1"]);
    store.record_pass(&PassSample::new(2, 0).descriptor("a.yaml", &[], vec![]).build()).await.unwrap();
    assert_eq!(rules().await, ["ref/not-found 1"]);
    let again = PassSample::new(2, 0).descriptor("a.yaml", &[], vec![samples::error("schema/type", "a.yaml")]).build();
    store.record_pass(&again).await.unwrap();
    assert_eq!(rules().await, ["schema/type 2", "ref/not-found 1"]);
    assert_eq!(store.pass_rows(None, 10).await.unwrap().len(), 2);
    let rows = store.finding_rows(None).await.unwrap();
    assert_eq!(rows[0].finding, samples::error("schema/type", "a.yaml"));
}

pub async fn a_condition_touches_nothing_else(room: &impl Room) {
    let store = room.open().await;
    let source = samples::source();
    let bad = condition("unreachable");
    store.note_condition(&source, "https://example.com/x.git", "main", Some(&bad), samples::at(1)).await.unwrap();
    let record = store.source(&source).await.unwrap().unwrap();
    assert_eq!((record.revision, record.sequence, record.condition), (None, 0, Some(bad.clone())));

    store.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    let recorded = store.source(&source).await.unwrap().unwrap();
    assert_eq!(recorded.condition, None);
    store.note_condition(&source, "https://example.com/x.git", "main", Some(&bad), samples::at(9)).await.unwrap();
    let noted = store.source(&source).await.unwrap().unwrap();
    assert_eq!(noted.condition, Some(bad));
    assert_eq!(
        (noted.revision, noted.platform, noted.sequence),
        (recorded.revision, recorded.platform, recorded.sequence)
    );
    assert_eq!(store.descriptors(&source).await.unwrap().len(), 1);
    let row = &store.sources().await.unwrap()[0];
    assert_eq!(
        (row.url.as_str(), row.seen_at.clone()),
        ("https://example.com/x.git", Some(samples::at(9).to_string()))
    );
    store.note_condition(&source, "https://example.com/x.git", "main", None, samples::at(10)).await.unwrap();
    assert_eq!(store.source(&source).await.unwrap().unwrap().condition, None);
}

pub async fn text_is_kept_as_it_came(room: &impl Room) {
    let odd = "'; DROP TABLE sources; -- \" \0 %_ \u{1f600} \u{7f} \\u0000 ?1 $1";
    let pass = PassSample::new(1, 0)
        .version("trips", "1.0.0", odd)
        .activity("trips", "dev", "1.0.0", odd)
        .with(|pass| {
            let entry = &mut pass.versions[0];
            (entry.display_name, entry.domain, entry.owner) = (odd.to_owned(), odd.to_owned(), odd.to_owned());
            pass.descriptors[0].findings.push(Finding {
                message: odd.to_owned(),
                hint: Some(odd.to_owned()),
                ..samples::error("a/b", "a")
            });
            pass.plan.activities[0].tasks[0].configurations = json!({odd: odd}).into();
            pass.url = odd.to_owned();
            pass.condition = Some(Condition { reason: odd.to_owned(), message: odd.to_owned() });
        })
        .build();
    room.open().await.record_pass(&pass).await.unwrap();
    let store = room.open().await;
    let product = &store.products().await.unwrap()[0];
    assert_eq!([&product.display_name, &product.domain, &product.owner], [odd; 3]);
    assert_eq!(store.plan(&pass.plan.digest).await.unwrap().unwrap(), pass.plan);
    assert_eq!(
        store.content(&pass.versions[0].version.digest).await.unwrap(),
        Some(pass.versions[0].content.clone().into_value())
    );
    assert_eq!(store.finding_rows(None).await.unwrap()[0].finding, pass.descriptors[0].findings[0]);
    assert_eq!(store.sources().await.unwrap()[0].url, odd);
    assert_eq!(store.source(&samples::source()).await.unwrap().unwrap().condition, pass.condition);
    let id = &pass.plan.activities[0].id;
    store.claim(id, odd, samples::at(1), samples::at(1_000)).await.unwrap().unwrap();
    assert!(store.claim(id, "another", samples::at(1), samples::at(1_000)).await.unwrap().is_none());
    assert!(store.claim(id, odd, samples::at(1), samples::at(1_000)).await.unwrap().is_some());
}
