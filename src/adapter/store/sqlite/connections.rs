//! Connections to the file that are kept open, and lent to one call at a time.
//!
//! # Needs
//!
//! Each connection of sqlx is a thread, and each statement a trip to it and back, which costs more than most of
//! our statements do. So a call is to make as many trips as it has statements, and a transaction two more. (sqlx'
//! own pool hands each connection back on a task of its own, with two further trips.) A call may be
//! dropped anywhere; and when the disk fails, SQLite rolls back by itself, whatever we believe.
//!
//! # Shape
//!
//! * Transactions are begun and ended by plain statements, so that nobody but SQLite counts them.
//! * Whoever drops a transaction sends the rollback on its way and waits for nothing: what the next call asks of the
//!   connection comes after it.
//! * A statement that fails makes the connection *doubtful*: its thread may have ended, or its transaction. Before
//!   the next call it rolls back once more, and one that cannot do so is replaced. That there is nothing to roll
//!   back is as good.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::port::store::StoreError;

/// SQLite's code for what is wrong with a statement: here, that there is no transaction to roll back.
const NOTHING_TO_ROLL_BACK: &str = "1";

/// Connections that are alike.
#[derive(Debug)]
pub struct Connections {
    connect: SqliteConnectOptions,
    most: u32,
    /// How long a call waits for those before it.
    patience: Duration,
    /// One for each that is not lent.
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: SqliteConnection,
    is_doubtful: bool,
}

/// A connection, until it is dropped. What was begun and not committed by then is rolled back.
#[derive(Debug)]
pub struct Lent {
    /// Absent only while it is handed back.
    connection: Option<SqliteConnection>,
    /// Whether a transaction was begun on it and has not been committed.
    is_open: bool,
    is_doubtful: bool,
    home: Arc<Connections>,
    /// Handed back after the connection.
    _turn: OwnedSemaphorePermit,
}

impl Connections {
    /// At most so many, of which this is the first.
    pub fn with(first: SqliteConnection, connect: SqliteConnectOptions, most: u32, patience: Duration) -> Arc<Self> {
        let turns = Arc::new(Semaphore::new(most as usize));
        let idle = Mutex::new(vec![Idle { connection: first, is_doubtful: false }]);
        Arc::new(Self { connect, most, patience, turns, idle })
    }

    /// One of them, outside of any transaction: each statement is one by itself.
    pub async fn lend(self: &Arc<Self>) -> Result<Lent, StoreError> {
        let turn = match Arc::clone(&self.turns).try_acquire_owned() {
            Ok(turn) => turn,
            Err(_) => {
                let turn = tokio::time::timeout(self.patience, Arc::clone(&self.turns).acquire_owned()).await;
                turn.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?
            }
        };
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(Idle { connection, is_doubtful: false }) => connection,
            Some(Idle { mut connection, is_doubtful: true }) => {
                if is_usable(sqlx::query("ROLLBACK").execute(&mut connection).await) {
                    connection
                } else {
                    drop(connection);
                    self.connect.connect().await?
                }
            }
            None => self.connect.connect().await?,
        };
        Ok(Lent {
            connection: Some(connection),
            is_open: false,
            is_doubtful: false,
            home: Arc::clone(self),
            _turn: turn,
        })
    }

    /// One of them, within a transaction that this statement begins.
    pub async fn begin(self: &Arc<Self>, statement: &'static str) -> Result<Lent, StoreError> {
        let mut lent = self.lend().await?;
        // Who is dropped while it begins may have begun it.
        lent.is_open = true;
        let begun = sqlx::query(statement).execute(lent.get()?).await;
        lent.seen(begun)?;
        Ok(lent)
    }

    /// Closes all of them, after those calls that are under way.
    pub async fn close(&self) {
        let Ok(all) = self.turns.acquire_many(self.most).await else { return };
        self.turns.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for Idle { connection, .. } in idle {
            // It is gone either way.
            let _ = connection.close().await;
        }
    }
}

fn is_usable(rolled_back: Result<impl Sized, sqlx::Error>) -> bool {
    match rolled_back {
        Ok(_) => true,
        Err(sqlx::Error::Database(error)) => error.code().as_deref() == Some(NOTHING_TO_ROLL_BACK),
        Err(_) => false,
    }
}

impl Lent {
    /// The connection.
    pub fn get(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// What became of a statement.
    pub fn seen<T>(&mut self, answer: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        self.is_doubtful |= answer.is_err();
        answer
    }

    /// Makes what was written durable.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let committed = sqlx::query("COMMIT").execute(self.get()?).await;
        self.seen(committed)?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.is_open {
            // To be polled once is to be sent; the answer is nobody's.
            let rollback = pin!(sqlx::query("ROLLBACK").execute(&mut connection));
            let _ = rollback.poll(&mut Context::from_waker(Waker::noop()));
        }
        let idle = Idle { connection, is_doubtful: self.is_doubtful };
        self.home.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
    }
}
