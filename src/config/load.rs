//! Reading the file: text, then values with places, then shape, then types, then meaning.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::{ConfigError, Place, Problem, Problems, readable};
use super::places::{Extent, Places};
use super::{Checked, Config, checked, shape};

/// A larger file is no configuration.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// A configuration with the text it came from, so that whatever is found in it later can be shown there.
#[derive(Debug, Clone)]
pub struct Document {
    /// What was read.
    pub config: Config,
    text: Text,
}

#[derive(Debug, Clone)]
struct Text {
    name: String,
    lines: Vec<String>,
    places: Places,
}

/// Reads and checks the file: the whole way. Relative paths in it are relative to its folder.
pub fn read(path: &Path) -> Result<Checked, Vec<ConfigError>> {
    let document = load(path)?;
    document.check(&folder_of(path))
}

/// Reads the file, without asking whether it makes sense.
pub fn load(path: &Path) -> Result<Document, Vec<ConfigError>> {
    let name = path.display().to_string();
    let whole = |message: String, hint: Option<&str>| {
        let hint = hint.map(str::to_owned);
        vec![ConfigError { file: name.clone(), place: None, key: String::new(), message, hint, excerpt: None }]
    };
    match std::fs::metadata(path) {
        Ok(about) if about.is_dir() => return Err(whole("this is a folder, not a file".to_owned(), None)),
        Ok(about) if about.len() > LARGEST_FILE => {
            return Err(whole(format!("the file has {} bytes; a configuration is never so large", about.len()), None));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let hint = "name another file with --config FILE, or write a starter with `meshwright init`";
            return Err(whole("there is no such configuration file".to_owned(), Some(hint)));
        }
        Err(error) => return Err(whole(format!("the file cannot be read: {error}"), None)),
    }
    let bytes = read_bytes(path).map_err(|error| whole(format!("the file cannot be read: {error}"), None))?;
    let text = String::from_utf8(bytes).map_err(|_| whole("the file is not UTF-8 text".to_owned(), None))?;
    parse(&name, &text)
}

#[expect(clippy::disallowed_methods, reason = "the configuration is read here, and nowhere else")]
fn read_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

/// The folder of a file, absolute.
pub fn folder_of(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    absolute.parent().map_or_else(|| PathBuf::from("/"), Path::to_path_buf)
}

/// Reads a text; `name` is what its errors call it.
pub fn parse(name: &str, text: &str) -> Result<Document, Vec<ConfigError>> {
    let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().map(str::to_owned).collect();
    let text_about = Text { name: name.to_owned(), lines, places: Places::of(text) };
    let value: Value = match serde_yaml::from_str::<serde_yaml::Value>(text) {
        Ok(yaml) => match serde_json::to_value(&yaml) {
            Ok(value) => value,
            Err(_) => return Err(vec![text_about.plain("only texts can be keys, and tags are not known here", None)]),
        },
        Err(error) => return Err(text_about.syntax(&error)),
    };
    let mut problems = Problems::default();
    if value.is_null() {
        let mut empty = text_about.plain("the file is empty", None);
        empty.hint = Some("write a starter with `meshwright init --force`".to_owned());
        return Err(vec![empty]);
    }
    shape::compare(&value, &json_schema(), &mut problems);
    if !problems.0.is_empty() {
        return Err(text_about.errors(problems.0));
    }
    match serde_json::from_value::<Config>(value) {
        Ok(config) => Ok(Document { config, text: text_about }),
        // Its words may quote a value, and the value may be a secret.
        Err(_) => Err(vec![text_about.plain("the file does not have the shape of a configuration", None)]),
    }
}

impl Document {
    /// Whether it makes sense, with everything resolved against `base`, the folder of relative paths.
    pub fn check(&self, base: &Path) -> Result<Checked, Vec<ConfigError>> {
        checked::check(&self.config, base).map_err(|problems| self.text.errors(problems))
    }
}

impl Config {
    /// Whether it makes sense, with everything resolved against `base`, the folder of relative
    /// paths. For configurations that did not come from a text; [`Document::check`] knows places.
    pub fn check(&self, base: &Path) -> Result<Checked, Vec<ConfigError>> {
        let nowhere = Text { name: "configuration".to_owned(), lines: Vec::new(), places: Places::default() };
        checked::check(self, base).map_err(|problems| nowhere.errors(problems))
    }
}

