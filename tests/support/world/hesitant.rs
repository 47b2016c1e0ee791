//! A judge that has no answer when it is asked first.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use meshwright::domain::id::Digest;
use meshwright::domain::policy::{Question, Verdict, Written};
use meshwright::port::judge::{Judge, PolicyLoadError};

/// Has no answer when it is asked first, about one product or about any, and allows everything from then on.
#[derive(Debug, Default)]
pub struct Hesitant {
    asked: AtomicBool,
    about: Option<&'static str>,
}

impl Hesitant {
    /// Hesitates over the product of this name alone.
    pub fn about(product: &'static str) -> Self {
        Self { about: Some(product), ..Self::default() }
    }

    fn hesitates_over(&self, question: &Question) -> bool {
        let name = |state: &Written| state.value().pointer("/dataProductVersion/info/name").cloned();
        let after = question.after_state.as_ref().and_then(name);
        self.about.is_none_or(|about| after.is_some_and(|name| name == about))
    }
}

#[async_trait]
impl Judge for Hesitant {
    fn policies(&self) -> Digest {
        Digest::of(b"hesitant")
    }

    async fn reload(&self) -> Result<Digest, PolicyLoadError> {
        Ok(self.policies())
    }

    async fn judge(&self, questions: Vec<Question>) -> Vec<Verdict> {
        let is_first = !self.asked.swap(true, Ordering::SeqCst);
        let answer = |question: &Question| match is_first && self.hesitates_over(question) {
            true => Verdict::not_evaluated(self.policies(), "the worker was killed"),
            false => Verdict { policies: self.policies(), violations: Vec::new() },
        };
        questions.iter().map(answer).collect()
    }
}
