//! The `meshwright` program; everything is in the library.

fn main() -> std::process::ExitCode {
    meshwright::app::run()
}
