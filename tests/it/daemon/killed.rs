//! Killed and stopped at any moment, and started again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::world::Descriptor;

use super::Place;

const EVENTS: &str = "SELECT CAST(count(*) AS TEXT) FROM activity_events";

fn count(place: &Place) -> usize {
    place.ask(EVENTS).first().map_or(0, |count| count.parse().unwrap())
}

#[test]
fn killed_again_and_again_it_comes_to_the_same_end() {
    let undisturbed = Place::examples();
    let head = undisturbed.repository.head();
    let mut daemon = undisturbed.serve();
    daemon.until("it is green", || undisturbed.is_green(&head));
    let events = count(&undisturbed);
    daemon.stop();

    let place = Place::examples();
    assert_eq!(place.repository.head(), head);
    // In the middle of tasks, of records and of starts.
    let mut killed_at = Vec::new();
    for kill in 0..8_usize {
        let mut daemon = place.serve();
        let wanted = events * kill / 9 + kill % 2;
        daemon.until("so many events are recorded", || place.state().exists() && count(&place) >= wanted);
        let since = Instant::now();
        let pause = Duration::from_millis((kill as u64 * 37) % 90);
        daemon.until("a moment later", || since.elapsed() >= pause);
        daemon.kill();
        killed_at.push(count(&place));
    }
    assert!(killed_at.windows(2).all(|pair| pair[0] <= pair[1]), "{killed_at:?}");
    assert!(killed_at.iter().collect::<BTreeSet<_>>().len() >= 4, "it has to be killed in the middle: {killed_at:?}");
    let mut daemon = place.serve();
    daemon.until("it is green", || place.is_green(&head));
    daemon.until("every report is published", || {
        place.ask("SELECT context FROM reports WHERE published < edition").is_empty()
    });
    daemon.stop();

    assert_eq!(place.containers(), undisturbed.containers());
    assert_eq!(place.statuses(&head), undisturbed.statuses(&head));
    assert_eq!(place.ask("SELECT id FROM activities WHERE status <> 'succeeded'"), Vec::<String>::new());
    // The keys of what was done are those that were planned, and each thing has one.
    assert_eq!(place.effects(), undisturbed.effects());
    let planned: BTreeSet<String> = place
        .ask("SELECT json_extract(task.value, '$.key') FROM activities, json_each(planned, '$.tasks') AS task")
        .into_iter()
        .collect();
    assert!(place.effects().iter().all(|(key, _)| planned.contains(key)));
    assert_eq!(place.ask("PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn told_to_stop_it_stops_within_seconds_and_goes_on_at_the_next_start() {
    let place = Place::small();
    let pids = place.path("pids");
    std::fs::write(place.path("control"), format!("echo $$ >> {}; sleep 600 & wait", pids.display())).unwrap();
    let head = place.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let mut daemon = place.serve();
    daemon.until("the task runs", || std::fs::read_to_string(&pids).is_ok_and(|text| text.ends_with('\n')));
    let pid = std::fs::read_to_string(&pids).unwrap().trim().to_owned();
    assert!(std::path::Path::new("/proc").join(&pid).exists());
    let began = Instant::now();
    daemon.stop();
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let orphans = || {
        let entries = std::fs::read_dir("/proc").unwrap();
        let environments = entries.filter_map(|entry| std::fs::read(entry.ok()?.path().join("environ")).ok());
        let folder = place.folder.path().display().to_string();
        environments.filter(|bytes| String::from_utf8_lossy(bytes).contains(&folder)).count()
    };
    // The kernel takes a moment to bury them.
    while orphans() > 0 {
        assert!(began.elapsed() < Duration::from_secs(15), "process {pid} or another one goes on");
        std::thread::sleep(Duration::from_millis(20));
    }

    std::fs::write(place.path("control"), "").unwrap();
    let mut daemon = place.serve();
    daemon.until("it goes on", || place.is_green(&head));
    daemon.stop();
    let keys: BTreeSet<String> =
        place.effects().into_iter().filter(|(_, what)| what.contains(" provision ")).map(|(key, _)| key).collect();
    assert_eq!(keys.len(), 1, "{:?}", place.effects());
    let lines = std::fs::read_to_string(place.path("ledger")).unwrap().lines().count();
    assert_eq!(lines, 4, "provision twice, build and deploy once");
}

#[test]
fn a_second_signal_stops_at_once() {
    let place = Place::small();
    place.commit(&[Descriptor::new("orders", "1.0.0").only_at("dev")]);
    let mut daemon = place.serve();
    daemon.until("it lives", || place.state().exists() && daemon_is_serving(&place));
    daemon.signal(Signal::INT);
    daemon.signal(Signal::TERM);
    let status = daemon.ended();
    assert!(matches!(status.code(), Some(0 | 1)), "{status}");
}

fn daemon_is_serving(place: &Place) -> bool {
    !place.ask("SELECT name FROM sources").is_empty()
}
