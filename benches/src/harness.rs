//! How a row is measured: everybody in turn, round after round, and then the medians.
//!
//! 1. One process and one set of pools: while one of them works, the others are alive and asleep.
//! 2. Interleaved: what the machine does to a round, it does to everybody. Each round begins with
//!    another contender, and every second one goes backwards, so that nobody always has the same
//!    neighbour before them.
//! 3. The first turn of each is a warm-up: it starts the lazy threads and is not counted.
//! 4. Every turn's results are added up and checked. A wrong sum ends the run.

use std::thread;
use std::time::{Duration, Instant};

use crate::cpu;
use crate::line_up::{Contender, Measure, Run, Scale};
use crate::report::{Figures, RowReport};
use crate::rows::Row;
use crate::stats;

/// How long everybody rests after a turn, so that workers that still look for more work have gone
/// to sleep.
const REST: Duration = Duration::from_millis(2);

/// What one turn of one contender took, for one operation, in nanoseconds.
struct Turn {
    median: f64,
    /// Only where each operation has a time of its own.
    p99: Option<f64>,
    cpu: f64,
}

/// Gives everybody in `row` one turn as a warm-up and then `rounds` that count.
pub(crate) fn measure(row: &Row, scale: Scale, rounds: u32) -> RowReport {
    let line_up = (row.line_up)(scale);
    let (measure, mut contenders) = (line_up.measure, line_up.contenders);
    for contender in &mut contenders {
        take_turn(contender, measure);
    }

    let n_contenders = contenders.len();
    let mut turns: Vec<Vec<Turn>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds as usize {
        for index in order_of(round, n_contenders) {
            turns[index].push(take_turn(&mut contenders[index], measure));
        }
    }

    let figures = contenders
        .iter()
        .zip(&turns)
        .map(|(contender, turns)| summarise(contender, turns))
        .collect();
    RowReport::new(row, measure, figures)
}

/// Who comes when: the same circle in each round, entered one place further on, and walked forwards
/// in one round and backwards in the next.
fn order_of(round: usize, n_contenders: usize) -> impl Iterator<Item = usize> {
    (0..n_contenders).map(move |place| {
        let forwards = round % 2 == 0;
        let step = if forwards { place } else { n_contenders - place };
        (round + step) % n_contenders
    })
}

fn take_turn(contender: &mut Contender, measure: Measure) -> Turn {
    let cpu_before = cpu::time_used();
    let (times, sum) = match (&mut contender.run, measure) {
        (Run::Told(run), _) => (run().iter().map(|time| time.as_nanos() as f64).collect(), 0),
        (Run::Summed(run), Measure::Latency) => time_one_by_one(run, contender.operations),
        (Run::Summed(run), Measure::Throughput | Measure::Told) => {
            time_all_at_once(run, contender.operations)
        }
    };
    // The rest lies inside the span of the CPU time: a worker that goes on spinning when there is
    // nothing left to do has cost its owner that time, not whoever comes next.
    thread::sleep(REST);
    let cpu = cpu::time_used().saturating_sub(cpu_before);

    assert_eq!(sum, contender.expected, "the results of {} do not add up", contender.name);
    Turn {
        median: stats::median(&times),
        p99: (times.len() > 1).then(|| stats::percentile(&times, 0.99)),
        cpu: cpu.as_nanos() as f64 / contender.operations as f64,
    }
}

fn time_all_at_once(run: &mut dyn FnMut() -> u64, operations: u64) -> (Vec<f64>, u64) {
    let start = Instant::now();
    let sum = run();
    let nanoseconds = start.elapsed().as_nanos() as f64;
    (vec![nanoseconds / operations as f64], sum)
}

fn time_one_by_one(run: &mut dyn FnMut() -> u64, operations: u64) -> (Vec<f64>, u64) {
    let mut times = Vec::with_capacity(operations as usize);
    let mut sum = 0;
    // The clock is read once for each operation, not twice: the end of one is the start of the
    // next.
    let mut last = Instant::now();
    for _ in 0..operations {
        sum += run();
        let now = Instant::now();
        times.push((now - last).as_nanos() as f64);
        last = now;
    }
    (times, sum)
}

fn summarise(contender: &Contender, turns: &[Turn]) -> Figures {
    let medians: Vec<f64> = turns.iter().map(|turn| turn.median).collect();
    let p99s: Vec<f64> = turns.iter().filter_map(|turn| turn.p99).collect();
    let cpus: Vec<f64> = turns.iter().map(|turn| turn.cpu).collect();
    Figures {
        name: contender.name,
        role: contender.role,
        target: contender.target,
        operations: contender.operations,
        median_ns: stats::median(&medians),
        min_ns: stats::min(&medians),
        max_ns: stats::max(&medians),
        // The median of the rounds' own p99, so that one interrupted round does not become
        // everybody's tail.
        p99_ns: (!p99s.is_empty()).then(|| stats::median(&p99s)),
        cpu_ns: stats::median(&cpus),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line_up::LineUp;

    #[test]
    fn every_round_begins_one_further_on_and_every_second_goes_backwards() {
        let orders: Vec<Vec<usize>> = (0..4).map(|round| order_of(round, 3).collect()).collect();
        assert_eq!(orders, [[0, 1, 2], [1, 0, 2], [2, 0, 1], [0, 2, 1]]);
    }

    #[test]
    #[should_panic(expected = "the results of a liar do not add up")]
    fn a_wrong_sum_ends_the_run() {
        let mut line_up = LineUp::throughput(10, 45).peer("a liar", || 44);
        take_turn(&mut line_up.contenders[0], line_up.measure);
    }

    #[test]
    fn a_turn_that_tells_its_times_is_taken_at_its_word() {
        let times = || (1..=200).map(Duration::from_nanos).collect();
        let mut line_up = LineUp::told(200).peer_told("a clock", times);
        let turn = take_turn(&mut line_up.contenders[0], line_up.measure);
        assert_eq!((turn.median, turn.p99), (100.0, Some(198.0)));
    }

    #[test]
    fn a_latency_turn_times_every_operation() {
        let mut line_up = LineUp::latency(100).peer("a loop", || 1);
        let turn = take_turn(&mut line_up.contenders[0], line_up.measure);
        assert!(turn.p99.expect("operations were timed one by one") >= turn.median);
    }
}
