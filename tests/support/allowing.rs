//! A judge for whatever is not about policies.

use async_trait::async_trait;
use meshwright::domain::id::Digest;
use meshwright::domain::policy::{Question, Verdict};
use meshwright::port::judge::{Judge, PolicyLoadError};

/// It allows everything.
#[derive(Debug, Default)]
pub struct Allowing;

#[async_trait]
impl Judge for Allowing {
    fn policies(&self) -> Digest {
        Digest::of(b"everything is allowed")
    }

    async fn reload(&self) -> Result<Digest, PolicyLoadError> {
        Ok(self.policies())
    }

    async fn judge(&self, questions: Vec<Question>) -> Vec<Verdict> {
        questions.iter().map(|_| Verdict { policies: self.policies(), violations: Vec::new() }).collect()
    }
}
