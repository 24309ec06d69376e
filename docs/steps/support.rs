//! What the tests of all four paths share: a watchdog, and a check of the pages that a reader types them from.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use similar::{Algorithm, TextDiff};

/// Far longer than any test here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test, and ends the whole process with its name if it hangs.
pub(crate) fn watched(test: impl FnOnce()) {
    let (done, is_done) = mpsc::channel::<()>();
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let watchdog = thread::spawn(move || {
        if is_done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = writeln!(io::stderr(), "`{name}` has hung for {PATIENCE:?}");
            process::abort();
        }
    });
    test();
    drop(done);
    watchdog.join().expect("the watchdog does not panic");
}

/// The source of a step, and what shows it.
pub(crate) type Step = (&'static str, fn() -> String);

/// All that is to be typed is on the page of a path, as the files of its steps have it, with what it prints; and
/// the README has a row for each step, with its lines of code.
///
/// The page has the listing of step 1, and for each further step the difference from the one before.
/// `HANDSPUN_WRITE=1 cargo test --example steps_pool` writes them.
pub(crate) fn the_page_is_current(path: &str, steps: &[Step]) {
    let mut sections = String::new();
    let mut before = String::new();
    for (number, (source, show)) in (1..).zip(steps) {
        let code = typed(source);
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let lines = code.lines().filter(is_code).count() - LINES_OF_MAIN;
        assert!(lines <= 100, "{path}/step{number}.rs is too long for one idea");
        let row = format!("| [`{path}/step{number}.rs`]({path}/step{number}.rs) | {lines} |");
        assert!(include_str!("README.md").contains(&row), "docs/steps/README.md lacks `{row}`");

        let listing = if number == 1 {
            format!("```rust\n{code}```")
        } else {
            let mut diff = TextDiff::configure();
            let diff = diff.algorithm(Algorithm::Patience).diff_lines(&before, &code);
            format!("```diff\n{}```", diff.unified_diff())
        };
        let docs: Vec<_> = source.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let docs = docs.join("\n").replace("\n ", "\n");
        let (title, idea) = docs.trim().split_once(".\n").expect("a step has a title and an idea");
        let prints = format!("`cargo run --bin {path}` prints:\n\n```text\n{}\n```", show());
        sections += &format!("## {title}\n{idea}\n\n{listing}\n\n{prints}\n\n");
        before = code;
    }

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/steps/{path}/README.md"));
    let page = fs::read_to_string(&file).expect("the path has a page").replace("\r\n", "\n");
    let [start, end] = ["## Step 1: ", "## What the crate adds"].map(|heading| {
        page.find(heading).unwrap_or_else(|| panic!("the page of the {path} lacks `{heading}`"))
    });
    if env::var_os("HANDSPUN_WRITE").is_some() {
        let page = page[..start].to_owned() + &sections + &page[end..];
        fs::write(&file, page).expect("the page can be written");
    } else {
        assert!(
            page[start..end] == sections,
            "{} is not current: `HANDSPUN_WRITE=1 cargo test --example steps_{path}` writes it, then look at the diff",
            file.display()
        );
    }
}

/// How much longer a program is than the file of its step.
const LINES_OF_MAIN: usize = 3;

/// What a reader types of a step: all but the docs of its module and its tests, and a `main`.
fn typed(source: &str) -> String {
    let is_test = |line: &&str| line.starts_with("#[cfg(test)]") || line.starts_with("#[test]");
    let code =
        source.lines().skip_while(|line| line.starts_with("//!")).take_while(|line| !is_test(line));
    let code = code.collect::<Vec<_>>().join("\n").replace("pub(crate) ", "");
    format!("{}\n\nfn main() {{\n    println!(\"{{}}\", show());\n}}\n", code.trim())
}
