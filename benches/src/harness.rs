//! How a row is measured: everybody in turn, round after round, until it is clear whether the target is
//! met.
//!
//! 1. The contenders of a row live in one process: while one of them works, the others are alive and
//!    asleep. A row has several processes, unless asked otherwise (`elsewhere`): where a thread or a heap lies is luck
//!    that lasts as long as the process does. And they are minutes apart, in passes through all rows: a machine
//!    that others use too has its moods, and they last for minutes.
//! 2. Interleaved: what the machine does to a round, it does to everybody. Each round begins with
//!    another contender, and every second one goes backwards, so that nobody always has the same
//!    neighbour before them.
//! 3. The first turn of each is a warm-up: it starts the lazy threads and is not counted.
//! 4. Every turn's results are added up and checked. A wrong sum ends the run.
//! 5. To look at an interval after each round, and to stop when it pleases, is to choose it. So it is looked
//!    at after the processes asked for, and then only each time that they have doubled.

use std::thread;
use std::time::{Duration, Instant};

use crate::cpu;
use crate::line_up::{Contender, DOUBLINGS, LineUp, Measure, Run};
use crate::report::{Field, Figures};
use crate::stats;

/// How long everybody rests after a turn, so that workers that still look for more work have gone
/// to sleep.
const REST: Duration = Duration::from_millis(2);

/// How long to go on.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// So many rounds in each process.
    pub(crate) rounds: u32,
    /// So many processes, in any case.
    pub(crate) processes: usize,
    /// More of them only while the row has taken less than this.
    pub(crate) within: Duration,
}

/// What one turn of one contender took, for one operation, in nanoseconds.
#[derive(Clone, Copy)]
struct Turn {
    median: f64,
    /// Only where each operation has a time of its own.
    tail: Option<Tail>,
    cpu: f64,
}

#[derive(Clone, Copy)]
struct Tail {
    p99: f64,
    p999: f64,
}

/// Gives everybody one turn as a warm-up and then as many that count.
pub(crate) fn measure(line_up: LineUp, rounds: u32) -> Field {
    let (measure, mut contenders) = (line_up.measure, line_up.contenders);
    for contender in &mut contenders {
        take_turn(contender, measure);
    }
    let mut turns: Vec<Vec<Turn>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for index in order_of(round as usize, contenders.len()) {
            turns[index].push(take_turn(&mut contenders[index], measure));
        }
    }
    let figures = contenders.iter().zip(&turns).map(|(who, turns)| summarise(who, turns));
    Field::new(measure, figures.collect())
}

/// A row that is being measured, in process after process, until its verdict is clear.
pub(crate) struct Measuring<M> {
    effort: Effort,
    measure_in_one: M,
    parts: Vec<Field>,
    took: Duration,
}

impl<M: FnMut() -> Field> Measuring<M> {
    pub(crate) fn new(effort: Effort, measure_in_one: M) -> Self {
        Self { effort, measure_in_one, parts: Vec::new(), took: Duration::ZERO }
    }

    /// One pass: doubles the number of processes. The field is there once its verdicts are clear, or there is no
    /// more time for them.
    pub(crate) fn go_on(&mut self) -> Option<Field> {
        let processes = self.effort.processes;
        let n_parts = self.parts.len();
        let enough = (2 * n_parts).max(1);
        let enough = if n_parts < processes { enough.min(processes) } else { enough };
        while self.parts.len() < enough && !self.is_late() {
            let start = Instant::now();
            self.parts.push((self.measure_in_one)());
            self.took += start.elapsed();
        }
        if self.parts.len() < processes {
            return None;
        }
        let field = Field::of_all(&self.parts);
        let is_over = self.is_late() || self.parts.len() >= processes << DOUBLINGS;
        (is_over || field.is_decided()).then_some(field)
    }

