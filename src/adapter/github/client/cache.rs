//! What GitHub answered lately, so that asking again is free while nothing has changed: a request with
//! `if-none-match` that is answered 304 costs nothing of the hourly limit.

use std::collections::{BTreeMap, VecDeque};

use super::answer::Answer;

/// Answers that are kept at most.
const MOST_ANSWERS: usize = 512;
/// Bytes of answers that are kept at most.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Larger answers are not kept.
const LARGEST: usize = 2 * 1024 * 1024;

/// Answers by what was asked, the oldest of which go first.
#[derive(Debug, Default)]
pub(super) struct EtagCache {
    answers: BTreeMap<String, (String, Answer)>,
    order: VecDeque<String>,
    bytes: usize,
}

impl EtagCache {
    /// The tag of the answer that is kept for this key.
    pub(super) fn tag(&self, key: &str) -> Option<String> {
        self.answers.get(key).map(|(tag, _)| tag.clone())
    }

    /// The answer with this tag: GitHub says that it still holds.
    pub(super) fn still(&self, key: &str, tag: &str) -> Option<Answer> {
        self.answers.get(key).filter(|(kept, _)| kept == tag).map(|(_, answer)| answer.clone())
    }

    /// Keeps an answer in the place of an earlier one.
    pub(super) fn keep(&mut self, key: &str, tag: &str, answer: &Answer) {
        self.forget(key);
        if answer.body.len() > LARGEST {
            return;
        }
        while self.answers.len() >= MOST_ANSWERS || self.bytes + answer.body.len() > MOST_BYTES {
            let Some(oldest) = self.order.front().cloned() else { break };
            self.forget(&oldest);
        }
        self.bytes += answer.body.len();
        self.answers.insert(key.to_owned(), (tag.to_owned(), answer.clone()));
        self.order.push_back(key.to_owned());
    }

    /// Forgets an answer.
    pub(super) fn forget(&mut self, key: &str) {
        if let Some((_, answer)) = self.answers.remove(key) {
            self.bytes -= answer.body.len();
            self.order.retain(|kept| kept != key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: usize) -> Answer {
        Answer { body: vec![b'x'; bytes], ..Answer::default() }
    }

    #[test]
    fn the_cache_is_bounded_in_answers_and_in_bytes() {
        let mut cache = EtagCache::default();
        for number in 0..2000 {
            cache.keep(&format!("/{number}"), "t", &answer(10));
        }
        assert_eq!(
            (cache.answers.len(), cache.order.len(), cache.bytes),
            (MOST_ANSWERS, MOST_ANSWERS, MOST_ANSWERS * 10)
        );
        assert!(cache.tag("/0").is_none() && cache.tag("/1999").is_some(), "the oldest went first");
        for number in 0..100 {
            cache.keep(&format!("/large/{number}"), "t", &answer(LARGEST));
        }
        assert!(cache.bytes <= MOST_BYTES);
        cache.keep("/large/99", "t", &answer(LARGEST + 1));
        assert!(cache.tag("/large/99").is_none(), "what is too large is not kept, and neither is what stood there");
    }

    #[test]
    fn an_answer_counts_with_its_own_tag_only() {
        let mut cache = EtagCache::default();
        cache.keep("/a", "one", &answer(1));
        cache.keep("/a", "two", &answer(2));
        assert!(cache.still("/a", "one").is_none());
        assert_eq!(cache.still("/a", "two").unwrap().body.len(), 2);
        assert_eq!(cache.bytes, 2);
    }
}