impl Text {
    /// Gives problems their places, in the order of the file.
    fn errors(&self, problems: Vec<Problem>) -> Vec<ConfigError> {
        let hidden: Vec<Extent> = problems
            .iter()
            .filter(|problem| problem.secret)
            .filter_map(|problem| self.places.value(&problem.pointer))
            .chain(self.places.suspicious.iter().copied())
            .collect();
        let mut errors: Vec<ConfigError> = problems
            .into_iter()
            .map(|problem| {
                let extent = match problem.on_key {
                    true => self.places.key(&problem.pointer),
                    false => self.places.value(&problem.pointer),
                };
                let place = extent.map(|extent| extent.place());
                ConfigError {
                    file: self.name.clone(),
                    place,
                    key: readable(&problem.pointer),
                    message: problem.message,
                    hint: problem.hint,
                    excerpt: place.and_then(|place| self.excerpt(place, &hidden)),
                }
            })
            .collect();
        errors.sort_by_key(|error| error.place);
        errors.dedup();
        errors
    }

    fn plain(&self, message: &str, extent: Option<Extent>) -> ConfigError {
        let place = extent.map(|extent| extent.place());
        ConfigError {
            file: self.name.clone(),
            place,
            key: String::new(),
            message: message.to_owned(),
            hint: None,
            excerpt: place.and_then(|place| self.careful_excerpt(place)),
        }
    }

    fn syntax(&self, error: &serde_yaml::Error) -> Vec<ConfigError> {
        if let Some((pointer, extent)) = self.places.repeated.first() {
            return vec![self.plain(&format!("the key '{}' stands here twice", readable(pointer)), Some(*extent))];
        }
        let at = error.location().map(|at| Extent {
            line: at.line(),
            column: at.column(),
            end_line: at.line(),
            end_column: at.column(),
        });
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or(&said);
        vec![self.plain(&format!("this is not readable as YAML: {said}"), at)]
    }

    /// The line of `place`, with what is hidden blacked out.
    fn excerpt(&self, place: Place, hidden: &[Extent]) -> Option<String> {
        let number = place.line as usize;
        let line = self.lines.get(number.checked_sub(1)?)?;
        let is_hidden = |column: usize| {
            hidden.iter().any(|extent| {
                (extent.line, extent.column) <= (number, column)
                    && (number, column) < (extent.end_line, extent.end_column)
            })
        };
        let shown = line.chars().enumerate();
        let shown: String = shown.map(|(at, c)| if is_hidden(at + 1) && c != ' ' { '•' } else { c }).collect();
        Some(without_passwords(&shown))
    }

    /// The line of `place`; where it is not known what is a value, everything behind a key that sounds like a
    /// secret is blacked out.
    fn careful_excerpt(&self, place: Place) -> Option<String> {
        let line = self.lines.get((place.line as usize).checked_sub(1)?)?;
        let small = line.to_lowercase();
        let sounds = ["pass", "secret", "token", "key", "credential", "://"].iter().any(|word| small.contains(word));
        let Some(colon) = line.find(':').filter(|_| sounds) else { return Some(line.clone()) };
        let (kept, rest) = line.split_at(colon + 1);
        Some(kept.chars().chain(rest.chars().map(|c| if c == ' ' { c } else { '•' })).collect())
    }
}

/// Blacks out what stands between `://` and `@`: a line may be shown because of something else that stands in it.
fn without_passwords(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = after.find(|c: char| c.is_whitespace() || "\"'/,}".contains(c)).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                shown.extend(user.chars().map(|_| '•'));
                shown.push('@');
                shown.push_str(host);
            }
            None => shown.push_str(authority),
        }
        rest = tail;
    }
    shown.push_str(rest);
    shown
}

/// The JSON Schema of the file, as editors want it.
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(Config).to_value();
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("title".to_owned(), Value::from("meshwright.yaml"));
        fields.insert("description".to_owned(), Value::from("The configuration of Meshwright."));
    }
    schema
}
