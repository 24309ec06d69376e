//! When to stop before the end: `never`, or `now` or `soon` after some have failed, succeeded or ended.
//!
//! Knows nothing of children. It only counts.

use std::str::FromStr;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Halt {
    #[default]
    Never,
    When {
        is_now: bool,
        what: What,
        n: Count,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    Fail,
    Success,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Count {
    Of(usize),
    /// Of all inputs: so it can be reached only when their number is known.
    Percent(f64),
}

impl Halt {
    /// `--fail-fast`.
    pub(crate) const FIRST_FAILURE: Self =
        Self::When { is_now: true, what: What::Fail, n: Count::Of(1) };

    pub(crate) fn is_reached(
        self,
        n_done: usize,
        n_failed: usize,
        n_in_all: Option<usize>,
    ) -> bool {
        let Self::When { what, n, .. } = self else { return false };
        let so_far = match what {
            What::Fail => n_failed,
            What::Success => n_done - n_failed,
            What::Done => n_done,
        };
        match n {
            Count::Of(n) => so_far >= n,
            Count::Percent(percent) => n_in_all
                .is_some_and(|all| so_far > 0 && so_far as f64 * 100.0 >= percent * all as f64),
        }
    }

    /// Whether it ends what is running, too.
    pub(crate) fn is_now(self) -> bool {
        matches!(self, Self::When { is_now: true, .. })
    }
}

impl FromStr for Halt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        parse(text).ok_or_else(|| {
            format!("`{text}` is no `--halt`: never, or now|soon,fail|success|done=N or =N%")
        })
    }
}

fn parse(text: &str) -> Option<Halt> {
    let (when, condition) = text.split_once(',')?;
    let (what, n) = condition.split_once('=')?;
    let is_now = match when {
        "now" => true,
        "soon" => false,
        _ => return None,
    };
    let what = match what {
        "fail" => What::Fail,
        "success" => What::Success,
        "done" => What::Done,
        _ => return None,
    };
    let n = match n.strip_suffix('%') {
        Some(percent) => {
            Count::Percent(percent.parse().ok().filter(|p| (0.0..=100.0).contains(p))?)
        }
        None => Count::Of(n.parse().ok().filter(|n| *n > 0)?),
    };
    Some(Halt::When { is_now, what, n })
}
