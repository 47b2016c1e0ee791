//! What happened, in one line each: two runs of one seed are compared by it.

use std::fmt;
use std::sync::Mutex;

#[derive(Debug)]
struct Lines {
    kept: Option<Vec<String>>,
    count: u64,
    hash: u64,
}

/// The trace of a run. Its hash is made in any case; its lines are kept when somebody wants to read them.
#[derive(Debug)]
pub struct Trace(Mutex<Lines>);

impl Trace {
    /// An empty one.
    pub fn new(keep: bool) -> Self {
        Self(Mutex::new(Lines { kept: keep.then(Vec::new), count: 0, hash: 0xcbf2_9ce4_8422_2325 }))
    }

    /// One more line.
    pub fn line(&self, text: fmt::Arguments<'_>) {
        let mut lines = self.0.lock().unwrap();
        let text = text.to_string();
        // FNV-1a, 64 bits: this is to tell traces apart, and nobody forges them.
        let hash = text
            .bytes()
            .chain([b'\n'])
            .fold(lines.hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        (lines.hash, lines.count) = (hash, lines.count + 1);
        if let Some(kept) = &mut lines.kept {
            kept.push(text);
        }
    }

    /// The hash of all lines, and how many there are.
    pub fn hash(&self) -> (u64, u64) {
        let lines = self.0.lock().unwrap();
        (lines.hash, lines.count)
    }

    /// The lines, where they are kept.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().kept.clone().unwrap_or_default()
    }
}
