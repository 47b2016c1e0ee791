//! A model of GitHub, served over HTTP on this machine: stateful, with real Git repositories, with
//! GitHub's limits, and with faults on demand. Where the model differs from GitHub, the model is wrong.
//!
//! ```ignore
//! let hub = Hub::start();
//! let retail = hub.repository("acme/retail").with_files(&[("README.md", "Hello")]);
//! let app = hub.app("Meshwright").hook("http://127.0.0.1:8080/webhooks/github", "secret");
//! app.install_on("acme");
//! let pull = retail.open_pull_request("better", &[("README.md", "Hello, all")]);
//! hub.fail("POST /repos/acme/retail/statuses/*", Trouble::Html(502), 2);
//! ```
//!
//! When the `Hub` is dropped, the test fails if a request came that the model does not know, if one
//! was wrong by GitHub's own description, or if a fault was asked for and never met.

mod answer;
mod auth;
mod description;
mod faults;
mod happenings;
mod hooks;
mod json;
mod keys;
mod limits;
mod objects;
mod routes;
mod server;
mod smart_http;
mod story;
mod world;

pub use faults::Trouble;
pub use hooks::Delivery;
pub use objects::Merge;
pub use story::{AppHandle, Hub, PullHandle, RepositoryHandle};
pub use world::Seen;
