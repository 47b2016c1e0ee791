//! An executor that does nothing, for as long as it is told, and knows when it was asked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use meshwright::domain::id::{ContainerId, ExecutorName};
use meshwright::port::executor::{Executor, Progress, TaskCall, TaskError, TaskOutcome, Whereabouts};
use serde_json::{Value, json};

/// Does nothing.
pub struct Nothing {
    /// How long each task takes; `None` for ever.
    pause: Option<Duration>,
    asked: AtomicUsize,
    done: AtomicUsize,
    first: Mutex<Option<Instant>>,
}

impl Nothing {
    pub fn taking(pause: Duration) -> Arc<Self> {
        Self::new(Some(pause))
    }

    pub fn never_ending() -> Arc<Self> {
        Self::new(None)
    }

    fn new(pause: Option<Duration>) -> Arc<Self> {
        Arc::new(Self { pause, asked: AtomicUsize::new(0), done: AtomicUsize::new(0), first: Mutex::default() })
    }

    /// As all executors that the generated descriptors name.
    pub fn as_all(self: &Arc<Self>) -> BTreeMap<ExecutorName, Arc<dyn Executor>> {
        ["warehouse", "build"].map(|name| (name.parse().unwrap(), Arc::clone(self) as Arc<dyn Executor>)).into()
    }

    /// How many tasks were handed over.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// How many tasks have ended.
    pub fn done(&self) -> usize {
        self.done.load(Ordering::SeqCst)
    }

    /// When it was asked for the first time since this was called last.
    pub fn take_first(&self) -> Option<Instant> {
        self.first.lock().unwrap().take()
    }

    fn note(&self) {
        self.first.lock().unwrap().get_or_insert_with(Instant::now);
    }
}

#[async_trait]
impl Executor for Nothing {
    async fn run(&self, _: &TaskCall, _: &dyn Progress) -> Result<TaskOutcome, TaskError> {
        self.note();
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.pause {
            Some(Duration::ZERO) => {}
            Some(pause) => tokio::time::sleep(pause).await,
            None => std::future::pending().await,
        }
        self.done.fetch_add(1, Ordering::SeqCst);
        // What the generated tasks of the phase after it ask for.
        let results = json!({"schema": "nothing"}).as_object().cloned().unwrap_or_default();
        Ok(TaskOutcome { results })
    }

    async fn whereabouts(&self, _: &TaskCall) -> Result<Whereabouts, TaskError> {
        self.note();
        Ok(Whereabouts::Unknown)
    }

    async fn observe(&self, _: &ContainerId) -> Result<Option<Value>, TaskError> {
        Ok(None)
    }
}
