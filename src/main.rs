//! The `gilsim` command.

fn main() -> std::process::ExitCode {
    gilsim::cli::main()
}
