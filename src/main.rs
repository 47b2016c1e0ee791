//! The `meshwright` program; everything is in the library.

fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some(meshwright::adapter::policy_worker::child::VERB) {
        return meshwright::adapter::policy_worker::worker_main();
    }
    std::process::ExitCode::from(70)
}
