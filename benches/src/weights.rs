//! How many bytes does one of them take: a queued job, a sleeping task, an armed timer?
//!
//! The allocator of this program knows how much is in use. It counts atomically, which would be felt
//! in the rows of the other program; so this is one of its own. Every weight is taken in a process of
//! its own, for which the program starts itself again: nothing that another contender left behind,
//! and no buffer that it made grow, is in the figure.
//!
//! A weight is what is in use when all of them are there, less what was in use before the first, for
//! each of them. It is what was asked of the allocator; what that adds, by rounding up, is not seen.

#[expect(dead_code, reason = "the other program has a use for each of them")]
mod pools;
#[expect(dead_code, reason = "the other program has a use for each of them")]
mod executors;
#[expect(dead_code, reason = "there are no line-ups here, only the words for scales and roles")]
mod line_up;
mod facts;
mod section;
mod weighed;

use std::alloc::System;
use std::env;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use cap::Cap;
use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};

use crate::facts::Facts;
use crate::line_up::{Role, Scale};
use crate::weighed::{Contender, Thing};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

#[derive(Parser)]
#[command(about = "Weighs handspun beside its peers: bytes of memory, a process each.")]
struct Arguments {
    /// A tenth of the things: shows that it runs, not how heavy they are.
    #[arg(long)]
    quick: bool,

    /// Write the tables into the part of this document that is marked for them.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// Weigh only this: what the program asks of itself.
    #[arg(long, hide = true, num_args = 2, value_names = ["THING", "CONTENDER"])]
    one: Option<Vec<String>>,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let scale = if arguments.quick { Scale::Quick } else { Scale::Full };
    if let Some(names) = arguments.one {
        let contender = weighed::ALL
            .iter()
            .filter(|thing| thing.name == names[0])
            .flat_map(|thing| thing.contenders)
            .find(|contender| contender.name == names[1])
            .expect("the program asks itself for what is in its list");
        println!("{}", bytes_each(contender, scale));
        return Ok(());
    }
    let facts = Facts::gather(scale, None);
    println!("{facts}");
    let mut tables = String::new();
    for thing in weighed::ALL {
        let table =
            format!("### `{}`\n\n{}\n\n{}\n", thing.name, thing.question, table(thing, scale));
        println!("{table}");
        tables += &format!("{table}\n");
    }
    println!("{}", facts.how_to_repeat());
    if let Some(file) = arguments.markdown {
        section::write(&file, "weights", &format!("```text\n{facts}```\n\n{tables}"))?;
    }
    Ok(())
}

/// Takes the weight in this process.
fn bytes_each(contender: &Contender, scale: Scale) -> f64 {
    let n = scale.of(1_000_000);
    let in_use = || ALLOCATOR.allocated() as u64;
    (contender.bytes)(n, &in_use) as f64 / n as f64
}

/// Has the weight taken in another process.
fn bytes_each_elsewhere(thing: &Thing, contender: &Contender, scale: Scale) -> f64 {
    let itself = env::current_exe().expect("the program knows where it is");
    let quick = (scale == Scale::Quick).then_some("--quick");
    let output = Command::new(itself)
        .args(["--one", thing.name, contender.name])
        .args(quick)
        .stderr(Stdio::inherit())
        .output()
        .expect("the program can be started once more");
    assert!(output.status.success(), "{}: {}", contender.name, output.status);
    let text = String::from_utf8(output.stdout).expect("a number is text");
    text.trim().parse().expect("it prints a number")
}

fn table(thing: &Thing, scale: Scale) -> Table {
    let weigh = |contender| (contender, bytes_each_elsewhere(thing, contender, scale));
    let weights: Vec<_> = thing.contenders.iter().map(weigh).collect();
    let best_peer = weights
        .iter()
        .filter(|(contender, _)| contender.role == Role::Peer)
        .map(|(_, bytes)| *bytes)
        .min_by(f64::total_cmp)
        .expect("everything has a peer");

    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(["contender", "role", "bytes", "÷ best peer"]);
    for (contender, bytes) in weights {
        let (bytes, ratio) = (format!("{bytes:.0}"), format!("{:.2}", bytes / best_peer));
        table.add_row([contender.name.to_owned(), contender.role.to_string(), bytes, ratio]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
