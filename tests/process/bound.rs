//! The hard bound: timeout + grace + kill-wait + pipe-grace, whatever the tree does.

use std::time::Duration;

use handspun::process::{Child, Command, Signal};

use crate::setup::{CHILD, SECOND, child};
use crate::support::watched;

/// How many trees, at once: the bound is one of time, and most of it is waiting.
const TREES: usize = 60;
/// What a busy machine may add: a hundred floods share few cores with the driver, and with other tests,
/// one of which starts a thousand children. Without a bound it would be 50 minutes.
const SLACK: Duration = Duration::from_secs(6);

const TIMEOUT: Duration = Duration::from_millis(300);
const GRACE: Duration = Duration::from_millis(100);
const PIPE_GRACE: Duration = Duration::from_millis(200);

struct Rng(u64);

impl Rng {
    /// A number below `n`.
    fn roll(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// Orders for a random tree, which may do the worst.
    fn tree(&mut self, depth: u64, orders: &mut String) {
        for _ in 0..=self.roll(4) {
            let order = match self.roll(12) {
                0 => "ignore 15",
                1 => "ignore 2",
                2 => "trap 0",
                3 => "flood 200000",
                4 => "close",
                5 => "stop",
                6 => "say hi",
                7 => "sleep 100",
                8..12 if depth > 0 => {
                    let leaves_group = self.roll(4) == 0;
                    *orders += if leaves_group { " [ " } else { " ( " };
                    self.tree(depth - 1, orders);
                    if leaves_group { " ] " } else { " ) " }
                }
                _ => "warn oh",
            };
            *orders += &format!(" {order} ");
        }
        *orders += match self.roll(4) {
            0 => " exit 0 ",
            1 => " flood 100000000000 ",
            _ => " sleep 3000 ",
        };
    }
}

fn start(seed: u64) -> (String, Child) {
    let (mut rng, mut orders) = (Rng(seed), String::new());
    rng.tree(3, &mut orders);
    let signal = [Signal::INT, Signal::TERM][rng.roll(2) as usize];
    let mut command = child(&orders).timeout(TIMEOUT).kill_policy(signal, GRACE);
    if rng.roll(3) == 0 {
        command = command.merge_stderr();
    }
    (orders, command.spawn().unwrap())
}

/// S46.
#[test]
fn no_tree_outlives_the_bound() {
    watched(|| {
        let bound = TIMEOUT + GRACE + SECOND + PIPE_GRACE + SLACK;
        let children: Vec<_> = (0..TREES as u64).map(start).collect();
        for (orders, child) in children {
            let outcome = child.wait();
            assert!(outcome.wall <= bound, "{:?} for {orders}", outcome.wall);
        }
    });
}

/// S46, to the point: each of the ways in which the tools of the field hang.
#[test]
fn the_traps_of_the_field_do_not_hold_us() {
    watched(|| {
        let shell = |script: &str| Command::new("sh").args(["-c", script]);
        let traps = [
            shell("echo hi; sleep 25 & exit 0"),
            shell("trap '' TERM; sleep 25 & sleep 25")
                .timeout(TIMEOUT)
                .kill_policy(Signal::TERM, GRACE),
            shell("sleep 25 | sleep 25").timeout(TIMEOUT),
            Command::new(CHILD).args(["stop"]).timeout(TIMEOUT),
        ];
        let children = traps.map(|mut command| command.spawn().unwrap());
        for child in children {
            let outcome = child.wait();
            assert!(outcome.wall < 10 * SECOND, "{outcome:?}");
        }
    });
}
