//! Rollouts as stories watch them.

use std::sync::Arc;

use meshwright::port::store::Look;
use tokio::task::JoinHandle;

use super::Started;

impl Started {
    /// Rolls out in the background, until the world is told to stop.
    pub fn rolling(&self) -> JoinHandle<()> {
        let (engine, stop) = (Arc::clone(&self.engine), self.stop.clone());
        tokio::spawn(async move { engine.roll_out_all(&stop).await.unwrap() })
    }

    /// Where the newest activities stand: `product stage version status`, in order.
    pub async fn stand(&self) -> Vec<String> {
        let rows = self.store.activity_rows(100).await.unwrap();
        let mut lines: Vec<String> = rows
            .iter()
            .map(|row| format!("{} {} {} {}", row.product.product_name(), row.stage, row.version, row.status))
            .collect();
        lines.sort();
        lines
    }
}
