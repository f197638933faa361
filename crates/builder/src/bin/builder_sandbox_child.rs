//! What a program that builds does at the start of its `main`, as a program by itself: for tests.

fn main() -> std::process::ExitCode {
    sandbox::run_if_child().unwrap_or_else(|| {
        eprintln!("error: this program is started by another one, which tells it what to run");
        std::process::ExitCode::from(2)
    })
}
