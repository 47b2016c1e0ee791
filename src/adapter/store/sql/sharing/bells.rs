//! Bells, within this process; on a server, from and to others too.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::port::store::{Bell, Bells, Listener};

use crate::adapter::store::postgres::bells::Wire;
use crate::adapter::store::sql::{Database, SqlStore};

/// So many rings may wait for whoever listens; with more, all bells are heard once.
const MOST_WAITING: usize = 256;

/// What is rung, and who hears it.
#[derive(Debug, Clone)]
pub struct Belfry {
    heard: broadcast::Sender<Bell>,
    /// To others and back; absent where there are none.
    wire: Option<Arc<Wire>>,
}

impl Belfry {
    /// The bells of a record in this database.
    pub fn of(database: &Database) -> Self {
        let wire = match database {
            Database::Sqlite(_) => None,
            Database::Postgres(server) => Some(server.wire()),
        };
        Self { heard: broadcast::Sender::new(MOST_WAITING), wire }
    }
}

impl Bells for SqlStore {
    fn ring(&self, bell: Bell) {
        match &self.belfry.wire {
            Some(wire) => wire.ring(bell),
            // Nobody may be listening.
            None => drop(self.belfry.heard.send(bell)),
        }
    }

    fn listen(&self) -> Box<dyn Listener> {
        let hearing = Hearing { heard: self.belfry.heard.subscribe(), missed: Vec::new() };
        if let Some(wire) = &self.belfry.wire {
            wire.listen(&self.belfry.heard);
        }
        Box::new(hearing)
    }
}

struct Hearing {
    heard: broadcast::Receiver<Bell>,
    /// To be heard, because some may have been missed.
    missed: Vec<Bell>,
}

#[async_trait]
impl Listener for Hearing {
    async fn next(&mut self) -> Bell {
        loop {
            if let Some(bell) = self.missed.pop() {
                return bell;
            }
            match self.heard.recv().await {
                Ok(bell) => return bell,
                Err(RecvError::Lagged(_)) => self.missed.extend(Bell::ALL),
                // The record is closed, and nothing will be rung any more.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}
