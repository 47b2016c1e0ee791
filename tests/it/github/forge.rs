//! What Meshwright shows at GitHub, asks of it, and how it stays let in.

#![expect(clippy::disallowed_methods, reason = "files are read and written as users do")]

mod access;
mod asked;
mod setting;
mod shown;
mod wired;
