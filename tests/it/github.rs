//! Stories with GitHub: over real Git and HTTP, against the model of GitHub in `tests/support`.

#![expect(clippy::disallowed_methods, reason = "the real git and the program are run, as their users do")]

mod forge;
mod asked_again;
mod by_hand;
mod clone;
mod installed;
mod model;
mod setting_up;
mod story;
mod team;
