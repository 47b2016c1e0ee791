//! The `meshwright` program; everything is in the library.

/// Descriptors and policies are many small values, made by one thread and let go by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    meshwright::app::run()
}
