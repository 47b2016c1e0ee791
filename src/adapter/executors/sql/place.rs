//! Where a container's schemas are: the database, and their names in it.

use std::path::PathBuf;
use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;

use crate::config::UrlRef;
use crate::domain::id::ContainerId;
use crate::port::executor::TaskError;

use super::super::mask::Mask;
use super::super::names::{limited, snake};
use super::dialect::Dialect;

/// A database, as the configuration names it. It cannot be printed: it may hold a password.
pub(super) struct Place {
    pub(super) database: Database,
    /// What must not stand in a message.
    pub(super) mask: Mask,
}

/// How it is reached.
pub(super) enum Database {
    /// A folder with one file per schema.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<PgConnectOptions>),
}

impl Place {
    /// Reads the URL now; a secret is resolved here and goes no further.
    pub(super) fn of(executor: &str, url: &UrlRef) -> Result<Self, TaskError> {
        let text = match url {
            UrlRef::Plain(text) => text.clone(),
            UrlRef::Secret(secret) => secret.resolve().map_err(|error| {
                TaskError::permanent(format!("the URL of the executor '{executor}' cannot be had: {error}"))
            })?,
        };
        let refused = |rule: &str| TaskError::permanent(format!("the URL of the executor '{executor}' {rule}"));
        if let Some(folder) = text.strip_prefix("sqlite://") {
            let folder = folder.split('?').next().unwrap_or_default();
            if folder.is_empty() || folder == ":memory:" {
                return Err(refused("has to name a folder: sqlite://<folder>"));
            }
            return Ok(Self { database: Database::Sqlite(PathBuf::from(folder)), mask: Mask::default() });
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // The library's own message may quote the URL, with its password.
            let options = PgConnectOptions::from_str(&text).map_err(|_| refused("is no valid PostgreSQL URL"))?;
            let options = options.application_name("meshwright");
            let password = password_of(&text);
            let mask = Mask::of(password.iter().map(String::as_str).chain([text.as_str()]));
            return Ok(Self { database: Database::Postgres(Box::new(options)), mask });
        }
        Err(refused("begins neither with 'sqlite://' nor with 'postgres://'"))
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self.database {
            Database::Sqlite(_) => Dialect::Sqlite,
            Database::Postgres(_) => Dialect::Postgres,
        }
    }
}

/// The password as it stands in the URL, and decoded, when there is one.
fn password_of(url: &str) -> Vec<String> {
    let mut found = Vec::new();
    let authority = url.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    if let Some((user, _)) = authority.rsplit_once('@')
        && let Some((_, password)) = user.split_once(':')
    {
        found.push(password.to_owned());
    }
    let query = url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    found.extend(query.split('&').filter_map(|pair| pair.strip_prefix("password=")).map(str::to_owned));
    let decoded: Vec<String> = found.iter().map(|text| percent_decoded(text)).collect();
    found.extend(decoded);
    found.retain(|text| !text.is_empty());
    found
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let escaped = (byte == b'%').then(|| text.get(index + 1..index + 3)).flatten();
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                out.push(value);
                index += 3;
            }
            None => {
                out.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The name of a container's schema: the template filled in, every part in lower snake case.
/// `schema` is the name that the definition gives, or the port's.
pub(super) fn physical_schema(template: &str, container: &ContainerId, schema: &str) -> Result<String, TaskError> {
    let major = container.product.major().unwrap_or(0).to_string();
    let mut name = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        name.push_str(before);
        let (key, after) = behind.split_once('}').unwrap_or((behind, ""));
        match key {
            "stage" => name.push_str(&snake(container.stage.as_str())),
            "product" => name.push_str(&snake(container.product.product_name())),
            "major" => name.push_str(&major),
            "schema" => name.push_str(&snake(schema)),
            _ => {
                let message = format!(
                    "the schema template '{template}' has '{{{key}}}'; it may have {{stage}}, {{product}}, {{major}} and {{schema}}"
                );
                return Err(TaskError::permanent(message));
            }
        }
        rest = after;
    }
    name.push_str(rest);
    let lower = name.to_lowercase();
    let reserved = ["main", "temp", "information_schema"].contains(&lower.as_str()) || lower.starts_with("pg_");
    let plain = lower.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if reserved || !plain || lower.is_empty() {
        let message = format!(
            "the schema template '{template}' comes to '{lower}', which is reserved or has other than letters, digits and '_'"
        );
        return Err(TaskError::permanent(message));
    }
    Ok(limited(&lower))
}

/// Whether a container may have several schemas.
pub(super) fn is_per_port(template: &str) -> bool {
    template.contains("{schema}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container() -> ContainerId {
        ContainerId {
            product: "urn:dpds:com.example:dataproducts:tripExecution:2".parse().unwrap(),
            stage: "Dev".parse().unwrap(),
        }
    }

    #[test]
    fn schemas_are_named_by_the_template() {
        let name = |template: &str| physical_schema(template, &container(), "Tracking");
        assert_eq!(name("{stage}_{product}_v{major}").unwrap(), "dev_trip_execution_v2");
        assert_eq!(name("{schema}_{stage}").unwrap(), "tracking_dev");
        for bad in ["{nope}", "main", "pg_{stage}", "a b", "", "x\"; drop", "{stage"] {
            assert!(name(bad).is_err() || bad == "{stage", "{bad}");
        }
        assert_eq!(name(&format!("{{stage}}{}", "x".repeat(90))).unwrap().len(), 63);
    }

    #[test]
    fn urls_are_read_and_their_passwords_hidden() {
        let of = |text: &str| Place::of("warehouse", &UrlRef::Plain(text.to_owned()));
        assert_eq!(of("sqlite:///tmp/x").unwrap().dialect(), Dialect::Sqlite);
        let place = of("postgres://me:se%63ret%21@h/db?password=other12").unwrap();
        assert_eq!(place.dialect(), Dialect::Postgres);
        assert_eq!(place.mask.text("se%63ret%21 secret! other12"), "*** *** ***");
        for bad in ["mysql://x:hunter2@y", "postgres://x:hunter2@y:notaport/z", "sqlite://"] {
            let message = of(bad).err().unwrap().message;
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
