//! Policies in a child process with limits.
