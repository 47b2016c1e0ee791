//! Three daemons on one PostgreSQL, each with a wire of its own to it. They are killed, stopped and woken,
//! cut off, and the server is restarted under them, while commits go on.
//!
//! ```sh
//! MESHWRIGHT_BLOWS_SECONDS=600 MESHWRIGHT_PRODUCTS=200 \
//!     cargo test --release --test it daemon::battered::replicas -- --nocapture
//! ```

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rustix::process::Signal;

use crate::support::postgres::Postgres;

use super::replica::{REPLICAS, Replica, end_as_git_says};
use super::{Field, setting};

/// A blow, and what it was called in the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    Killed,
    Stopped,
    CutOff,
    ServerRestarted,
    ServerKilled,
    Commit,
}

#[test]
fn three_daemons_on_one_postgres_lose_nothing() {
    let Some(server) = Postgres::private() else { return };
    let seed = setting("MESHWRIGHT_SEED", fastrand::u64(..));
    let (seconds, products) = (setting("MESHWRIGHT_BLOWS_SECONDS", 20), setting("MESHWRIGHT_PRODUCTS", 12));
    eprintln!("MESHWRIGHT_SEED={seed} MESHWRIGHT_BLOWS_SECONDS={seconds} MESHWRIGHT_PRODUCTS={products}");
    let mut random = Rng::with_seed(seed);
    let mut field = Field::new(usize::try_from(products).unwrap());
    let mut replicas = Replica::all(&field, &server);
    replicas.iter_mut().for_each(Replica::start);

    let mut blows: BTreeMap<Blow, u32> = BTreeMap::new();
    let (began, length) = (Instant::now(), Duration::from_secs(seconds));
    while began.elapsed() < length {
        std::thread::sleep(Duration::from_millis(random.u64(100..1_500)));
        let index = random.usize(..REPLICAS);
        let pause = Duration::from_millis(random.u64(50..4_000));
        let blow = match random.u8(..20) {
            0..=6 => Blow::Killed,
            7..=9 => Blow::Stopped,
            10..=12 => Blow::CutOff,
            13 => Blow::ServerRestarted,
            14 => Blow::ServerKilled,
            _ => Blow::Commit,
        };
        *blows.entry(blow).or_default() += 1;
        let replica = &mut replicas[index];
        replica.keep_alive();
        match blow {
            Blow::Killed => {
                replica.daemon.take().unwrap().kill();
                std::thread::sleep(pause.min(Duration::from_secs(1)));
                replica.start();
            }
            Blow::Stopped => {
                let daemon = replica.daemon.as_ref().unwrap();
                daemon.signal(Signal::STOP);
                // Now and then for longer than any lease.
                let longer = if random.u8(..4) == 0 { Duration::from_secs(40) } else { Duration::ZERO };
                std::thread::sleep((pause + longer).min(length / 4));
                daemon.signal(Signal::CONT);
            }
            Blow::CutOff => {
                replica.wire.cut();
                std::thread::sleep(pause);
                replica.wire.mend();
            }
            Blow::ServerRestarted => server.restart("fast"),
            Blow::ServerKilled => server.restart("immediate"),
            Blow::Commit => drop(field.change_some(&mut random)),
        }
    }
    let head = field.change_some(&mut random);
    let settled = end_as_git_says(&mut replicas, &field, &head);
    eprintln!(
        "{blows:?}: {} effects, {} repeated under the same key, {} refused for an old token; green {} s after the last blow",
        field.effects().len(),
        field.count("repeated"),
        field.count("refused"),
        settled.as_secs()
    );
}
