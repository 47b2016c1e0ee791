//! Whether the daemon lives, and whether it is ready.
//!
//! Absent: anything about versions, sources or products. These endpoints are open, because a
//! load balancer or a kubelet cannot be expected to have a token.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

/// Tells whether the daemon can do its work now.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// `Err` has a stable word for the reason: `starting`, `record`, `policies`.
    async fn ready(&self) -> Result<(), &'static str>;
}

/// `/healthz` and `/readyz`.
pub fn router(readiness: Arc<dyn Readiness>) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(readyz)).with_state(readiness)
}

async fn readyz(State(readiness): State<Arc<dyn Readiness>>) -> (StatusCode, String) {
    match readiness.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
    }
}
