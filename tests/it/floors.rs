//! The house's walls. Imports run downwards only, every room stands on a floor, files and rooms
//! stay small, and every dependency has a reason.
//!
//! The sources are read as Rust tokens, not as text: comments and strings say nothing here, and
//! paths inside macros count like all others. What is looked for is every path that begins with
//! `crate::` (in `use` groups as well), and every `super::` that climbs out of its room.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// Every room at the top of `src/`, and the floor on which it stands.
const FLOORS: &[(&str, u8)] = &[
    ("domain", 1),
    ("port", 2),
    ("check", 2),
    ("config", 2),
    ("engine", 3),
    ("adapter", 3),
    ("trigger", 4),
    ("face", 4),
    ("app", 5),
];

/// The only imports between rooms of one floor.
const SIDEWAYS: &[(&str, &str)] = &[("check", "port")];

/// Downward imports that are refused all the same: who comes in from outside speaks to the engine
/// and to ports, and only `app` knows which adapters there are.
const REFUSED: &[(&str, &str)] = &[("trigger", "adapter"), ("face", "adapter")];

/// Files at the top that are no rooms: the map and the thin program.
const NO_ROOMS: &[&str] = &["lib", "main"];

/// A reason to look for the missing room.
const MOST_LINES_OF_A_FILE: usize = 500;

/// A room with more files than this gets inner rooms.
const MOST_FILES_OF_A_ROOM: usize = 12;

/// One thing that breaks the rules.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    place: String,
    what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// A source file: its path below `src/`, with `/`, and its text.
struct SourceFile {
    path: String,
    text: String,
}

#[test]
fn imports_run_downwards_only() {
    assert_none(
        &imports(&sources()),
        "imports run downwards only: domain < port, check, config < engine, adapter < trigger, face < app",
    );
}

#[test]
fn every_room_stands_on_a_floor() {
    assert_none(&rooms(&sources()), "every room of src/ stands on a floor of the table in tests/it/floors.rs");
}

#[test]
fn files_and_rooms_stay_small() {
    assert_none(&sizes(&sources()), "files and rooms stay small");
}

#[test]
fn every_dependency_has_its_reason() {
    let page = read(&package().join("ARCHITECTURE.md"));
    assert_none(&reasons(&page, &dependencies()), "ARCHITECTURE.md has a table with a row for every dependency");
}

/// The room to which a file belongs, and the modules in which it stands; `None` for `lib.rs` and `main.rs`.
fn modules_of(path: &str) -> Option<Vec<String>> {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let mut modules: Vec<String> = stem.split('/').map(str::to_owned).collect();
    if modules.len() > 1 && modules.last().is_some_and(|last| last == "mod") {
        modules.pop();
    }
    if modules.len() == 1 && NO_ROOMS.contains(&modules[0].as_str()) { None } else { Some(modules) }
}

fn floor_of(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

fn rooms(files: &[SourceFile]) -> Vec<Breach> {
    let found: BTreeSet<String> = files.iter().filter_map(|file| Some(modules_of(&file.path)?.remove(0))).collect();
    let homeless = found.iter().filter(|room| floor_of(room).is_none()).map(|room| Breach {
        place: format!("src/{room}"),
        what: "this room has no floor: put it into a room that has one, or give it a floor in the table".to_owned(),
    });
    let empty = FLOORS.iter().filter(|(room, _)| !found.contains(*room)).map(|(room, _)| Breach {
        place: "tests/it/floors.rs".to_owned(),
        what: format!("the table names the room '{room}', which is not there: take the row out"),
    });
    homeless.chain(empty).collect()
}

fn sizes(files: &[SourceFile]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut folders: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for file in files {
        let lines = file.text.lines().count();
        if lines > MOST_LINES_OF_A_FILE {
            breaches.push(Breach {
                place: format!("src/{}", file.path),
                what: format!("{lines} lines are more than {MOST_LINES_OF_A_FILE}: look for the missing room"),
            });
        }
        *folders.entry(file.path.rsplit_once('/').map_or("", |(folder, _)| folder)).or_default() += 1;
    }
    breaches.extend(folders.iter().filter(|(_, count)| **count > MOST_FILES_OF_A_ROOM).map(|(folder, count)| Breach {
        place: format!("src/{folder}"),
        what: format!("{count} files are more than {MOST_FILES_OF_A_ROOM}: give this room inner rooms"),
    }));
    breaches
}

fn imports(files: &[SourceFile]) -> Vec<Breach> {
    files.iter().flat_map(imports_of_file).collect()
}

fn imports_of_file(file: &SourceFile) -> Vec<Breach> {
    let Some(modules) = modules_of(&file.path) else { return Vec::new() };
    let stream: TokenStream = match file.text.parse() {
        Ok(stream) => stream,
        Err(error) => {
            return vec![Breach { place: format!("src/{}", file.path), what: format!("it is no Rust: {error}") }];
        }
    };
    let mut walk = Walk { file: &file.path, breaches: Vec::new() };
    walk.stream(stream, &modules);
    walk.breaches
}

/// Goes through the tokens of one file and judges every path that leaves its room.
struct Walk<'a> {
    file: &'a str,
    breaches: Vec<Breach>,
}

