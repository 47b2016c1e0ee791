//! Writing on terms: while a lease is the newest, while a source stands as it did.
//!
//! Each term is a statement at the beginning of the transaction that writes. It locks the row that it asks
//! about by writing what stands there already: whoever would change it waits for the commit, on a server
//! too.

use std::sync::Arc;

use async_trait::async_trait;

use crate::adapter::store::encode::to_column;
use crate::adapter::store::sql::connection::{Connection, query};
use crate::domain::id::SourceName;
use crate::port::store::{Basis, Lease, Leased, Matter, Store, StoreError, Terms};

use crate::adapter::store::sql::SqlStore;

/// How a source stands.
pub const STANDS: &str = "SELECT edition, decided, said FROM standings WHERE source = $1";

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

    async fn basis(&self, source: &SourceName, of: Matter) -> Result<Basis, StoreError> {
        let mut transaction = self.read_once().await?;
        let row = query(STANDS).bind(source.as_str()).fetch_optional(&mut transaction).await?;
        let edition = row.map_or(Ok(0), |row| row.count(column(of)))?;
        Ok(Basis { source: source.clone(), of, edition })
    }
}

/// Where it is counted how often something has changed.
const fn column(of: Matter) -> &'static str {
    match of {
        Matter::Rollouts => "edition",
        Matter::Decisions => "decided",
        Matter::Proposals => "said",
    }
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
    let stands = query(match basis.of {
        Matter::Rollouts => "UPDATE standings SET edition = edition WHERE source = $1 AND edition = $2",
        Matter::Decisions => "UPDATE standings SET decided = decided WHERE source = $1 AND decided = $2",
        Matter::Proposals => "UPDATE standings SET said = said WHERE source = $1 AND said = $2",
    });
    let stands = stands.bind(basis.source.as_str()).bind(to_column(basis.edition));
    Ok(stands.execute(connection).await? > 0)
}

/// A rollout of the source stands otherwise.
pub async fn has_changed(connection: &mut Connection, source: &SourceName) -> Result<(), StoreError> {
    let grown = query(
        "INSERT INTO standings (source, edition) VALUES ($1, 1)
         ON CONFLICT (source) DO UPDATE SET edition = standings.edition + 1",
    );
    grown.bind(source.as_str()).execute(connection).await?;
    Ok(())
}

/// Something was planned or decided about the source's rollouts.
pub async fn was_decided(connection: &mut Connection, source: &SourceName) -> Result<(), StoreError> {
    let grown = query(
        "INSERT INTO standings (source, edition, decided) VALUES ($1, 1, 1)
         ON CONFLICT (source) DO UPDATE SET edition = standings.edition + 1, decided = standings.decided + 1",
    );
    grown.bind(source.as_str()).execute(connection).await?;
    Ok(())
}

/// What a proposal of the source is told has changed.
pub async fn was_said(connection: &mut Connection, source: &SourceName) -> Result<(), StoreError> {
    let grown = query(
        "INSERT INTO standings (source, edition, said) VALUES ($1, 0, 1)
         ON CONFLICT (source) DO UPDATE SET said = standings.said + 1",
    );
    grown.bind(source.as_str()).execute(connection).await?;
    Ok(())
}
