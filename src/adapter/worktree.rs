//! A folder of files that are not committed yet, as a tree.