    /// Whether there have been all the processes asked for, and all the time.
    fn is_late(&self) -> bool {
        self.parts.len() >= self.effort.processes && self.took >= self.effort.within
    }
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
    let tail =
        || Tail { p99: stats::percentile(&times, 0.99), p999: stats::percentile(&times, 0.999) };
    Turn {
        median: stats::median(&times),
        tail: (times.len() > 1).then(tail),
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
    let rounds_ns: Vec<f64> = turns.iter().map(|turn| turn.median).collect();
    let cpus: Vec<f64> = turns.iter().map(|turn| turn.cpu).collect();
    let tails: Vec<Tail> = turns.iter().filter_map(|turn| turn.tail).collect();
    // The median of the rounds' own tails, so that one interrupted round does not become everybody's.
    let middle = |tail: fn(&Tail) -> f64| {
        let tails: Vec<f64> = tails.iter().map(tail).collect();
        (!tails.is_empty()).then(|| stats::median(&tails))
    };
    Figures {
        name: contender.name.to_owned(),
        role: contender.role,
        target: contender.target,
        operations: contender.operations,
        median_ns: stats::median(&rounds_ns),
        min_ns: stats::min(&rounds_ns),
        max_ns: stats::max(&rounds_ns),
        p99_ns: middle(|tail| tail.p99),
        p999_ns: middle(|tail| tail.p999),
        cpu_ns: stats::median(&cpus),
        rounds_ns,
        n_processes: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::duel;
    use std::iter;

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
        let times = || (1..=2_000).map(Duration::from_nanos).collect();
        let mut line_up = LineUp::told(2_000).peer_told("a clock", times);
        let turn = take_turn(&mut line_up.contenders[0], line_up.measure);
        let tail = turn.tail.expect("there are many times");
        assert_eq!([turn.median, tail.p99, tail.p999], [1_000.0, 1_980.0, 1_998.0]);
    }

    #[test]
    fn a_latency_turn_times_every_operation() {
        let mut line_up = LineUp::latency(100).peer("a loop", || 1);
        let turn = take_turn(&mut line_up.contenders[0], line_up.measure);
        assert!(turn.tail.expect("operations were timed one by one").p99 >= turn.median);
    }

    /// Fields of a contender that takes `ours_ns` in turn from process to process, against one that takes
    /// 100. Returns how many rounds there were.
    fn rounds_against(ours_ns: [f64; 2], effort: Effort) -> usize {
        let mut process = 0;
        let mut measuring = Measuring::new(effort, || {
            process += 1;
            duel(&vec![ours_ns[process % 2]; effort.rounds as usize], 1.0)
        });
        let field = iter::repeat_with(|| measuring.go_on()).flatten().next();
        let field = field.expect("it ends");
        field.n_rounds()
    }

    #[test]
    fn a_clear_verdict_takes_the_processes_asked_for_and_no_more() {
        let effort = Effort { rounds: 3, processes: 4, within: Duration::MAX };
        assert_eq!(rounds_against([50.0, 60.0], effort), 12);
        assert_eq!(rounds_against([150.0, 160.0], effort), 12);
    }

    #[test]
    fn the_processes_asked_for_come_in_passes() {
        let effort = Effort { rounds: 3, processes: 5, within: Duration::MAX };
        let mut measuring = Measuring::new(effort, || duel(&[50.0; 3], 1.0));
        let passes: Vec<_> =
            (0..4).map(|_| measuring.go_on().map(|field| field.n_rounds())).collect();
        assert_eq!(passes, [None, None, None, Some(15)], "after 1, 2, 4 and 5");
    }

    #[test]
    fn an_unclear_verdict_takes_more_processes_up_to_a_bound() {
        let effort = Effort { rounds: 3, processes: 4, within: Duration::MAX };
        assert_eq!(rounds_against([50.0, 150.0], effort), 96);
    }

    #[test]
    fn when_time_is_up_there_are_no_more_processes_than_asked_for() {
        let effort = Effort { rounds: 3, processes: 4, within: Duration::ZERO };
        assert_eq!(rounds_against([50.0, 150.0], effort), 12);
    }
}
