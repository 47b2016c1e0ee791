//! A program's output: streamed line by line to the task's log, with limits.
//!
//! Beyond the limit the output is still read, and dropped: a program that prints gigabytes
//! neither blocks on a full pipe nor fills memory or disk. Reading does not wait for the log: lines
//! pass through a channel, which the same limit bounds, so that a slow log costs no result.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc::UnboundedSender;

use super::super::mask::Mask;

/// The longest line that is logged, in bytes.
const LONGEST_LINE: usize = 8 * 1024;

/// What a line costs of the limit at least, so that a million empty lines are not free.
const LEAST_COST: u64 = 64;

/// How much of the end of each stream is kept for the result and for messages.
const TAIL: usize = 128 * 1024;

/// How many lines of stderr a message has.
const MESSAGE_LINES: usize = 10;

/// How many bytes of stderr a message has.
const MESSAGE_BYTES: usize = 2 * 1024;

/// Both streams of one program.
pub(super) struct Outputs<'a> {
    limit: Limit,
    mask: &'a Mask,
    stdout: Tail,
    stderr: Tail,
}

impl<'a> Outputs<'a> {
    /// `most` bytes of both streams together are logged.
    pub(super) fn new(most: u64, mask: &'a Mask) -> Self {
        let limit = Limit { left: AtomicU64::new(most), most, said: AtomicBool::new(false) };
        Self { limit, mask, stdout: Tail::default(), stderr: Tail::default() }
    }

    /// Reads both streams to their ends. Nobody has to take the lines for it to go on.
    pub(super) async fn stream(
        &mut self,
        stdout: impl AsyncRead + Unpin,
        stderr: impl AsyncRead + Unpin,
        lines: &UnboundedSender<String>,
    ) {
        tokio::join!(
            pump(stdout, &mut self.stdout, &self.limit, self.mask, lines),
            pump(stderr, &mut self.stderr, &self.limit, self.mask, lines),
        );
    }

    /// The last line of standard output that is not empty, as it is; `None` when there is none or
    /// it is longer than what is kept.
    pub(super) fn last_line_of_stdout(&self) -> Option<Vec<u8>> {
        self.stdout.last_lines(1).pop()
    }

    /// The last lines of standard error, masked and bounded.
    pub(super) fn last_lines_of_stderr(&self) -> String {
        let lines = self.stderr.last_lines(MESSAGE_LINES);
        let lines: Vec<String> = lines.iter().map(|line| readable(line, self.mask)).collect();
        let text = lines.join("\n");
        let mut begin = text.len().saturating_sub(MESSAGE_BYTES);
        while !text.is_char_boundary(begin) {
            begin += 1;
        }
        text.get(begin..).unwrap_or_default().to_owned()
    }
}

/// What may still be logged.
struct Limit {
    left: AtomicU64,
    most: u64,
    said: AtomicBool,
}

impl Limit {
    fn is_used_up(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    fn take(&self, bytes: usize) -> bool {
        let cost = (bytes as u64).max(LEAST_COST);
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(cost), Ordering::Relaxed);
        left >= cost
    }

    /// Says that output is dropped from here on.
    fn say_once(&self, lines: &UnboundedSender<String>) {
        if !self.said.swap(true, Ordering::Relaxed) {
            let most = self.most / 1024;
            let _ = lines.send(format!("[cut: more than {most} KiB of output; the rest is dropped]"));
        }
    }
}

/// The end of a stream.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    /// Whether something before it was dropped.
    cut: bool,
}

impl Tail {
    fn push(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
        if self.bytes.len() > 2 * TAIL {
            self.bytes.drain(..self.bytes.len() - TAIL);
            self.cut = true;
        }
    }

    /// The last `most` lines that are not empty, in their order. A line whose beginning was dropped is none.
    fn last_lines(&self, most: usize) -> Vec<Vec<u8>> {
        let mut whole: Vec<&[u8]> = self.bytes.split(|byte| *byte == b'\n').collect();
        if self.cut && !whole.is_empty() {
            whole.remove(0);
        }
        let filled = whole.into_iter().map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        let mut lines: Vec<Vec<u8>> = filled.rev().take(most).map(<[u8]>::to_vec).collect();
        lines.reverse();
        lines
    }
}

async fn pump(
    mut stream: impl AsyncRead + Unpin,
    tail: &mut Tail,
    limit: &Limit,
    mask: &Mask,
    lines: &UnboundedSender<String>,
) {
    // Beyond the longest line as much is kept as the longest secret has, so that one that stands
    // across the cut is recognised; and one byte more, so that the cut is seen.
    let room = LONGEST_LINE + mask.longest() + 1;
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut line: Vec<u8> = Vec::new();
    loop {
        let read = match stream.read(&mut buffer).await {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let mut chunk = buffer.get(..read).unwrap_or_default();
        tail.push(chunk);
        while !chunk.is_empty() && !limit.is_used_up() {
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let (part, rest) = chunk.split_at(end.unwrap_or(chunk.len()));
            let fits = room.saturating_sub(line.len()).min(part.len());
            line.extend_from_slice(part.get(..fits).unwrap_or_default());
            chunk = rest.get(1..).unwrap_or_default();
            if end.is_some() {
                emit(&line, limit, mask, lines);
                line.clear();
            }
        }
        if !chunk.is_empty() {
            line.clear();
            limit.say_once(lines);
        }
    }
    if !line.is_empty() {
        emit(&line, limit, mask, lines);
    }
}

fn emit(line: &[u8], limit: &Limit, mask: &Mask, lines: &UnboundedSender<String>) {
    if limit.take(line.len()) {
        let _ = lines.send(readable(line, mask));
    } else {
        limit.left.store(0, Ordering::Relaxed);
        limit.say_once(lines);
    }
}

/// A line for people: masked, without control characters, not too long.
fn readable(line: &[u8], mask: &Mask) -> String {
    let text = mask.text(&String::from_utf8_lossy(line));
    let mut text: String =
        text.trim_end().chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect();
    if text.len() > LONGEST_LINE {
        let mut end = LONGEST_LINE;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}
