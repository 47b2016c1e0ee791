//! Packages of npm that tests compare with. They are installed by `npm ci` in `tests/npm`, or lie where
//! `MESHWRIGHT_NPM` says, and are no part of the repository.

use std::path::{Path, PathBuf};

/// The folder of an installed package; `None` when it is not there, which is said loudly, and a
/// failure when `MESHWRIGHT_REQUIRE_PARTS=1`.
pub fn package(name: &str) -> Option<PathBuf> {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm/node_modules");
    let folder = std::env::var_os("MESHWRIGHT_NPM").map_or_else(own, PathBuf::from).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let why = format!("{} is missing: run 'npm ci' in tests/npm", folder.display());
    assert_ne!(std::env::var("MESHWRIGHT_REQUIRE_PARTS").as_deref(), Ok("1"), "{why}");
    eprintln!("SKIPPED: {why}");
    None
}
