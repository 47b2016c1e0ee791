//! Writing on terms: while a lease is the newest, while a source stands as it did.
//!
//! Each term is a statement at the beginning of the transaction that writes. It locks the row that it asks
//! about by writing what stands there already: whoever would change it waits for the commit, on a server
//! too.

use std::sync::Arc;

use async_trait::async_trait;

use crate::adapter::store::encode::to_column;
use crate::adapter::store::sql::connection::{Connection, query, query_scalar};
use crate::domain::id::SourceName;
use crate::port::store::{Basis, Lease, Leased, Store, StoreError, Terms};

use crate::adapter::store::sql::SqlStore;

/// How a source stands.
pub const EDITION: &str = "SELECT edition FROM standings WHERE source = $1";

/// On which terms a store writes; with none, always.
#[derive(Debug, Clone, Default)]
pub struct OnTerms(Option<Arc<Held>>);

#[derive(Debug, Clone, Default)]
struct Held {
    leases: Vec<Lease>,
    basis: Option<Basis>,
}

impl OnTerms {
    fn with(&self, change: impl FnOnce(&mut Held)) -> Self {
        let mut held = self.0.as_deref().cloned().unwrap_or_default();
        change(&mut held);
        Self(Some(Arc::new(held)))
    }

    /// Fails unless all of them hold, and go on to hold until the transaction ends.
    pub async fn check(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let Some(held) = &self.0 else { return Ok(()) };
        for lease in &held.leases {
            if !is_newest(connection, lease).await? {
                return Err(StoreError::Fenced);
            }
        }
        match &held.basis {
            Some(basis) if !still_stands(connection, basis).await? => Err(StoreError::Moved),
            Some(_) | None => Ok(()),
        }
    }
}

#[async_trait]
impl Terms for SqlStore {
    fn under(&self, lease: &Lease) -> Arc<dyn Store> {
        Arc::new(Self { terms: self.terms.with(|held| held.leases.push(lease.clone())), ..self.clone() })
    }

    fn upon(&self, basis: &Basis) -> Arc<dyn Store> {
        Arc::new(Self { terms: self.terms.with(|held| held.basis = Some(basis.clone())), ..self.clone() })
    }

    async fn basis(&self, source: &SourceName) -> Result<Basis, StoreError> {
        let edition = edition(&mut *self.read().await?, source).await?;
        Ok(Basis { source: source.clone(), edition })
    }
}

async fn edition(connection: &mut Connection, source: &SourceName) -> Result<u64, StoreError> {
    let edition: Option<i64> = query_scalar(EDITION).bind(source.as_str()).fetch_optional(connection).await?;
    Ok(edition.map_or(0, crate::adapter::store::encode::from_column))
}

async fn is_newest(connection: &mut Connection, lease: &Lease) -> Result<bool, StoreError> {
    let token = to_column(lease.token.0);
    let kept = match &lease.what {
        Leased::Named(name) => {
            query("UPDATE leases SET token = token WHERE name = $1 AND token = $2 AND holder IS NOT NULL")
                .bind(name.as_str())
                .bind(token)
        }
        Leased::Container(container) => query(
            "UPDATE container_claims SET token = token
             WHERE product = $1 AND stage = $2 AND token = $3 AND holder IS NOT NULL",
        )
        .bind(container.product.as_str())
        .bind(container.stage.as_str())
        .bind(token),
        Leased::Look(id) => query("UPDATE wakes SET token = token WHERE id = $1 AND token = $2 AND holder IS NOT NULL")
            .bind(*id)
            .bind(token),
    };
    Ok(kept.execute(connection).await? > 0)
}

async fn still_stands(connection: &mut Connection, basis: &Basis) -> Result<bool, StoreError> {
    if basis.edition == 0 {
        query("INSERT INTO standings (source, edition) VALUES ($1, 0) ON CONFLICT (source) DO NOTHING")
            .bind(basis.source.as_str())
            .execute(&mut *connection)
            .await?;
    }
    let stands = query("UPDATE standings SET edition = edition WHERE source = $1 AND edition = $2")
        .bind(basis.source.as_str())
        .bind(to_column(basis.edition));
    Ok(stands.execute(connection).await? > 0)
}

/// Something has changed that the status of the source's stages is worked out from.
pub async fn has_changed(connection: &mut Connection, source: &SourceName) -> Result<(), StoreError> {
    query(
        "INSERT INTO standings (source, edition) VALUES ($1, 1)
         ON CONFLICT (source) DO UPDATE SET edition = standings.edition + 1",
    )
    .bind(source.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
