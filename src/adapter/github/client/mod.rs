//! Speaking to GitHub: who speaks (`accounts`), how fast (`pacer`), over what (`transport`), and what an
//! answer means (`answer`, `limits`, `trouble`). Every request of the room goes through [`Client::call`].

mod accounts;
mod answer;
mod cache;
mod call;
mod limits;
mod pacer;
mod repository;
mod transport;
mod trouble;

pub(crate) use answer::Answer;
pub(crate) use call::{Call, Client, Refusal};
pub use pacer::Pace;
pub(crate) use pacer::Weight;
pub(crate) use repository::Repository;
