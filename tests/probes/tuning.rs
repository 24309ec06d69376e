//! `tune_semaphore`: the numbers hang together, and a seed is a promise.

use crate::support::watched;
use crate::tune_semaphore::args::{self, Request};
use crate::tune_semaphore::service::{Model, WORK};
use crate::tune_semaphore::sweep::{self, Load, Row};
use crate::tune_semaphore::{chart, report};

const SERVICE: Model = Model { servers: 4, crowd: 16 };
const LOAD: Load = Load { clients: 64, requests: 1_000, seed: 7 };

fn sweep(load: &Load) -> Vec<Row> {
    let mut rows = Vec::new();
    watched(|| rows = sweep::over(&sweep::sizes(load.clients), &SERVICE, load));
    rows
}

fn text(load: &Load) -> String {
    let rows = sweep(load);
    report::text(&rows, sweep::knee(&rows), &SERVICE, load)
}

/// How long a request takes, from the wish to the answer.
fn mean_seconds(row: &Row) -> f64 {
    row.overall.mean() / 1e9
}

#[test]
fn the_same_seed_prints_the_same_table() {
    assert_eq!(text(&LOAD), text(&LOAD));
    assert_ne!(text(&LOAD), text(&Load { seed: 8, ..LOAD }));
}

/// Each client has one request under way, so the number of clients is what is in there.
#[test]
fn littles_law_holds_with_every_size() {
    for row in sweep(&LOAD) {
        let n_under_way = row.throughput * mean_seconds(&row);
        assert!((n_under_way / 64.0 - 1.0).abs() < 0.05, "{}: {n_under_way}", row.permits);
    }
}

#[test]
fn the_servers_bound_the_throughput() {
    let rows = sweep(&LOAD);
    let bound = SERVICE.servers as f64 / WORK.as_secs_f64();
    let best = sweep::best(&rows).throughput;
    // The work of so few requests is not quite what it is on average.
    assert!((0.9 * bound..1.1 * bound).contains(&best), "{best} of {bound}");
}

#[test]
fn the_knee_is_a_little_above_what_the_law_says() {
    let rows = sweep(&LOAD);
    let (knee, best) = (sweep::knee(&rows), sweep::best(&rows));
    let least = best.throughput * rows[0].inside.mean() / 1e9;
    assert!((0.95 * least..1.5 * least).contains(&(knee.permits as f64)), "{least}: {knee:?}");
}

#[test]
fn too_many_permits_cost_throughput() {
    let rows = sweep(&LOAD);
    let (knee, all) = (sweep::knee(&rows), rows.last().unwrap());
    assert_eq!(all.permits, 64);
    assert!(all.throughput < 0.7 * knee.throughput);
    assert!(all.inside.value_at_quantile(0.99) > knee.inside.value_at_quantile(0.99));
}

#[test]
fn no_knee_is_named_where_none_is_in_sight() {
    let text = text(&Load { clients: 2, ..LOAD });
    assert!(text.contains("No knee is in sight"), "{text}");
}

#[test]
fn a_chart_has_a_point_for_each_size() {
    let rows = sweep(&LOAD);
    let knee = sweep::knee(&rows);
    let svg = chart::draw(&rows, knee);
    let line = svg.lines().find(|line| line.contains(r#"<polyline class="throughput""#)).unwrap();
    assert_eq!(line.matches(',').count(), rows.len());
    assert!(svg.contains(&format!("the knee: {}<", knee.permits)), "{svg}");
    assert!(!svg.contains("NaN") && svg.ends_with("</svg>\n"), "{svg}");
}

#[test]
fn a_size_that_would_take_an_hour_is_refused() {
    let parse = |args: [&str; 2]| args::parse(lexopt::Parser::from_args(args));
    assert!(matches!(parse(["--seed", "3"]), Ok(Request::Sweep(sweep)) if sweep.load.seed == 3));
    for wrong in [["--servers", "0"], ["--clients", "1000000"], ["--requests", "-1"]] {
        assert!(parse(wrong).unwrap_err().to_string().contains("a number from 1 to"));
    }
    assert!(parse(["--fast", ""]).unwrap_err().to_string().contains("--fast"));
}
