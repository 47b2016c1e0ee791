//! Stories with GitHub: over real Git and HTTP, against the model of GitHub in `tests/support`.

mod forge;
mod model;
