//! The room against a server of the test's own: what answers mean, what is asked and what is not.

mod answers;
mod shown;
mod stage;
