//! Three daemons on one PostgreSQL, updated one after another while commits go on.
//!
//! With another build in `MESHWRIGHT_OLDER` they begin as that one, and the two work side by side:
//!
//! ```sh
//! MESHWRIGHT_OLDER=/path/to/meshwright cargo test --test it daemon::battered::rolling -- --nocapture
//! ```

use fastrand::Rng;

use crate::support::postgres::Postgres;

use super::replica::{Replica, end_as_git_says};
use super::{Field, setting};

#[test]
fn a_rolling_update_drops_nothing_and_repeats_nothing() {
    let Some(server) = Postgres::private() else { return };
    let seed = setting("MESHWRIGHT_SEED", fastrand::u64(..));
    eprintln!("MESHWRIGHT_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let mut field = Field::new(12);
    let mut replicas = Replica::all(&field, &server);
    let newer = replicas[0].program.clone();
    for replica in &mut replicas {
        if let Some(older) = std::env::var_os("MESHWRIGHT_OLDER") {
            replica.program = older.into();
        }
        replica.start();
        replica.daemon.as_mut().unwrap().until_ready();
    }
    let mut head = field.repository.head();
    for replica in &mut replicas {
        head = field.change_some(&mut random);
        // While there is work under way, at whichever of them.
        let seen = field.effects().len();
        let mut daemon = replica.daemon.take().unwrap();
        daemon.until("something of it was done", || field.effects().len() > seen);
        daemon.stop();
        replica.program.clone_from(&newer);
        replica.start();
        replica.daemon.as_mut().unwrap().until_ready();
    }
    let settled = end_as_git_says(&mut replicas, &field, &head);
    assert_eq!((field.count("repeated"), field.count("refused")), (0, 0), "what ends in time is not done again");
    eprintln!("{} effects; green {} s after the last one was ready", field.effects().len(), settled.as_secs());
}
