//! The binary: everything is in the library.

/// A login makes thousands of small things and drops them. This costs a fifth less than what the system has
/// (decision 47).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    gatelog::cli::main()
}
