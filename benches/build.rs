//! Tells the program which compiler built it. A figure without its compiler cannot be repeated.

use std::env;
use std::process::Command;

fn main() {
    let compiler = env::var_os("RUSTC").expect("cargo names the compiler to every build script");
    let version = match Command::new(compiler).arg("--version").output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        // A compiler that does not tell its version is no reason not to measure.
        Err(_) => "unknown".to_owned(),
    };
    println!("cargo::rustc-env=COMPILER={version}");
    println!("cargo::rerun-if-changed=build.rs");
}
