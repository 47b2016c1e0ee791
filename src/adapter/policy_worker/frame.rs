//! What goes over the pipes: frames of a length (4 bytes, big-endian), a kind (1 byte) and JSON.

use std::io::{Error, ErrorKind, Read};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::check::policy::PolicyFile;
use crate::check::policy::testing::PolicyTest;
use crate::domain::finding::Finding;
use crate::domain::id::Digest;
use crate::domain::policy::PolicyEvent;

/// The longest frame, in bytes. Policies are at most 16 MiB, and JSON at most doubles them.
pub(super) const MAX_FRAME: usize = 48 << 20;

/// The longest question, in bytes.
pub(super) const MAX_QUESTION: usize = 16 << 20;

/// The most questions that a worker is sent at once.
pub(super) const AT_ONCE: usize = 32;

/// The bytes before a frame's JSON.
pub(super) const HEADER: usize = 5;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// To the worker: the policies ([`Load`]). From it: [`Loaded`].
    Policies = b'P',
    /// To the worker: the policies with their tests. From it: [`LoadedTests`].
    Suite = b'S',
    /// To the worker: a question. From it: its verdict.
    Question = b'Q',
    /// To the worker: the event at which the question before is asked again. From it: a verdict, as [`Kind::Question`].
    Again = b'A',
    /// To the worker: the position of a test. From it: its result.
    Test = b'T',
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [Kind::Policies, Kind::Suite, Kind::Question, Kind::Again, Kind::Test]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// The policies, on their way to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Load {
    pub(super) files: Vec<PolicyFile>,
}

/// What came of loading policies.
pub(super) type Loaded = Result<LoadedPolicies, Vec<Finding>>;

/// Policies that a worker has loaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LoadedPolicies {
    pub(super) digest: Digest,
    /// The packages in the order in which they are asked, with their events.
    pub(super) packages: Vec<(String, Vec<PolicyEvent>)>,
}

/// What came of loading tests.
pub(super) type LoadedTests = Result<Vec<PolicyTest>, Vec<Finding>>;

/// Appends a frame to a buffer, its JSON written by `write`.
pub(super) fn append(
    buffer: &mut Vec<u8>,
    kind: Kind,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>,
) -> Result<(), Error> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0, 0, 0, 0, kind as u8]);
    write(buffer).map_err(Error::other)?;
    let length = buffer.len() - start - HEADER;
    if length > MAX_FRAME {
        buffer.truncate(start);
        return Err(Error::new(ErrorKind::InvalidData, "it is too long"));
    }
    let length = u32::try_from(length).map_err(Error::other)?.to_be_bytes();
    if let Some(place) = buffer.get_mut(start..start + length.len()) {
        place.copy_from_slice(&length);
    }
    Ok(())
}

/// One frame with a value in it.
pub(super) fn frame_of(kind: Kind, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut buffer = Vec::new();
    append(&mut buffer, kind, |buffer| serde_json::to_writer(buffer, value))?;
    Ok(buffer)
}

/// Reads the next frame; `None` at the end.
pub(super) fn read(from: &mut impl Read) -> Result<Option<(Kind, Vec<u8>)>, Error> {
    let mut header = [0; HEADER];
    match from.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let (kind, length) = parse_header(header)?;
    let mut json = vec![0; length];
    from.read_exact(&mut json)?;
    Ok(Some((kind, json)))
}

/// Reads the next frame, which must be of this kind, into `json`.
pub(super) async fn read_async(
    from: &mut (impl AsyncRead + Unpin),
    kind: Kind,
    json: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut header = [0; HEADER];
    from.read_exact(&mut header).await?;
    let (found, length) = parse_header(header)?;
    if found != kind {
        return Err(Error::new(ErrorKind::InvalidData, format!("an answer to {found:?} instead of {kind:?}")));
    }
    json.clear();
    // What is announced is not believed: the buffer grows with what comes.
    let got = from.take(length as u64).read_to_end(json).await?;
    if got < length { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn parse_header(header: [u8; HEADER]) -> Result<(Kind, usize), Error> {
    let [a, b, c, d, kind] = header;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    match Kind::from_byte(kind) {
        Some(kind) if length <= MAX_FRAME => Ok((kind, length)),
        _ => Err(Error::new(ErrorKind::InvalidData, "what came over the pipe is not a frame")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_as_they_were_and_nonsense_does_not() {
        let bytes = frame_of(Kind::Question, &["a", "b"]).unwrap();
        let mut from = bytes.as_slice();
        assert_eq!(read(&mut from).unwrap(), Some((Kind::Question, br#"["a","b"]"#.to_vec())));
        assert_eq!(read(&mut from).unwrap(), None);
        assert!(read(&mut [0, 0, 0, 1, b'?', 0].as_slice()).is_err());
        assert!(read(&mut [255, 255, 255, 255, b'Q'].as_slice()).is_err());
        assert!(read(&mut [0, 0, 0, 9, b'Q', b'{'].as_slice()).is_err());
    }
}
