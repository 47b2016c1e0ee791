//! What tests say to the model, in the words of its users.

mod app;
mod hub;
mod pull;
mod repository;

pub use app::AppHandle;
pub use hub::Hub;
pub use pull::PullHandle;
pub use repository::RepositoryHandle;
