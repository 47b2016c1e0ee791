//! A document of version 2 or 3 as what others see of it: servers, channels by their addresses, and what
//! they can read from them or send to them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::check::contract::document::Here;
use crate::domain::compat::Side;

#[derive(Debug, Default)]
pub(super) struct Model<'a> {
    /// `kafka://broker:9092`.
    pub servers: BTreeMap<String, Here<'a>>,
    pub channels: BTreeMap<String, Here<'a>>,
    /// By the channel's address, and whether others read from it.
    pub exchanges: BTreeMap<(String, bool), Exchange<'a>>,
}

/// What others do at a channel.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub here: Here<'a>,
    /// By name, each of which is there once.
    pub messages: Vec<(String, Here<'a>)>,
}

/// Gives the messages of a channel names that tell them apart.
#[derive(Debug, Default)]
struct Apart {
    seen: HashSet<String>,
    counted: HashMap<String, usize>,
}

impl Apart {
    /// Leaves out those that were there before. Of several with one name, the second is called `name (2)`.
    fn told<'a>(&mut self, messages: Vec<(String, Here<'a>)>) -> Vec<(String, Here<'a>)> {
        let mut apart = Vec::with_capacity(messages.len());
        for (name, message) in messages {
            // What leads out of the document is known by where it leads.
            let place = message.stray().map_or_else(|| message.pointer.clone(), str::to_owned);
            if self.seen.insert(place) {
                let count = self.counted.entry(name.clone()).or_default();
                *count += 1;
                apart.push((if *count == 1 { name } else { format!("{name} ({count})") }, message));
            }
        }
        apart
    }
}

impl<'a> Model<'a> {
    /// `side` is what holds for channels of which no operation says who reads and who sends.
    pub(super) fn of(document: &Here<'a>, side: Side) -> Self {
        let mut model = Self::default();
        for (_, server) in document.get("servers").map(|servers| servers.members()).unwrap_or_default() {
            let protocol = server.text("protocol").unwrap_or_default();
            let address = match server.text("host") {
                Some(host) => format!("{host}{}", server.text("pathname").unwrap_or_default()),
                None => server.text("url").unwrap_or_default().to_owned(),
            };
            let address = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest).trim_end_matches('/');
            model.servers.insert(format!("{protocol}://{address}"), server);
        }
        let channels = document.get("channels").map(|channels| channels.members()).unwrap_or_default();
        if document.text("asyncapi").is_some_and(|version| version.starts_with("2.")) {
            model.of_version_2(channels);
        } else {
            model.of_version_3(document, channels, side);
        }
        model
    }

    fn of_version_2(&mut self, channels: Vec<(&'a str, Here<'a>)>) {
        for (address, channel) in channels {
            // The words are those of the others: they subscribe, they publish.
            for (word, is_read) in [("subscribe", true), ("publish", false)] {
                let Some(operation) = channel.get(word) else { continue };
                let messages = match operation.child("message") {
                    None => Vec::new(),
                    Some(written) => match operation.get("message").and_then(|message| message.child("oneOf")) {
                        None => vec![named(&written, operation.get("message"))],
                        Some(list) => (0..list.items().len())
                            .filter_map(|index| {
                                let index = index.to_string();
                                Some(told_apart(named(&list.child(&index)?, list.get(&index)), &index))
                            })
                            .collect(),
                    },
                };
                let messages = Apart::default().told(messages);
                self.exchanges.insert((address.to_owned(), is_read), Exchange { here: operation, messages });
            }
            self.channels.insert(address.to_owned(), channel);
        }
    }

    fn of_version_3(&mut self, document: &Here<'a>, channels: Vec<(&'a str, Here<'a>)>, side: Side) {
        let address = |id: &str, channel: &Here<'a>| channel.text("address").unwrap_or(id).to_owned();
        let mut used: BTreeSet<String> = BTreeSet::new();
        let mut apart: HashMap<(String, bool), Apart> = HashMap::new();
        let mut whole: HashSet<(usize, bool)> = HashSet::new();
        for (_, operation) in document.get("operations").map(|operations| operations.members()).unwrap_or_default() {
            let Some(channel) = operation.get("channel") else { continue };
            let id = last_step(&channel.pointer);
            let address = address(&id, &channel);
            used.insert(address.clone());
            // Here the words are those of the application: what it sends is read by others.
            let is_read = operation.text("action") == Some("send");
            let messages = match operation.get("messages") {
                Some(list) => (0..list.items().len())
                    .filter_map(|index| {
                        let index = index.to_string();
                        Some(told_apart(named(&list.child(&index)?, list.get(&index)), &index))
                    })
                    .collect(),
                // Many operations of one channel add its messages once.
                None if whole.insert((std::ptr::from_ref(channel.value).addr(), is_read)) => all_messages(&channel),
                None => Vec::new(),
            };
            let key = (address, is_read);
            let new = apart.entry(key.clone()).or_default().told(messages);
            match self.exchanges.get_mut(&key) {
                Some(exchange) => exchange.messages.extend(new),
                None => {
                    self.exchanges.insert(key, Exchange { here: operation, messages: new });
                }
            }
        }
        for (id, channel) in channels {
            let address = address(id, &channel);
            if !used.contains(&address) {
                let messages = all_messages(&channel);
                let key = (address.clone(), side == Side::Read);
                self.exchanges.insert(key, Exchange { here: channel.clone(), messages });
            }
            self.channels.insert(address, channel);
        }
    }
}

fn all_messages<'a>(channel: &Here<'a>) -> Vec<(String, Here<'a>)> {
    let messages = channel.get("messages").map(|messages| messages.members()).unwrap_or_default();
    messages.into_iter().map(|(name, here)| (name.to_owned(), here)).collect()
}

/// A message by its name: its own, or that of the place to which its reference leads.
fn named<'a>(written: &Here<'a>, followed: Option<Here<'a>>) -> (String, Here<'a>) {
    let message = followed.unwrap_or_else(|| written.clone());
    let name = match written.text("$ref") {
        Some(reference) => last_step(reference),
        None => message.text("messageId").or_else(|| message.text("name")).unwrap_or_default().to_owned(),
    };
    (name, message)
}

/// A message of a list; one without a name is known by its place.
fn told_apart<'a>((name, message): (String, Here<'a>), index: &str) -> (String, Here<'a>) {
    (if name.is_empty() { format!("#{index}") } else { name }, message)
}

fn last_step(pointer: &str) -> String {
    pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~")
}