impl Walk<'_> {
    /// `modules` are those in which these tokens stand, the room first.
    fn stream(&mut self, stream: TokenStream, modules: &[String]) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(word) if word == "crate" && is_path_separator(&tokens, at + 1) => {
                    self.path(&tokens, at + 3, &[], modules, word);
                }
                // Only the first `super` of a path is a beginning; the path itself counts the others.
                TokenTree::Ident(word)
                    if word == "super" && is_path_separator(&tokens, at + 1) && !follows_super(&tokens, at) =>
                {
                    self.path(&tokens, at, modules, modules, word);
                }
                TokenTree::Group(group) => {
                    let inner = match module_that_opens(&tokens, at, group.delimiter()) {
                        Some(name) => [modules, &[name]].concat(),
                        None => modules.to_vec(),
                    };
                    self.stream(group.stream(), &inner);
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
    }

    /// Follows a path whose next segment stands at `at`, from the module `base`, until it is known
    /// into which room it leads. Only what leaves the room `home[0]` is of interest.
    fn path(&mut self, tokens: &[TokenTree], at: usize, base: &[String], home: &[String], place: &Ident) {
        match tokens.get(at) {
            Some(TokenTree::Ident(word)) if word == "super" => {
                let outer = base.split_last().map_or(&[][..], |(_, outer)| outer);
                if base.len() == 1 {
                    self.breach(
                        word,
                        "it climbs out of its room with `super`: write the path from `crate::`, so that it can be seen"
                            .to_owned(),
                    );
                }
                if is_path_separator(tokens, at + 1) {
                    self.path(tokens, at + 3, outer, home, place);
                }
            }
            Some(TokenTree::Ident(word)) if base.is_empty() => self.judge(&home[0], word),
            Some(TokenTree::Punct(punct)) if base.is_empty() && punct.as_char() == '*' => {
                self.breach(place, "it imports all rooms at once: name what is used".to_owned());
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let members: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut begins = true;
                for (index, member) in members.iter().enumerate() {
                    if begins {
                        self.path(&members, index, base, home, place);
                    }
                    begins = matches!(member, TokenTree::Punct(punct) if punct.as_char() == ',');
                }
            }
            _ => {}
        }
    }

    fn judge(&mut self, from: &str, to: &Ident) {
        let name = to.to_string();
        if name == from || name == "self" {
            return;
        }
        let (Some(own), Some(other)) = (floor_of(from), floor_of(&name)) else {
            // Macros and items at the top of the crate, and rooms without a floor, which have their own test.
            return;
        };
        let pair = (from, name.as_str());
        let why = if other > own {
            format!("'{name}' stands on floor {other}, above '{from}' on floor {own}, and imports run downwards only")
        } else if other == own && !SIDEWAYS.contains(&pair) {
            format!("'{name}' stands beside '{from}' on floor {own}, and the two do not know each other")
        } else if REFUSED.contains(&pair) {
            format!("only 'app' knows adapters: '{from}' is handed what it needs, behind a port")
        } else {
            return;
        };
        self.breach(to, format!("it imports `crate::{name}`, but {why}"));
    }

    fn breach(&mut self, at: &Ident, what: String) {
        self.breaches.push(Breach { place: format!("src/{}:{}", self.file, at.span().start().line), what });
    }
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}

fn follows_super(tokens: &[TokenTree], at: usize) -> bool {
    at >= 3 && is_path_separator(tokens, at - 2) && matches!(&tokens[at - 3], TokenTree::Ident(word) if word == "super")
}

/// The name of the module whose braces open at `at`: `mod name { … }`.
fn module_that_opens(tokens: &[TokenTree], at: usize, delimiter: Delimiter) -> Option<String> {
    let (TokenTree::Ident(keyword), TokenTree::Ident(name)) = (tokens.get(at.checked_sub(2)?)?, &tokens[at - 1]) else {
        return None;
    };
    (delimiter == Delimiter::Brace && keyword == "mod").then(|| name.to_string())
}

/// The dependencies that have no row in a table of the page.
fn reasons(page: &str, dependencies: &[Vec<String>]) -> Vec<Breach> {
    let named: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.trim().strip_prefix('|')?.split('|').next())
        .flat_map(|cell| cell.split(',').map(|name| name.trim().trim_matches('`').to_owned()).collect::<Vec<_>>())
        .collect();
    dependencies
        .iter()
        .filter(|names| !names.iter().any(|name| named.contains(name)))
        .map(|names| Breach {
            place: "ARCHITECTURE.md".to_owned(),
            what: format!("the dependency '{}' has no row `| {} | why |`", names[0], names[0]),
        })
        .collect()
}

