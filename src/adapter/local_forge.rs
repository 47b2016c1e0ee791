//! The forge that always works: git notes in a local repository.
