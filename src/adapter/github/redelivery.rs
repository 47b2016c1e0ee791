//! Deliveries of the App's webhook that did not reach us. GitHub never makes one again by itself.

use async_trait::async_trait;
use http::Method;
use serde::Deserialize;

use crate::domain::time::Timestamp;
use crate::port::forge::ForgeError;
use crate::port::forge::redelivery::{Attempt, Attempts, Redelivery};

use super::GithubForge;
use super::client::{Call, Weight};

/// A look reads at most this many pages of a hundred attempts.
const MOST_PAGES: usize = 10;

#[derive(Deserialize)]
struct Delivery {
    id: u64,
    guid: String,
    delivered_at: Timestamp,
    status_code: u16,
}

#[async_trait]
impl Redelivery for GithubForge {
    async fn attempts(&self, since: Timestamp) -> Result<Attempts, ForgeError> {
        let client = &self.github.client;
        let mut found = Attempts::default();
        let mut path = "/app/hook/deliveries?per_page=100".to_owned();
        for _ in 0..MOST_PAGES {
            let answer = client.call_as_own(Call::get(&path)).await?;
            let page: Vec<Delivery> = answer.json()?;
            let was_older = page.iter().any(|delivery| delivery.delivered_at < since);
            let recent = page.into_iter().filter(|delivery| delivery.delivered_at >= since);
            found.attempts.extend(recent.map(|delivery| Attempt {
                id: delivery.id,
                delivery: delivery.guid,
                at: delivery.delivered_at,
                arrived: (200..300).contains(&delivery.status_code),
            }));
            match answer.next_page().and_then(|next| client.here(next)) {
                Some(next) if !was_older => path = next.to_owned(),
                _ => return Ok(found),
            }
        }
        found.is_cut = true;
        Ok(found)
    }

    async fn redeliver(&self, attempt: u64) -> Result<(), ForgeError> {
        let path = format!("/app/hook/deliveries/{attempt}/attempts");
        let call = Call { method: Method::POST, path: &path, body: None, weight: Weight::Write };
        Ok(self.github.client.call_as_own(call).await.map(drop)?)
    }
}
