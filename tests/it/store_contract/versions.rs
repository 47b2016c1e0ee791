//! Products and their versions.

use meshwright::domain::activity::ActivityEvent;
use meshwright::domain::id::Fqn;
use meshwright::port::store::{Store, StoreError};

use serde_json::json;

use super::Room;
use super::activities::roll_out;
use crate::support::samples::{self, PassSample, path, product};

pub async fn all_majors_of_a_name_are_found_by_one_of_them(room: &impl Room) {
    let store = room.open().await;
    let pass = PassSample::new(1, 0)
        .version("trips", "1.4.0", "a")
        .version("trips", "2.0.0", "b")
        .version("trip", "1.0.0", "c")
        .version("fares", "1.0.0", "d");
    store.record_pass(&pass.build()).await.unwrap();
    let names = async |asked: &[Fqn]| -> Vec<String> {
        let found = store.latest_versions(asked).await.unwrap();
        found
            .into_iter()
            .map(|version| format!("{} {}", version.product.product_name(), version.version.version))
            .collect()
    };
    assert_eq!(names(&[product("trips", 3)]).await, ["trips 1.4.0", "trips 2.0.0"]);
    assert_eq!(
        names(&[product("trips", 1), product("trips", 2), product("nobody", 1)]).await,
        ["trips 1.4.0", "trips 2.0.0"]
    );
    assert!(names(&[]).await.is_empty());
    let elsewhere = Fqn::product(&"org.other".parse().unwrap(), "trips", 1);
    assert!(names(&[elsewhere]).await.is_empty());
}

pub async fn the_latest_version_is_the_one_recorded_last(room: &impl Room) {
    let store = room.open().await;
    for (number, version) in [(1, "1.2.0"), (2, "1.10.0"), (3, "1.3.0-rc.1")] {
        let pass = PassSample::new(number, number - 1).version("trips", version, version).build();
        store.record_pass(&pass).await.unwrap();
    }
    let latest = store.latest_versions(&[product("trips", 1)]).await.unwrap();
    assert_eq!(latest.len(), 1);
    assert_eq!(latest[0].version, samples::version("trips", "1.3.0-rc.1", "1.3.0-rc.1"));
    let numbers = store.version_numbers(&product("trips", 1)).await.unwrap();
    let numbers: Vec<_> =
        numbers.into_iter().map(|(version, released)| (version.version.to_string(), released)).collect();
    assert_eq!(numbers, [("1.2.0".to_owned(), false), ("1.10.0".to_owned(), false), ("1.3.0-rc.1".to_owned(), false)]);
    assert_eq!(store.version_numbers(&product("trips", 2)).await.unwrap(), []);
}

pub async fn content_changes_until_it_is_released(room: &impl Room) {
    let store = room.open().await;
    let first = PassSample::new(1, 0).version("trips", "1.0.0", "a").build();
    store.record_pass(&first).await.unwrap();
    let second = PassSample::new(2, 1).version("trips", "1.0.0", "b").activity("trips", "dev", "1.0.0", "b").build();
    store.record_pass(&second).await.unwrap();
    let b = samples::version("trips", "1.0.0", "b");
    assert_eq!(store.version_numbers(&product("trips", 1)).await.unwrap(), [(b.clone(), false)]);
    assert_eq!(store.versions(None).await.unwrap()[0].revision, samples::revision(2));

    roll_out(&*store, &second.plan.activities[0].id, 10).await;
    let third = PassSample::new(3, 2).version("trips", "1.0.0", "c").version("fares", "1.0.0", "x").build();
    store.record_pass(&third).await.unwrap();
    assert_eq!(store.version_numbers(&product("trips", 1)).await.unwrap(), [(b.clone(), true)]);
    let latest = store.latest_versions(&[product("trips", 1), product("fares", 1)]).await.unwrap();
    assert_eq!(latest.len(), 2);
    assert_eq!((&latest[1].version, &*latest[1].content.value()), (&b, &samples::content("trips", "1.0.0", "b")));
    assert!(store.audit_rows(99).await.unwrap().iter().any(|row| row.kind == "version-kept"));
}

pub async fn the_same_content_keeps_the_commit_with_which_it_came(room: &impl Room) {
    let store = room.open().await;
    store.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    store.record_pass(&PassSample::new(2, 1).version("trips", "1.1.0", "b").build()).await.unwrap();
    // The branch is forced back.
    store.record_pass(&PassSample::new(3, 2).version("trips", "1.0.0", "a").build()).await.unwrap();
    assert_eq!(store.versions(Some(&product("trips", 1))).await.unwrap()[0].revision, samples::revision(1));
    assert_eq!(store.latest_versions(&[product("trips", 1)]).await.unwrap()[0].version.version.to_string(), "1.0.0");
}

async fn retired(store: &dyn Store, name: &str) -> bool {
    store.latest_versions(&[product(name, 1)]).await.unwrap()[0].retired
}