/// All direct dependencies of all kinds, each with its name and the name under which it is used.
#[expect(clippy::disallowed_methods, reason = "cargo itself is asked what Cargo.toml means")]
fn dependencies() -> Vec<Vec<String>> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(package())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let dependencies = metadata["packages"][0]["dependencies"].as_array().expect("there are dependencies");
    assert!(dependencies.len() > 20, "cargo metadata lists the dependencies");
    dependencies
        .iter()
        .map(|dependency| {
            ["name", "rename"].iter().filter_map(|key| dependency[*key].as_str().map(str::to_owned)).collect()
        })
        .collect()
}

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<SourceFile> {
    let top = package().join("src");
    let mut files = Vec::new();
    collect(&top, &top, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 20, "src/ has been read");
    files
}

fn collect(top: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).expect("src/ can be listed") {
        let path = entry.expect("src/ can be listed").path();
        if path.is_dir() {
            collect(top, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(top).expect("it stands below src/");
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            files.push(SourceFile { path: parts.join("/"), text: read(&path) });
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the test reads the sources")]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn assert_none(breaches: &[Breach], rule: &str) {
    let list: String = breaches.iter().map(|breach| format!("\n  {breach}")).collect();
    assert!(breaches.is_empty(), "{rule}{list}");
}

/// The tests of the test: each rule is broken once, so that a rule that no longer bites is seen.
mod made_up {
    use super::{Breach, SourceFile, imports, reasons, rooms, sizes};

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    fn breaches_of(path: &str, text: &str) -> Vec<String> {
        imports(&[file(path, text)]).iter().map(Breach::to_string).collect()
    }

    #[track_caller]
    fn refused(path: &str, text: &str, line: usize, part: &str) {
        let breaches = breaches_of(path, text);
        assert_eq!(breaches.len(), 1, "{path}: {text}: {breaches:?}");
        assert!(breaches[0].starts_with(&format!("src/{path}:{line}: ")), "{breaches:?}");
        assert!(breaches[0].contains(part), "{breaches:?}");
    }

    #[track_caller]
    fn accepted(path: &str, text: &str) {
        assert_eq!(breaches_of(path, text), Vec::<String>::new(), "{path}: {text}");
    }

    #[test]
    fn upward_imports_are_refused_from_every_floor() {
        refused("domain/plan/build.rs", "use crate::port::clock::Clock;", 1, "above 'domain'");
        refused("check/mod.rs", "use crate::engine::queue;", 1, "`crate::engine`");
        refused("engine/queue.rs", "\n\nuse crate::app::start;", 3, "floor 5");
        refused("adapter/git/mod.rs", "use crate::trigger::poll;", 1, "above 'adapter'");
        refused("face/cli/mod.rs", "use crate::app;", 1, "above 'face'");
    }

    #[test]
    fn sideways_imports_are_refused_but_check_may_use_ports() {
        accepted("check/assess.rs", "use crate::port::tree::Tree;");
        refused("port/tree.rs", "use crate::check::assess;", 1, "beside 'port'");
        refused("port/tree.rs", "use crate::config::Config;", 1, "beside 'port'");
        refused("check/assess.rs", "use crate::config::Config;", 1, "beside 'check'");
        refused("config/load.rs", "use crate::check::assess;", 1, "beside 'config'");
        refused("config/load.rs", "use crate::port::tree::Tree;", 1, "beside 'config'");
        refused("engine/pass.rs", "use crate::adapter::clock;", 1, "beside 'engine'");
        refused("adapter/clock.rs", "use crate::engine::pass;", 1, "beside 'adapter'");
        refused("trigger/poll.rs", "use crate::face::cli;", 1, "beside 'trigger'");
        refused("face/http/mod.rs", "use crate::trigger::poll;", 1, "beside 'face'");
    }

    #[test]
    fn only_app_knows_adapters() {
        refused("face/cli/mod.rs", "use crate::adapter::git;", 1, "only 'app' knows adapters");
        refused("trigger/watch.rs", "use crate::adapter::git;", 1, "only 'app' knows adapters");
        accepted("app/mod.rs", "use crate::{adapter::git, engine, face, trigger, config, check, port, domain};");
    }

    #[test]
    fn groups_inline_paths_macros_and_renamings_count() {
        refused(
            "domain/id.rs",
            "use crate::{\n    domain::stage,\n    engine::{queue, pass},\n};",
            3,
            "`crate::engine`",
        );
        refused("domain/id.rs", "use crate::{port};", 1, "`crate::port`");
        refused("domain/id.rs", "fn f() { let x = crate::face::y(); }", 1, "`crate::face`");
        refused("domain/id.rs", "fn f() -> Vec<Box<dyn crate::port::clock::Clock>> { todo!() }", 1, "`crate::port`");
        refused("domain/id.rs", "some_macro! {\n crate::config::Config }", 2, "`crate::config`");
        refused("domain/id.rs", "macro_rules! m { () => { $crate::app::start() } }", 1, "`crate::app`");
        refused("domain/id.rs", "pub use crate::engine as motor;", 1, "`crate::engine`");
        refused("domain/id.rs", "#[cfg(test)] mod tests { use crate::adapter::clock; }", 1, "`crate::adapter`");
        refused("domain/id.rs", "use crate::*;", 1, "all rooms at once");
    }

    #[test]
    fn climbing_out_of_a_room_is_refused_and_climbing_within_is_not() {
        refused("domain/id.rs", "use super::super::domain::stage;", 1, "climbs out of its room");
        refused("engine/mod.rs", "use super::domain::stage;", 1, "climbs out of its room");
        refused("domain/id.rs", "use super::{stage, super::domain};", 1, "climbs out of its room");
        refused("engine/queue.rs", "mod tests { use super::super::super::domain; }", 1, "climbs out of its room");
        accepted("engine/queue.rs", "use super::pass::Pass; mod tests { use super::*; use super::super::pass; }");
        accepted("port/store/look.rs", "use super::super::tree::Tree;");
        // Upwards through the top: both things are wrong with it, and both are said.
        let both = breaches_of("engine/mod.rs", "use super::app::start;");
        assert_eq!(both.len(), 2, "{both:?}");
    }

    #[test]
    fn comments_strings_and_other_uses_of_the_words_say_nothing() {
        accepted(
            "domain/id.rs",
            r##"
            //! See `crate::engine`.
            /// [`crate::engine::queue`]
            // use crate::engine::queue;
            /* use crate::app; */
            pub(crate) const A: &str = "use crate::engine::queue;";
            pub(super) const B: &str = r#"crate::app"#;
            pub(in crate::domain) fn f(value: std::option::Option<u8>) -> crate::domain::id::X { crate::some_macro!() }
            "##,
        );
    }

    #[test]
    fn the_map_and_the_thin_program_are_free_and_text_that_is_no_rust_is_not() {
        accepted("lib.rs", "use crate::app::start;");
        accepted("main.rs", "use crate::app::start;");
        assert_eq!(breaches_of("domain/id.rs", "fn f( {").len(), 1);
    }

    #[test]
    fn a_room_without_a_floor_is_refused_and_so_is_a_floor_without_its_room() {
        let all = ["domain/mod.rs", "port/mod.rs", "check/mod.rs", "config/mod.rs", "engine/mod.rs", "adapter/mod.rs"];
        let mut files: Vec<SourceFile> = all.iter().map(|path| file(path, "")).collect();
        files.extend(["trigger/mod.rs", "face/mod.rs", "app.rs", "lib.rs", "main.rs"].map(|path| file(path, "")));
        assert_eq!(rooms(&files), Vec::new());
        files.push(file("util.rs", ""));
        files.push(file("helpers/deep/text.rs", ""));
        let places: Vec<String> = rooms(&files).into_iter().map(|breach| breach.place).collect();
        assert_eq!(places, ["src/helpers", "src/util"]);
        files.retain(|file| file.path != "face/mod.rs");
        assert!(rooms(&files).iter().any(|breach| breach.what.contains("'face'")));
    }

    #[test]
    fn long_files_and_full_rooms_are_refused() {
        let mut files = vec![file("domain/id.rs", &"\n".repeat(500))];
        files.extend((0..12).map(|index| file(&format!("check/{index}.rs"), "")));
        files.push(file("check/inner/more.rs", ""));
        assert_eq!(sizes(&files), Vec::new());
        files.push(file("check/one_more.rs", ""));
        files.push(file("domain/long.rs", &"\n".repeat(501)));
        let places: Vec<String> = sizes(&files).into_iter().map(|breach| breach.place).collect();
        assert_eq!(places, ["src/domain/long.rs", "src/check"]);
    }

    #[test]
    fn a_dependency_without_a_row_is_named() {
        let page =
            "serde is good.\n| crate | why |\n|---|---|\n| `serde`, `serde_json` | values |\n| tokio | async |\n";
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let known = [names(&["serde"]), names(&["serde_json"]), names(&["tokio"]), names(&["yaml", "tokio"])];
        assert_eq!(reasons(page, &known), Vec::new());
        let missing = reasons(page, &[names(&["notify"]), names(&["good"])]);
        assert_eq!(missing.len(), 2, "{missing:?}");
        assert!(missing[0].what.contains("'notify'"));
    }
}
