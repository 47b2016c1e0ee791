//! Floor 2: CPU only. From bytes to a located, resolved, checked descriptor, or to findings that
//! say where and what. Each room wraps one library.

mod assess;
pub mod policy;
pub mod verdicts;

pub use assess::{Assessment, Discovery, Settings, assess, assess_all, catalogue, discover};
