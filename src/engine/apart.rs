//! Work that keeps a processor busy.

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinError;

/// Does work that takes long and waits for nothing, on a thread where it keeps no task waiting.
///
/// A runtime of one thread does one thing after the other, and is given this too as one of them: what
/// runs on it comes out the same each time.
pub(super) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await
}
