//! A given name that has the right form, and says something else than the fields from which it is computed. Which of
//! the two is wrong only people know: whoever misspelt 'name' would have it made permanent by mending the other.

use std::cell::OnceCell;
use std::collections::HashSet;

use super::{Entity, Subject, lineage};
use crate::check::schema::formats::{is_name, is_version};
use crate::check::yaml::shown;
use crate::domain::id::{EntityKind, Fqn};
use crate::domain::suggest;

/// What else the descriptor says about names. It is collected when it is asked for the first time.
pub(super) struct Evidence<'s> {
    subject: &'s Subject<'s>,
    entities: &'s [Entity<'s>],
    used: OnceCell<HashSet<String>>,
    other: OnceCell<Option<Fqn>>,
}

/// Why nothing is computed from the product's name.
pub(super) const OF_PRODUCT: &str = "the product's own name may be wrong";

/// Two that do not agree.
pub(super) struct Disagreement {
    pub(super) message: String,
    pub(super) hint: String,
    /// Why it is not mended.
    pub(super) doubt: Option<&'static str>,
}

/// Where a name and the computed one differ.
enum Differs {
    /// In what the product's name or version gave.
    Product { name: bool, major: bool },
    /// In its own name or version.
    Own { name: bool, version: bool },
}

impl<'s> Evidence<'s> {
    pub(super) fn new(subject: &'s Subject<'s>, entities: &'s [Entity<'s>]) -> Self {
        Self { subject, entities, used: OnceCell::new(), other: OnceCell::new() }
    }

    /// What to say of a given name; `None` where it has another form.
    pub(super) fn disagreement(&self, kind: EntityKind, given: &str, computed: &Fqn) -> Option<Disagreement> {
        let differs = differs(kind, given, computed.as_str())?;
        let (name, version, whose) = match &differs {
            Differs::Product { name, major } if kind == EntityKind::DataProduct => (*name, *major, ""),
            Differs::Product { name, major } => (*name, *major, "the product's "),
            Differs::Own { name, version } => (*name, *version, ""),
        };
        let fields: Vec<String> = [(name, "name"), (version, "version")]
            .into_iter()
            .filter(|(differs, _)| *differs)
            .map(|(_, field)| format!("{whose}'{field}'"))
            .collect();
        let fields = fields.join(" and ");
        let say = if name && version { "say" } else { "says" };
        let [says, is] = [given, computed.as_str()].map(|fqn| self.shown_part(fqn, &differs));
        Some(Disagreement {
            message: format!("'fullyQualifiedName' says {says}, and {fields} {say} {is}: they have to agree"),
            hint: format!(
                "correct {fields} if the mistake is there; otherwise leave 'fullyQualifiedName' out, or write '{computed}'"
            ),
            doubt: self.doubt(&differs, given, computed),
        })
    }

    /// The product that the descriptor says to be by its given name, when that is another one and may be right.
    pub(super) fn other_product(&self) -> Option<&Fqn> {
        let find = || {
            let product = self.subject.product?;
            let given: Fqn = self.subject.content.pointer("/info/fullyQualifiedName")?.as_str()?.parse().ok()?;
            let told = self.disagreement(EntityKind::DataProduct, given.as_str(), product)?;
            (told.doubt.is_some() && given.product_name() != product.product_name()).then_some(given)
        };
        self.other.get_or_init(find).as_ref()
    }

    /// Whether what is computed for a part follows from a product's name that may be wrong.
    pub(super) fn is_product_doubtful(&self, kind: EntityKind) -> bool {
        let is_part = !matches!(kind, EntityKind::DataProduct | EntityKind::Api | EntityKind::Template);
        is_part && self.other_product().is_some()
    }

    /// Whether a part's given name would be right if the product's were. That was said of the product's.
    pub(super) fn is_of_other_product(&self, given: &str, computed: &Fqn) -> bool {
        let (Some(other), Some(product)) = (self.other_product(), self.subject.product) else { return false };
        let rest = given.strip_prefix(other.as_str()).filter(|rest| !rest.is_empty());
        rest.is_some() && rest == computed.as_str().strip_prefix(product.as_str())
    }

    pub(super) fn subject(&self) -> &'s Subject<'s> {
        self.subject
    }

    fn shown_part(&self, fqn: &str, differs: &Differs) -> String {
        let part = |at: usize| fqn.split(':').nth(at).unwrap_or_default();
        let (name, version) = (part(4), part(5));
        match differs {
            Differs::Product { name: true, major: true } => shown(&format!("{name}:{version}")),
            Differs::Product { name: true, .. } => shown(name),
            Differs::Product { .. } => format!("the major version {version}"),
            Differs::Own { .. } if fqn.split(':').count() > 6 => shown(part(7)),
            Differs::Own { name: true, version: true } => shown(&format!("{name}:{version}")),
            Differs::Own { name: true, .. } => shown(name),
            Differs::Own { .. } => shown(version),
        }
    }

    /// Why the given name may be the right one.
    fn doubt(&self, differs: &Differs, given: &str, computed: &Fqn) -> Option<&'static str> {
        let used = self.used.get_or_init(|| self.used());
        let own = |name: &str| match differs {
            Differs::Product { .. } => name.parse::<Fqn>().ok().and_then(|fqn| fqn.owner()).map(String::from),
            Differs::Own { .. } => Some(name.to_owned()),
        };
        let is_used = |name: &str| own(name).is_some_and(|name| used.contains(&name));
        match (is_used(given), is_used(computed.as_str())) {
            (true, _) => {
                return Some("other names in the descriptor agree with it, so 'name' or 'version' may be wrong");
            }
            (false, true) => return None,
            (false, false) => {}
        }
        let at = if matches!(differs, Differs::Own { .. }) && given.split(':').count() > 6 { 7 } else { 4 };
        let [was, is] = [given, computed.as_str()].map(|fqn| fqn.split(':').nth(at).unwrap_or_default());
        if matches!(differs, Differs::Product { name: true, .. }) {
            match (self.is_folder(was), self.is_folder(is)) {
                (true, false) => return Some("the folder has that name as well, so 'name' may be wrong"),
                (false, true) => return None,
                _ => {}
            }
        }
        suggest::nearest(was, [is]).map(|_| "it differs by a letter or two, so 'name' may be misspelt as well")
    }

    /// The names that components use, and the products in them.
    fn used(&self) -> HashSet<String> {
        let names = lineage::all_names(self.entities);
        names
            .flat_map(|name| {
                let owner = name.parse::<Fqn>().ok().and_then(|fqn| fqn.owner()).map(String::from);
                owner.into_iter().chain([name.to_owned()])
            })
            .collect()
    }

    /// Whether the descriptor's folder has a name, however it is written.
    fn is_folder(&self, name: &str) -> bool {
        let plain = |text: &str| {
            text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>()
        };
        let folder = self.subject.root.as_str().rsplit('/').nth(1);
        folder.is_some_and(|folder| plain(folder) == plain(name))
    }
}

fn differs(kind: EntityKind, given: &str, computed: &str) -> Option<Differs> {
    let [given, computed]: [Vec<&str>; 2] = [given, computed].map(|fqn| fqn.split(':').collect());
    if given.len() != computed.len() {
        return None;
    }
    let at: Vec<usize> =
        given.iter().zip(&computed).enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
    let has = |place: usize| at.contains(&place);
    let part = |place: usize| given.get(place).copied().unwrap_or_default();
    let is_definition = matches!(kind, EntityKind::Api | EntityKind::Template);
    let version = if is_definition { is_version(part(5)) } else { part(5).parse::<u64>().is_ok() };
    if at.is_empty() || !is_name(part(4)) || !version {
        return None;
    }
    match at.as_slice() {
        [7] if is_name(part(7)) => Some(Differs::Own { name: true, version: false }),
        [4] | [5] | [4, 5] if is_definition => Some(Differs::Own { name: has(4), version: has(5) }),
        [4] | [5] | [4, 5] => Some(Differs::Product { name: has(4), major: has(5) }),
        _ => None,
    }
}
