//! Bells, within this process.

use async_trait::async_trait;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::port::store::{Bell, Bells, Listener};

use super::SqlStore;

/// So many rings may wait for whoever listens; with more, all bells are heard once.
const MOST_WAITING: usize = 256;

/// What is rung within this process.
#[derive(Debug, Clone)]
pub struct Belfry(broadcast::Sender<Bell>);

impl Default for Belfry {
    fn default() -> Self {
        Self(broadcast::Sender::new(MOST_WAITING))
    }
}

impl Belfry {
    /// Lets all who listen in this process hear it.
    pub fn sound(&self, bell: Bell) {
        // Nobody may be listening.
        let _ = self.0.send(bell);
    }
}

impl Bells for SqlStore {
    fn ring(&self, bell: Bell) {
        self.belfry.sound(bell);
    }

    fn listen(&self) -> Box<dyn Listener> {
        Box::new(Hearing { heard: self.belfry.0.subscribe(), missed: Vec::new() })
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
