//! What a reference to a file that is not there may have meant: a name like it in the same folder, or the
//! same name in another one.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::domain::id::RepoPath;
use crate::domain::suggest;
use crate::port::tree::{EntryKind, Tree};

/// The names of a tree's files. They are listed when a file is missing for the first time, and once for all
/// descriptors of the tree.
#[derive(Debug, Default)]
pub struct Names {
    listed: OnceLock<Listed>,
}

#[derive(Debug, Default)]
struct Listed {
    /// In the order of their bytes, so that what stands below a folder stands together.
    files: Vec<RepoPath>,
    /// Which of them have a name, by the name in lower case.
    by_name: HashMap<String, Vec<usize>>,
}

impl Names {
    /// For reading again what was read before: nothing is said then.
    pub(in crate::check) fn none() -> Self {
        Self { listed: OnceLock::from(Listed::default()) }
    }

    /// The file of the tree that was probably meant by `missing`, which `base` references for the descriptor
    /// `root`: as it is written in `base`.
    pub(super) fn meant(
        &self,
        tree: &dyn Tree,
        missing: &RepoPath,
        base: &RepoPath,
        root: &RepoPath,
    ) -> Option<String> {
        let listed = self.listed.get_or_init(|| list(tree));
        let path = listed.beside(missing, base).or_else(|| listed.elsewhere(missing, base, root))?;
        // These would have to be encoded, and whoever copies the hint would wonder.
        (!path.as_str().contains(['#', '?', '%'])).then(|| written(path, base))
    }
}

fn list(tree: &dyn Tree) -> Listed {
    let Ok(listing) = tree.list(None) else { return Listed::default() };
    let files = listing.entries.into_iter().filter(|entry| entry.kind == EntryKind::File);
    let mut files: Vec<RepoPath> = files.map(|entry| entry.path).collect();
    files.sort();
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        by_name.entry(file.file_name().to_ascii_lowercase()).or_default().push(index);
    }
    Listed { files, by_name }
}

impl Listed {
    /// The file with the nearest name, of those in the folder of the missing one.
    fn beside(&self, missing: &RepoPath, base: &RepoPath) -> Option<&RepoPath> {
        /// Files below a folder that are looked at.
        const MOST: usize = 2_000;
        let folder = prefix(missing);
        let from = self.files.partition_point(|file| file.as_str() < folder);
        let below = self.files.iter().skip(from).take(MOST).take_while(|file| file.as_str().starts_with(folder));
        let inside = |file: &&RepoPath| prefix(file) == folder && *file != base;
        let name = suggest::nearest(missing.file_name(), below.clone().filter(inside).map(RepoPath::file_name))?;
        below.filter(inside).find(|file| file.file_name() == name)
    }

    /// The one file of the same name: of those below the descriptor's folder, or else of all.
    fn elsewhere(&self, missing: &RepoPath, base: &RepoPath, root: &RepoPath) -> Option<&RepoPath> {
        let same = self.by_name.get(&missing.file_name().to_ascii_lowercase())?;
        let folder = prefix(root);
        let path = |index: &usize| self.files.get(*index);
        let from = same.partition_point(|index| path(index).is_some_and(|file| file.as_str() < folder));
        let own = same.iter().skip(from).filter_map(path).take_while(|file| file.as_str().starts_with(folder));
        only(own.filter(|file| *file != base))
            .or_else(|| only(same.iter().filter_map(path).filter(|file| *file != base)))
    }
}

/// The folder of a file with the '/' behind it; nothing at the top.
fn prefix(file: &RepoPath) -> &str {
    let text = file.as_str();
    text.get(..text.len() - file.file_name().len()).unwrap_or_default()
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next();
    if items.next().is_some() { None } else { first }
}

/// A path as it is written in the file `base`.
fn written(path: &RepoPath, base: &RepoPath) -> String {
    let folders: Vec<&str> = prefix(base).split_terminator('/').collect();
    let parts: Vec<&str> = path.as_str().split('/').collect();
    let common = folders.iter().zip(&parts).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", folders.len() - common);
    up.chain(parts.into_iter().skip(common)).collect::<Vec<&str>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::properties::Files;

    fn meant(files: &[&str], base: &str, missing: &str) -> Option<String> {
        let tree = files.iter().fold(Files::default(), |tree, file| tree.with(file, ""));
        let [missing, base] = [missing, base].map(|path| path.parse().unwrap());
        Names::default().meant(&tree, &missing, &base, &"shop/orders/d.yaml".parse().unwrap())
    }

    #[test]
    fn a_name_like_it_in_the_folder_or_the_same_elsewhere() {
        let files = [
            "apis/customers.yaml",
            "shop/orders/d.yaml",
            "shop/orders/ports/Orders.yaml",
            "shop/orders/ports/old/events.yaml",
            "shop/returns/d.yaml",
            "shop/returns/schema.json",
            "shop/trips/schema.json",
        ];
        let from = |base, missing| meant(&files, base, missing);
        let root = "shop/orders/d.yaml";
        assert_eq!(from(root, "shop/orders/ports/order.yml").as_deref(), Some("ports/Orders.yaml"));
        assert_eq!(from(root, "shop/orders/ports/orders.yaml").as_deref(), Some("ports/Orders.yaml"));
        assert_eq!(from(root, "shop/orders/port/orders.yaml").as_deref(), Some("ports/Orders.yaml"));
        assert_eq!(from(root, "shop/orders/events.yaml").as_deref(), Some("ports/old/events.yaml"));
        assert_eq!(from(root, "shop/apis/customers.yaml").as_deref(), Some("../../apis/customers.yaml"));
        assert_eq!(
            from("shop/orders/ports/Orders.yaml", "shop/orders/ports/events.yaml").as_deref(),
            Some("old/events.yaml")
        );
        assert_eq!(from(root, "shop/orders/schema.json"), None, "which of the two is not known");
        assert_eq!(from(root, "shop/orders/d.yml"), None, "a file does not mean itself");
        assert_eq!(from(root, "shop/orders/quite-another.yaml"), None);
        assert_eq!(meant(&["shop/orders/a#b.yaml"], root, "shop/orders/a#c.yaml"), None);
        assert_eq!(meant(&["top.yaml"], "d.yaml", "topp.yaml").as_deref(), Some("top.yaml"));
        let tree = Files::default().with("xx.yaml", "");
        let [missing, base] = ["x.yaml", "d.yaml"].map(|path| path.parse().unwrap());
        let none = Names::none().meant(&tree, &missing, &base, &base);
        assert_eq!(none, None);
    }

    /// Files that are counted when they are listed.
    struct Counted(Files, std::sync::atomic::AtomicUsize);

    impl Tree for Counted {
        fn list(&self, folder: Option<&RepoPath>) -> Result<crate::port::tree::Listing, crate::port::tree::ReadError> {
            self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            self.0.list(folder)
        }

        fn read(&self, path: &RepoPath, limit: u64) -> Result<Vec<u8>, crate::port::tree::ReadError> {
            self.0.read(path, limit)
        }
    }

    #[test]
    fn however_many_are_missing_the_tree_is_listed_once() {
        let tree = Counted(Files::default().with("a.yaml", ""), std::sync::atomic::AtomicUsize::new(0));
        let (names, base) = (Names::default(), "d.yaml".parse().unwrap());
        for missing in ["aa.yaml", "b.yaml", "aaa.yaml"] {
            names.meant(&tree, &missing.parse().unwrap(), &base, &base);
        }
        assert_eq!(tree.1.into_inner(), 1);
    }
}
