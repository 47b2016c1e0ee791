//! How much one descriptor may cost. Descriptors are written by others, so each of these is a
//! promise to everybody else whose descriptor is checked by the same process. What is larger is
//! refused with a finding that names the limit.

/// Bytes of one file, the root file or a referenced one: 1 MiB. Large descriptors have some 100 kB.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Maps and lists inside each other, in one file and after references were resolved. It keeps
/// every walk over the content, ours and the libraries', far from the end of the stack.
pub const MAX_DEPTH: usize = 64;

/// Values of one descriptor, counted in one file and again after references and aliases were
/// replaced by what they stand for.
pub const MAX_NODES: usize = 100_000;

/// Files that are read for one descriptor.
pub const MAX_FILES: usize = 200;

/// Bytes that are read for one descriptor, all files together, and bytes of text that it may have
/// after references and aliases were replaced: 8 MiB each.
pub const MAX_TOTAL_BYTES: usize = 8 * 1024 * 1024;

/// References that lead to references.
pub const MAX_REFERENCE_DEPTH: usize = 32;

/// Findings that are kept for one descriptor. Nobody reads more, and a hostile file could ask for
/// a hundred thousand.
pub const MAX_FINDINGS: usize = 500;
