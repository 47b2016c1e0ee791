//! Undoing: what a task made new is dropped again. What was there before it stays as it is, with changed
//! columns and loaded rows: they may be in use, and bringing them back could lose what others wrote since.

use crate::port::executor::{Progress, TaskCall, TaskError};

use super::super::stop::Stop;
use super::definition;
use super::dialect::qualified;
use super::place::Place;
use super::session::Session;
use super::{SqlExecutor, catalog};

impl SqlExecutor {
    pub(super) async fn undo(
        &self,
        call: &TaskCall,
        place: &Place,
        progress: &dyn Progress,
        stop: &Stop,
    ) -> Result<(), TaskError> {
        let Some(key) = &call.undoes else { return Ok(()) };
        // All that the product can have: what the task was configured to leave alone was not made by it.
        let definitions = definition::read(&call.descriptor, None, place.dialect())?;
        let (schemas, _) = self.gather(call, definitions)?;
        let names: Vec<String> = schemas.into_keys().collect();
        let mut session = Session::open(place, &names, true, stop).await?;
        session.begin_write(&names).await?;
        let mut dropped = Vec::new();
        for schema in &names {
            let is_ours = catalog::schema_exists(&mut session, schema).await?
                && catalog::has_book(&mut session, schema).await?
                && catalog::owner(&mut session, schema).await? == Some(call.container.to_string());
            if !is_ours {
                continue;
            }
            catalog::admit(&mut session, schema, call.token).await?;
            for (name, is_view) in catalog::made_by(&mut session, schema, key).await? {
                // Without CASCADE: what others have built upon it is not ours to drop.
                let what = if is_view { "VIEW" } else { "TABLE" };
                session.execute(&format!("DROP {what} {}", qualified(schema, &name))).await?;
                catalog::strike(&mut session, schema, &name).await?;
                dropped.push(name);
            }
        }
        session.commit().await?;
        for name in dropped {
            progress.log(&format!("dropped {name}")).await;
        }
        Ok(())
    }
}
