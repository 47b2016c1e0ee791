//! Git repositories: transport by the `git` program, objects by git2.
//!
//! One bare mirror per repository, shared by all sources with the same URL. `git` brings objects
//! into it, in a hermetic environment and bounded time; git2 reads them there. Nothing is ever
//! checked out, no hook runs, no submodule is entered, and no configuration but our own is read.
//!
//! Read in this order: `location` and `branch` (what is let in), `access` (credentials),
//! `program` (how `git` is run), `message` (what it said), `folder` and `mirror` (what stands on
//! disk, and how it gets there), `proposals` (heads that others ask to be merged), `objects`, `tree`
//! and `touched` (how commits are read), `merge` (what a proposal would come to), `sources` (the port).
//!
//! # Layout
//!
//! ```text
//! <mirrors>/home/               empty: the HOME of every git we run, and where it stands
//! <mirrors>/<digest>.git/       the mirror of one URL; refs/meshwright/branch/<digest> per branch,
//!                               refs/meshwright/proposal/<source>/pull/<n> per proposal
//! <mirrors>/<digest>.git.new/   a clone that is being made; renamed when it is complete
//! <mirrors>/<digest>.gitconfig  the only configuration that git reads for this mirror
//! <mirrors>/<digest>.lock       held with flock(2) while the mirror is written
//! ```
//!
//! # Races, and what was decided
//!
//! * *Two fetches of one mirror in this process.* A turn is an async mutex per mirror. Who waited
//!   for a turn takes over the outcome for the same branch and credentials if that look began
//!   after the waiting did: it is as fresh as a look of one's own.
//! * *Two processes with the same mirrors (the daemon and `meshwright plan`).* Writers hold the lock
//!   file with `flock`, which ends with the process however it dies. Readers need no lock: objects
//!   are never changed, and a clone takes the mirror's place by a rename.
//! * *The daemon is killed with `kill -9`, its `git` lives on.* The lock file is the standard input
//!   of that `git`, so the lock is held until it has ended as well, and its `*.lock` files are
//!   removed only then.
//! * *Killed during a fetch.* Objects come as a pack that is named when it is complete, and the ref
//!   moves after it. What is left are temporary files and `*.lock`s, which the next writer removes.
//! * *Killed during a clone.* It happened beside the mirror; the next writer removes it.
//! * *The branch moves between looking and fetching.* What was fetched counts: the revision is read
//!   from the mirror's own ref after the fetch. When the branch is gone by then, we look again, once.
//! * *A pack is rolled up while another thread reads from it.* git2 keeps what it has mapped, and
//!   what it fails to find is looked for once more in a repository that is opened anew.
//! * *A merge is written while another process tidies.* Merging holds the turn and the lock as well;
//!   only reading, and finding out whether there is anything to merge, happens without.
//! * *The caller loses interest.* Dropping the future kills git's whole process group.
//!
//! # What stays in the mirror
//!
//! Nothing is collected as garbage (`gc.auto=0`): every revision that was ever returned stays
//! readable, force-pushed or not. When many small packs have come together they are rolled up with
//! `git repack --geometric`, which keeps unreachable objects. Only a fresh clone forgets: when the
//! mirror is corrupt, or has reached its limit of size.
//!
//! # Local repositories of other users
//!
//! `git` refuses to serve a repository that belongs to another user, because that repository's
//! configuration could run programs. The operator named this very path, and serving a fetch runs
//! none of it (hooks and `packObjectsHook` are not read from there, lazy fetching is off), so the
//! path is entered as `safe.directory` in our own configuration, and nothing else is.

mod access;
mod program;
mod message;
mod folder;
mod mirror;
mod proposals;
mod objects;
mod tree;
mod touched;
mod merge;
mod sources;

pub use sources::{GitSetupError, GitSourceSpec, GitSources};