pub async fn a_product_is_retired_and_comes_back(room: &impl Room) {
    let store = room.open().await;
    let both = PassSample::new(1, 0).version("trips", "1.0.0", "a").version("fares", "1.0.0", "b");
    store.record_pass(&both.build()).await.unwrap();
    store.record_pass(&PassSample::new(2, 1).retire("trips").build()).await.unwrap();
    assert!(retired(&*store, "trips").await);
    assert!(!retired(&*store, "fares").await);
    store.record_pass(&PassSample::new(3, 2).version("trips", "1.0.0", "a").build()).await.unwrap();
    assert!(!retired(&*store, "trips").await);
    let kinds: Vec<_> = store.audit_rows(99).await.unwrap().into_iter().map(|row| row.kind).collect();
    assert!(
        kinds.contains(&"product-retired".to_owned()) && kinds.contains(&"product-returned".to_owned()),
        "{kinds:?}"
    );
}

pub async fn a_retired_product_comes_back_with_its_descriptor_alone(room: &impl Room) {
    let store = room.open().await;
    store.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    store.record_pass(&PassSample::new(2, 1).retire("trips").build()).await.unwrap();
    let unchanged = |number| {
        PassSample::new(number, 2).version("trips", "1.0.0", "a").with(|pass| {
            pass.versions.clear();
            pass.plan.changes.clear();
        })
    };
    let broken = unchanged(3).with(|pass| pass.descriptors[0].findings.push(samples::error("a/b", "x"))).build();
    store.record_pass(&broken).await.unwrap();
    assert!(retired(&*store, "trips").await);
    store.record_pass(&unchanged(4).build()).await.unwrap();
    assert!(!retired(&*store, "trips").await);
}

pub async fn a_moved_descriptor_moves_its_product(room: &impl Room) {
    let store = room.open().await;
    store.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    let moved = PassSample::new(2, 1).version("trips", "1.0.0", "a").with(|pass| {
        pass.gone.push(pass.descriptors[0].path.clone());
        pass.descriptors[0].path = path("elsewhere/p.yaml");
        pass.versions.clear();
        pass.plan.changes.clear();
    });
    store.record_pass(&moved.build()).await.unwrap();
    assert_eq!(store.latest_versions(&[product("trips", 1)]).await.unwrap()[0].path, path("elsewhere/p.yaml"));
}

pub async fn a_product_belongs_to_the_source_that_was_recorded_first_until_it_lets_go(room: &impl Room) {
    let store = room.open().await;
    store.record_pass(&PassSample::new(1, 0).version("trips", "1.0.0", "a").build()).await.unwrap();
    let other = PassSample::new(5, 0).of("other").version("trips", "1.0.0", "a").build();
    assert!(matches!(store.record_pass(&other).await, Err(StoreError::Unavailable(_))));
    let latest = store.latest_versions(&[product("trips", 1)]).await.unwrap();
    assert_eq!(latest[0].source, samples::source());

    store.record_pass(&PassSample::new(2, 1).retire("trips").build()).await.unwrap();
    store.record_pass(&other).await.unwrap();
    // To retire it once more does not touch what is the other's by now.
    store.record_pass(&PassSample::new(3, 2).retire("trips").build()).await.unwrap();
    let latest = store.latest_versions(&[product("trips", 1)]).await.unwrap();
    assert_eq!((latest[0].source.as_str(), latest[0].retired), ("other", false));
}

pub async fn numbers_are_kept_to_the_last_digit(room: &impl Room) {
    let store = room.open().await;
    let numbers =
        json!([0.1, 0.30000000000000004, 123456789.12345679, 5e-324, 1.7976931348623157e308, u64::MAX, i64::MIN, -0.5]);
    let pass =
        PassSample::new(1, 0).version("trips", "1.0.0", "a").activity("trips", "dev", "1.0.0", "a").with(|pass| {
            let mut content = pass.versions[0].content.clone().into_value();
            content["numbers"] = numbers.clone();
            pass.versions[0].content = content.into();
            pass.plan.activities[0].tasks[0].configurations = numbers.clone().into();
        });
    let pass = pass.build();
    store.record_pass(&pass).await.unwrap();
    let latest = store.latest_versions(&[product("trips", 1)]).await.unwrap();
    assert_eq!(latest[0].content.value()["numbers"], numbers);
    assert_eq!(store.plan(&pass.plan.digest).await.unwrap(), Some(pass.plan));
}

pub async fn long_lists_of_names_are_answered(room: &impl Room) {
    let store = room.open().await;
    let pass = PassSample::new(1, 0).version("n39999", "1.0.0", "a").activity("n39999", "dev", "1.0.0", "a").build();
    store.record_pass(&pass).await.unwrap();
    roll_out(&*store, &pass.plan.activities[0].id, 5).await;
    let names: Vec<Fqn> = (0..40_000).map(|number| product(&format!("n{number}"), 1)).collect();
    assert_eq!(store.latest_versions(&names).await.unwrap().len(), 1);
    assert_eq!(store.containers(&names).await.unwrap().len(), 1);
    let files: Vec<_> = (0..40_000).map(|number| path(&format!("n{number}/data-product-descriptor.yaml"))).collect();
    assert_eq!(store.descriptors_reading(&samples::source(), &files).await.unwrap().len(), 1);
    let events = store.events(&pass.plan.activities[0].id).await.unwrap();
    assert_eq!(events.last().unwrap().1, ActivityEvent::Succeeded);
}
