//! The rooms together: places, references and digests, and that nothing panics.

mod hostile;
mod older;
mod placed;
mod samples;

use super::assess::{Assessment, Settings, assess};
use super::properties::{Files, assert_parallel};

impl Files {
    fn assess(&self, path: &str) -> Assessment {
        let settings = Settings { namespace: Some("com.example".parse().unwrap()), ..Settings::default() };
        assess(self, &path.parse().unwrap(), &settings)
    }

    fn assess_without_namespace(&self, path: &str) -> Assessment {
        assess(self, &path.parse().unwrap(), &Settings::default())
    }
}
