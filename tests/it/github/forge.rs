//! What Meshwright shows at GitHub, asks of it, and how it stays let in.

mod access;
mod asked;
mod setting;
mod shown;
mod wired;
