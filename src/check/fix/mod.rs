//! Mending what is safe to mend: scalars of which the rules know what belongs there (computed fields,
//! names in braces, references without their '/'). What is mended is a stretch of the text where the
//! value stands; nothing is written anew from what was read, so comments, order and layout stay byte for
//! byte. Pure: bytes come in, bytes come out. `agree` decides which places, `edit` changes the text.

mod agree;
mod edit;

use crate::domain::finding::{Location, RuleId};
use crate::domain::id::RepoPath;
use crate::port::tree::Tree;

use super::limits::MAX_FILE_BYTES;
use super::yaml::Syntax;

/// A place that a rule knows how to mend: a text that becomes another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The rule that finds fault with it.
    pub rule: RuleId,
    /// Where the text stands.
    pub location: Location,
    /// The text that is there.
    pub from: String,
    /// The text that belongs there.
    pub to: String,
    /// Why it is left as it is: something else may be wrong instead.
    pub doubt: Option<&'static str>,
}

/// What one descriptor wants mended.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The descriptor's root file.
    pub root: RepoPath,
    /// All files that were read for it.
    pub files: Vec<RepoPath>,
    /// What it wants.
    pub fixes: Vec<Fix>,
}

/// One file, mended.
#[derive(Debug, Clone)]
pub struct MendedFile {
    /// The file.
    pub path: RepoPath,
    /// What it holds.
    pub before: Vec<u8>,
    /// What it ought to hold.
    pub after: Vec<u8>,
    /// What differs between the two.
    pub fixes: Vec<Fix>,
}

/// What can be mended, and what cannot and why.
#[derive(Debug, Clone, Default)]
pub struct Mending {
    /// By path.
    pub files: Vec<MendedFile>,
    /// Places that are left as they are.
    pub left: Vec<(Fix, String)>,
}

/// Works out how files are mended, by what all descriptors want that were checked. Files for which `may`
/// is false are left as they are.
pub fn mend(tree: &dyn Tree, wishes: &[Wish], may: &dyn Fn(&RepoPath) -> bool) -> Mending {
    let mut mending = Mending::default();
    let (agreed, disputed) = agree::agreed(wishes);
    mending.left = disputed;
    for (path, fixes) in agreed {
        let edited =
            if may(&path) { read(tree, &path) } else { Err("it is outside of what was to be mended".to_owned()) };
        let edited = edited.and_then(|before| {
            let syntax = Syntax::of(&path).unwrap_or(Syntax::Yaml);
            edit::edit(&before, syntax, &fixes).map(|edited| (before, edited))
        });
        match edited {
            Ok((before, edited)) => {
                mending.left.extend(edited.left);
                if !edited.done.is_empty() {
                    mending.files.push(MendedFile { path, before, after: edited.after, fixes: edited.done });
                }
            }
            Err(why) => mending.left.extend(fixes.into_iter().map(|fix| (fix, why.clone()))),
        }
    }
    mending.left.sort_by(|(a, _), (b, _)| a.location.cmp(&b.location));
    mending
}

fn read(tree: &dyn Tree, path: &RepoPath) -> Result<Vec<u8>, String> {
    tree.read(path, MAX_FILE_BYTES).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
