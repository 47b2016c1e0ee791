//! The short way for parts without any reference: they are copied as a whole. Walking them value by
//! value took a fifth to a third of the time of checking, and most parts of most descriptors are such.

use serde_json::Value;

use super::item::{Item, Site};
use super::resolve::{Resolver, small};
use crate::check::limits::{MAX_DEPTH, MAX_NODES, MAX_TOTAL_BYTES};
use crate::check::yaml::{Mark, Place, Shape};

/// What limits are kept by.
struct Size {
    /// Bytes of keys and texts.
    bytes: usize,
    /// Containers inside of each other; 0 for a scalar.
    height: usize,
}

impl Size {
    fn of(value: &Value) -> Self {
        let of_child = |whole: Size, (key, value): (usize, &Value)| {
            let part = Size::of(value);
            Size { bytes: whole.bytes + key + part.bytes, height: whole.height.max(part.height + 1) }
        };
        let empty = Size { bytes: 0, height: 1 };
        match value {
            Value::Object(fields) => fields.iter().map(|(key, value)| (key.len(), value)).fold(empty, of_child),
            Value::Array(items) => items.iter().map(|value| (0, value)).fold(empty, of_child),
            Value::String(text) => Size { bytes: text.len(), height: 0 },
            _ => Size { bytes: 0, height: 0 },
        }
    }
}

impl Resolver<'_, '_> {
    /// The copy of a list or map in which there is no reference, and which breaks no limit; `None` for
    /// all else, about which something may have to be said.
    pub(super) fn copy_plain(
        &mut self,
        item: Item<'_>,
        place: Place,
        site: Option<Site<'_>>,
        depth: usize,
    ) -> Option<Value> {
        if place.shape == Shape::Scalar || self.has_reference(item, place.end as usize) {
            return None;
        }
        let located = &item.source.document.located;
        let places = located.places.get(item.node..place.end as usize)?;
        let at = self.out.places.len();
        let size = Size::of(item.value);
        let bytes = self.text_bytes.saturating_add(size.bytes + site.map_or(0, |site| site.text.len()));
        let fits = at + places.len() <= MAX_NODES
            && bytes <= MAX_TOTAL_BYTES
            && depth.saturating_add(size.height) <= MAX_DEPTH;
        if self.full || !fits {
            return None;
        }
        self.text_bytes = bytes;
        let file = small(item.source.file);
        let mut key = site.map_or("", |site| site.text);
        let mut mark = site.map_or_else(Mark::default, |site| site.mark);
        let mut key_file = site.map_or(file, |site| small(site.file));
        for (node, place) in (item.node..).zip(places) {
            if node > item.node {
                (key, mark, key_file) = (located.key(node), place.key, file);
            }
            let key_begin = self.out.keys.len() as u32;
            self.out.keys.push_str(key);
            self.out.places.push(Place {
                key: mark,
                key_text: (key_begin, self.out.keys.len() as u32),
                end: place.end - item.node as u32 + at as u32,
                file,
                key_file,
                ..*place
            });
        }
        Some(item.value.clone())
    }

    /// Whether a key `$ref` stands anywhere from this place up to `end`.
    fn has_reference(&mut self, item: Item<'_>, end: usize) -> bool {
        let located = &item.source.document.located;
        let all = self.references.entry(item.source.file).or_insert_with(|| {
            (0..located.places.len()).filter(|node| located.key(*node) == "$ref").collect::<Vec<_>>()
        });
        let next = all.partition_point(|node| *node < item.node);
        all.get(next).is_some_and(|node| *node < end)
    }
}

#[cfg(test)]
mod tests {
    use crate::check::refs;
    use crate::check::yaml::{self, Located, Syntax, push_segment};
    use crate::domain::id::RepoPath;
    use crate::port::tree::{Listing, ReadError, Tree};
    use serde_json::Value;

    struct One(&'static str);

    impl Tree for One {
        fn list(&self, _: Option<&RepoPath>) -> Result<Listing, ReadError> {
            Ok(Listing::default())
        }

        fn read(&self, _: &RepoPath, _: u64) -> Result<Vec<u8>, ReadError> {
            Ok(self.0.as_bytes().to_vec())
        }
    }

    const TEXT: &str = "info: &i\n  a/b~c: [1, {x: y, l: []}, [[z]]]\n  owner:\n    id: |\n      text\n      more\n\
        again: *i\nlist:\n  - *i\n  - {deep: {deeper: {}}}\npart:\n  $ref: '#/components/p'\nlast: {k: 1}\n\
        components:\n  p: {n: [1, {m: 2}]}\n";

    fn all(pointer: &mut String, value: &Value, take: &mut dyn FnMut(&str, &Value)) {
        take(pointer, value);
        let children: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
            _ => Vec::new(),
        };
        for (segment, child) in children {
            let length = pointer.len();
            push_segment(pointer, &segment);
            all(pointer, child, take);
            pointer.truncate(length);
        }
    }

    #[test]
    fn what_is_copied_as_a_whole_stands_where_it_stood() {
        let path: RepoPath = "dp.yaml".parse().unwrap();
        let (document, problems) = yaml::read(TEXT.as_bytes(), Syntax::Yaml);
        assert!(problems.is_empty(), "{problems:?}");
        let document = document.unwrap();
        let written = Located { files: vec![path.clone()], ..document.located };
        let resolved = refs::resolve(&One(TEXT), &refs::Names::none(), &path);
        let content = resolved.content.unwrap();
        assert!(resolved.findings.into_parts().0.is_empty());
        let mut count = 0;
        all(&mut String::new(), &document.value, &mut |pointer, value| {
            if pointer.starts_with("/part") || pointer.is_empty() {
                return;
            }
            count += 1;
            assert_eq!(content.pointer(pointer), Some(value), "{pointer}");
            assert_eq!(resolved.located.location(pointer), written.location(pointer), "{pointer}");
            assert_eq!(resolved.located.key_location(pointer), written.key_location(pointer), "{pointer}");
        });
        assert_eq!((count, resolved.located.places.len()), (45, 51));
        assert_eq!(content["part"], content["components"]["p"]);
        let parts = |pointer: &str| resolved.located.location(pointer).unwrap().line;
        assert_eq!((parts("/part/n/1/m"), parts("/components/p/n/1/m")), (15, 15));
        let ends: Vec<u32> = resolved.located.children(0).map(|node| resolved.located.places[node].end).collect();
        assert!(ends.is_sorted() && ends.last() == Some(&51), "{ends:?}");
    }
}
