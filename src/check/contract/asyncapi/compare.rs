//! Two documents side by side: servers, channels, messages.

use std::collections::HashMap;

use serde_json::Value;

use super::model::{Exchange, Model};
use super::rules;
use crate::check::contract::document::{Here, SchemaPairs};
use crate::check::contract::notes::Notes;
use crate::check::contract::{Editions, avro, protobuf};
use crate::check::yaml::shown;
use crate::domain::compat::{ContractRule, Reason, Side};

pub(super) struct Comparison<'a> {
    was: Here<'a>,
    is: Here<'a>,
    notes: Notes,
    schemas: SchemaPairs,
}

/// Values of one detail that are compared, references followed.
const MOST_ALIKE: usize = 2_000;

/// In which language a payload is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format<'a> {
    JsonSchema,
    Avro,
    Protobuf,
    Other(&'a str),
}

impl<'a> Format<'a> {
    fn of(written: Option<&'a str>) -> Self {
        let Some(written) = written else { return Format::JsonSchema };
        let kind = written.split([';', '+']).next().unwrap_or(written).trim();
        match kind {
            "application/vnd.apache.avro" => Format::Avro,
            "application/vnd.google.protobuf" | "application/vnd.google.protobuf.v3" => Format::Protobuf,
            "application/schema" | "application/vnd.aai.asyncapi" | "application/vnd.oai.openapi" => Format::JsonSchema,
            _ => Format::Other(written),
        }
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn new(side: Side, was: Here<'a>, is: Here<'a>) -> Self {
        Self { was, is, notes: Notes::new(side), schemas: SchemaPairs::new(&rules::TOO_LARGE) }
    }

    pub(super) fn into_reasons(self) -> Vec<Reason> {
        self.notes.into_reasons()
    }

    fn tell(&mut self, rule: &ContractRule, at: &Here<'a>, path: &str, message: impl Into<String>) {
        self.notes.tell(rule, &at.pointer, path, message);
    }

    pub(super) fn documents(&mut self) {
        let (was, is) = (Model::of(&self.was, self.notes.side), Model::of(&self.is, self.notes.side));
        let at = self.is.get("servers").unwrap_or_else(|| self.is.clone());
        // A document without servers says nothing about where they stand.
        for (server, old) in was.servers.iter().filter(|_| !is.servers.is_empty()) {
            match is.servers.get(server) {
                Some(new) => {
                    let path = format!("servers {server}");
                    self.details(&["security", "variables", "bindings", "protocolVersion"], old, new, &path);
                }
                None => self.tell(&rules::SERVER_REMOVED, &at, "servers", format!("server {} is gone", shown(server))),
            }
        }
        if is.servers.is_empty() && !was.servers.is_empty() {
            self.tell(&rules::SERVER_REMOVED, &at, "servers", "no server is named any more");
        }
        for server in is.servers.keys().filter(|server| !was.servers.contains_key(*server)) {
            self.tell(&rules::SERVER_ADDED, &at, "servers", format!("server {} is new", shown(server)));
        }
        self.schemes();
        let channels = self.is.get("channels").unwrap_or_else(|| self.is.clone());
        for (address, old) in &was.channels {
            match is.channels.get(address) {
                Some(new) => {
                    if self.stray(old, new, address) {
                        continue;
                    }
                    self.details(&["bindings", "parameters"], old, new, address);
                }
                None => {
                    let message = format!("channel {} is gone", shown(address));
                    self.tell(&rules::CHANNEL_REMOVED, &channels, address, message);
                }
            }
        }
        for (address, new) in is.channels.iter().filter(|(address, _)| !was.channels.contains_key(*address)) {
            self.tell(&rules::CHANNEL_ADDED, new, address, format!("channel {} is new", shown(address)));
        }
        for ((address, is_read), old) in &was.exchanges {
            let Some(channel) = is.channels.get(address) else { continue };
            let path = format!("{} {address}", if *is_read { "read" } else { "send" });
            match is.exchanges.get(&(address.clone(), *is_read)) {
                Some(new) => {
                    let side = if *is_read { Side::Read } else { Side::Written };
                    self.exchange(&path, side, old, new);
                }
                None => {
                    let what = if *is_read { "read from" } else { "sent to" };
                    let message = format!("channel {} can no longer be {what}", shown(address));
                    self.tell(&rules::OPERATION_REMOVED, channel, &path, message);
                }
            }
        }
        for ((address, is_read), new) in &is.exchanges {
            let is_known = was.exchanges.contains_key(&(address.clone(), *is_read));
            if was.channels.contains_key(address) && !is_known {
                let what = if *is_read { "read from" } else { "sent to" };
                let path = format!("{} {address}", if *is_read { "read" } else { "send" });
                let message = format!("channel {} can be {what} now", shown(address));
                self.tell(&rules::OPERATION_ADDED, &new.here, &path, message);
            }
        }
    }

    /// The security schemes of version 2, which servers and operations name. Version 3 references them.
    fn schemes(&mut self) {
        let known = |document: &Here<'a>| document.get("components").and_then(|all| all.get("securitySchemes"));
        let is_named = |document: &Here<'a>| document.text("asyncapi").is_some_and(|version| version.starts_with("2."));
        let both = [&self.was, &self.is];
        let [Some(before), Some(after)] = both.map(|document| known(document).filter(|_| is_named(document))) else {
            return;
        };
        for (name, old) in before.members() {
            if let Some(new) = after.get(name) {
                let keys = ["type", "in", "name", "scheme", "flows", "openIdConnectUrl", "bearerFormat"];
                self.details(&keys, &old, &new, &format!("security scheme {name}"));
            }
        }
    }

    fn stray(&mut self, was: &Here<'a>, is: &Here<'a>, path: &str) -> bool {
        let (before, after) = (was.stray(), is.stray());
        if before != after {
            let text = after.or(before).unwrap_or_default();
            self.tell(&rules::REFERENCE, is, path, format!("the reference {} is not followed", shown(text)));
        }
        before.is_some() || after.is_some()
    }

    fn details(&mut self, keys: &[&str], was: &Here<'a>, is: &Here<'a>, path: &str) {
        for key in keys {
            let mut left = MOST_ALIKE;
            let is_alike = match (was.get(key), is.get(key)) {
                (None, None) => true,
                (Some(before), Some(after)) => {
                    before.value == after.value && (was.root == is.root || before.leads_alike(&after, &mut left, 0))
                }
                _ => false,
            };
            if !is_alike {
                let at = is.get(key).unwrap_or_else(|| is.clone());
                self.tell(&rules::DETAILS, &at, path, format!("'{key}' differs"));
            }
        }
    }

    fn exchange(&mut self, path: &str, side: Side, was: &Exchange<'a>, is: &Exchange<'a>) {
        self.details(&["bindings", "traits", "security", "reply"], &was.here, &is.here, path);
        if let ([(_, old)], [(_, new)]) = (was.messages.as_slice(), is.messages.as_slice()) {
            return self.message(path, side, old, new);
        }
        let by_name = |of: &Exchange<'a>| of.messages.iter().cloned().collect::<HashMap<String, Here<'a>>>();
        let (olds, news) = (by_name(was), by_name(is));
        for (name, old) in &was.messages {
            match news.get(name) {
                Some(new) => self.message(&format!("{path} {name}"), side, old, new),
                None => {
                    let message = format!("message {} is gone", shown(name));
                    self.notes.tell_to(side, &rules::MESSAGE_REMOVED, &is.here.pointer, path, message);
                }
            }
        }
        for (name, new) in is.messages.iter().filter(|(name, _)| !olds.contains_key(name)) {
            let message = format!("message {} is new", shown(name));
            self.notes.tell_to(side, &rules::MESSAGE_ADDED, &new.pointer, path, message);
        }
    }

    fn message(&mut self, path: &str, side: Side, was: &Here<'a>, is: &Here<'a>) {
        if self.stray(was, is, path) {
            return;
        }
        let usual = |root: &Here<'a>| root.text("defaultContentType");
        let before = was.text("contentType").or_else(|| usual(&self.was));
        let after = is.text("contentType").or_else(|| usual(&self.is));
        if before != after {
            let text = |of: Option<&str>| of.map_or("not told".to_owned(), shown);
            let message = format!("the content type was {} and is {}", text(before), text(after));
            self.tell(&rules::CONTENT_TYPE, is, path, message);
        }
        self.details(&["bindings", "traits", "correlationId"], was, is, path);
        let open = Value::Bool(true);
        let nothing = |of: &Here<'a>, pointer: &str| -> Here<'_> {
            Here { root: of.root, base: of.base, value: &open, pointer: pointer.to_owned() }
        };
        if was.value.get("headers").is_some() || is.value.get("headers").is_some() {
            let old = was.child("headers").unwrap_or_else(|| nothing(was, &was.pointer));
            let new = is.child("headers").unwrap_or_else(|| nothing(is, &is.pointer));
            self.schemas.compare(&mut self.notes, side, &old, &new, &format!("{path} headers"));
        }
        let (format, old) = payload(was);
        let (now, new) = payload(is);
        let old = old.unwrap_or_else(|| nothing(was, &was.pointer));
        let new = new.unwrap_or_else(|| nothing(is, &is.pointer));
        let path = format!("{path} payload");
        if format != now {
            let message = "the payload is described in another language, so it was not compared";
            self.notes.tell_to(side, &rules::SCHEMA_FORMAT, &new.pointer, &path, message);
            return;
        }
        let compare = match format {
            Format::JsonSchema => return self.schemas.compare(&mut self.notes, side, &old, &new, &path),
            Format::Avro => avro::compare,
            Format::Protobuf => protobuf::compare,
            Format::Other(name) => {
                if old.value != new.value {
                    let message = format!("the payload differs, and {} is not understood", shown(name));
                    self.notes.tell_to(side, &rules::PAYLOAD, &new.pointer, &path, message);
                }
                return;
            }
        };
        let mut reasons = compare(&Editions { before: old.value, after: new.value, side, pointer: &new.pointer });
        for reason in &mut reasons {
            reason.path = if reason.path.is_empty() { path.clone() } else { format!("{path} {}", reason.path) };
        }
        self.notes.extend(reasons);
    }
}

/// A message's payload, and the language in which it is described.
fn payload<'a>(message: &Here<'a>) -> (Format<'a>, Option<Here<'a>>) {
    let Some(payload) = message.get("payload") else {
        return (Format::of(message.text("schemaFormat")), None);
    };
    // Version 3 wraps a schema of another language.
    match (payload.text("schemaFormat"), payload.get("schema")) {
        (Some(format), Some(schema)) => (Format::of(Some(format)), Some(schema)),
        _ => match Format::of(message.text("schemaFormat")) {
            // The reference itself is compared, so that references are followed by one reader only.
            Format::JsonSchema => (Format::JsonSchema, message.child("payload")),
            other => (other, Some(payload)),
        },
    }
}
