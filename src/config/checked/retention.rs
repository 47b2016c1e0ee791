//! How much history is kept.

use std::time::Duration;

use crate::config::RetentionConfig;
use crate::config::error::Problems;

use super::{CheckedRetention, time};

const DAY: Duration = Duration::from_secs(24 * 3_600);

pub(super) fn check(retention: &RetentionConfig, problems: &mut Problems) -> CheckedRetention {
    let length = |text: &str, key: &str, problems: &mut Problems| {
        time(text, DAY, DAY * 36_600, &format!("/retention/{key}"), problems)
    };
    let number = |number: u64, key: &str, problems: &mut Problems| {
        if !(100..=100_000_000).contains(&number) {
            problems
                .at(&format!("/retention/{key}"), format!("{number} is out of bounds"))
                .hint("it is at least 100, and at most 100000000");
        }
        number
    };
    CheckedRetention {
        rollouts_for: length(&retention.rollouts_for, "rollouts_for", problems),
        activities: number(retention.activities, "activities", problems),
        contents_for: length(&retention.contents_for, "contents_for", problems),
        audit_for: length(&retention.audit_for, "audit_for", problems),
        audit: number(retention.audit, "audit", problems),
    }
}
