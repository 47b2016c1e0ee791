//! Bells over a server: `NOTIFY` and `LISTEN`.
//!
//! One channel for each record, named by its schema; what is sent is the bell's word. Rings that come while one
//! of the same bell is on its way are that one. Nothing is sent within the transactions that write: a hint may
//! be lost, and costs nobody a lock.
//!
//! Named races:
//! - *The connection is lost.* Whatever was rung meanwhile was not heard: after each connecting, all bells are
//!   heard once.
//! - *A ring between the reading of a queue and the listening.* Whoever listens looks after that by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::broadcast;
use tracing::{debug, warn};

use crate::port::store::Bell;

/// The pause after listening was not possible; it doubles with each further time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The way to others on the same record, and back.
#[derive(Debug)]
pub struct Wire {
    pool: PgPool,
    on_its_way: [AtomicBool; Bell::ALL.len()],
    is_listening: AtomicBool,
}

impl Wire {
    /// Over the connections of this pool. Nothing is connected yet.
    pub fn over(pool: PgPool) -> Arc<Self> {
        Arc::new(Self { pool, on_its_way: Default::default(), is_listening: AtomicBool::new(false) })
    }

    /// Lets all who listen hear it, in this process too.
    pub fn ring(self: &Arc<Self>, bell: Bell) {
        let Some(on_its_way) = self.on_its_way.get(bell as usize) else { return };
        if on_its_way.swap(true, Ordering::AcqRel) {
            return;
        }
        let wire = Arc::clone(self);
        tokio::spawn(async move {
            // From now on it is another ring.
            if let Some(on_its_way) = wire.on_its_way.get(bell as usize) {
                on_its_way.store(false, Ordering::Release);
            }
            let rung = sqlx::query("SELECT pg_notify('meshwright_' || current_schema(), $1)")
                .bind(bell.as_str())
                .execute(&wire.pool)
                .await;
            if let Err(error) = rung {
                debug!(bell = bell.as_str(), %error, "other replicas were not told; they look by themselves");
            }
        });
    }

    /// From now on, what is rung comes into `heard`, until the record is closed.
    pub fn listen(self: &Arc<Self>, heard: &broadcast::Sender<Bell>) {
        if self.is_listening.swap(true, Ordering::AcqRel) {
            return;
        }
        let (pool, heard) = (self.pool.clone(), heard.clone());
        tokio::spawn(async move {
            let mut pause = FIRST_PAUSE;
            while !pool.is_closed() {
                let listened = hear(&pool, &heard, &mut pause).await;
                if let Err(error) = listened
                    && !pool.is_closed()
                {
                    warn!(%error, "other replicas cannot be heard; looking by ourselves until they can");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
    }
}

async fn hear(pool: &PgPool, heard: &broadcast::Sender<Bell>, pause: &mut Duration) -> Result<(), sqlx::Error> {
    let schema: String = sqlx::query_scalar("SELECT current_schema()::TEXT").fetch_one(pool).await?;
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(&format!("meshwright_{schema}")).await?;
    *pause = FIRST_PAUSE;
    let sound = |bell: Bell| {
        // Nobody may be listening in this process any more.
        let _ = heard.send(bell);
    };
    Bell::ALL.into_iter().for_each(sound);
    loop {
        match listener.try_recv().await? {
            Some(rung) => Bell::ALL.into_iter().filter(|bell| bell.as_str() == rung.payload()).for_each(sound),
            // The connection was lost, and is made anew by the next call.
            None => return Ok(()),
        }
    }
}
