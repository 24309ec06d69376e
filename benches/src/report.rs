//! What a run found out, as data: the JSON document holds it all, and tables and pictures are made of
//! nothing else.

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::line_up::{Measure, Role};
use crate::rows::Row;
use crate::stats::{self, Interval};

/// All that a run found out.
#[derive(Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) facts: Facts,
    pub(crate) rows: Vec<RowReport>,
    pub(crate) curves: Vec<CurveReport>,
}

impl Report {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers and strings can always be written as JSON")
    }

    pub(crate) fn from_json(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// Notes what an earlier run had found.
    pub(crate) fn compare_with(&mut self, earlier: &Self) {
        for row in &mut self.rows {
            for placed in &mut row.field.contenders {
                let before = earlier.placed(&row.name, &placed.figures.name);
                placed.before = before
                    .and_then(|it| Some(Before { ratio: it.to_best_peer, verdict: it.verdict? }));
            }
        }
        let commit = earlier.facts.commit.as_deref().unwrap_or("an unknown commit");
        let (n_equal, n_compared) = self.n_equal_verdicts();
        self.facts.after = Some(format!(
            "{}, of {commit}; {n_equal} of {n_compared} verdicts are the same in both runs",
            earlier.facts.date
        ));
    }

    /// How many verdicts an earlier run had come to as well, and of how many.
    fn n_equal_verdicts(&self) -> (usize, usize) {
        let all = self.rows.iter().flat_map(|row| &row.field.contenders);
        let compared = all.filter_map(|placed| Some((placed.verdict?, placed.before.as_ref()?)));
        let is_equal = compared.map(|(verdict, before)| verdict == before.verdict);
        is_equal.fold((0, 0), |(n_equal, n), is_equal| (n_equal + usize::from(is_equal), n + 1))
    }

    fn placed(&self, row: &str, contender: &str) -> Option<&Placed> {
        let row = self.rows.iter().find(|one| one.name == row)?;
        row.field.contenders.iter().find(|placed| placed.figures.name == contender)
    }
}

/// The answer to one question.
#[derive(Serialize, Deserialize)]
pub(crate) struct RowReport {
    pub(crate) name: String,
    pub(crate) question: String,
    #[serde(flatten)]
    pub(crate) field: Field,
}

impl RowReport {
    pub(crate) fn new(row: &Row, field: Field) -> Self {
        Self { name: row.name.to_owned(), question: row.question.to_owned(), field }
    }
}

/// How something grows.
#[derive(Serialize, Deserialize)]
pub(crate) struct CurveReport {
    pub(crate) name: String,
    pub(crate) question: String,
    /// What there are ever more of.
    pub(crate) of: String,
    pub(crate) points: Vec<Point>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Point {
    /// How many there were.
    pub(crate) n: u64,
    #[serde(flatten)]
    pub(crate) field: Field,
}

impl CurveReport {
    /// The contenders in the order of their line-up, with what one took at each point.
    pub(crate) fn lines(&self) -> Vec<Line<'_>> {
        let n_contenders = self.points.first().map_or(0, |point| point.field.contenders.len());
        (0..n_contenders).map(|index| self.line(index)).collect()
    }

    fn line(&self, index: usize) -> Line<'_> {
        let at = |point: &Point| (point.n, point.field.contenders[index].figures.median_ns);
        let first = &self.points[0].field.contenders[index].figures;
        let points = self.points.iter().map(at).collect();
        Line { name: &first.name, role: first.role, points }
    }
}

/// One contender on a curve.
pub(crate) struct Line<'report> {
    pub(crate) name: &'report str,
    pub(crate) role: Role,
    /// How many there were, and what one took, in nanoseconds.
    pub(crate) points: Vec<(u64, f64)>,
}

/// Everybody who answered one question, with the same work.
#[derive(Serialize, Deserialize)]
pub(crate) struct Field {
    pub(crate) measure: Measure,
    pub(crate) best_peer: String,
    pub(crate) contenders: Vec<Placed>,
}

/// What one contender took for one operation, over all rounds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// What our time ÷ the best peer's should be at most.
    pub(crate) target: Option<f64>,
    /// How many operations a round had.
    pub(crate) operations: u64,
    /// The middle one of the rounds.
    pub(crate) median_ns: f64,
    pub(crate) min_ns: f64,
    pub(crate) max_ns: f64,
    /// Only in rows where each operation has a time of its own.
    pub(crate) p99_ns: Option<f64>,
    pub(crate) p999_ns: Option<f64>,
    pub(crate) cpu_ns: f64,
    /// Each round, in the order in which they were run: those of one process after those of another.
    pub(crate) rounds_ns: Vec<f64>,
    pub(crate) n_processes: usize,
}

impl Figures {
    /// The figures of one contender from several processes, each of which had as many rounds.
    fn of_all(parts: &[&Self]) -> Self {
        let rounds_ns = parts.iter().flat_map(|part| &part.rounds_ns).copied().collect::<Vec<_>>();
        let of = |figure: fn(&Self) -> Option<f64>| {
            let figures: Vec<f64> = parts.iter().copied().filter_map(figure).collect();
            (!figures.is_empty()).then(|| stats::median(&figures))
        };
        Self {
            name: parts[0].name.clone(),
            role: parts[0].role,
            target: parts[0].target,
            operations: parts[0].operations,
            median_ns: stats::median(&rounds_ns),
            min_ns: stats::min(&rounds_ns),
            max_ns: stats::max(&rounds_ns),
            p99_ns: of(|part| part.p99_ns),
            p999_ns: of(|part| part.p999_ns),
            cpu_ns: of(|part| Some(part.cpu_ns)).expect("there is one process at least"),
            rounds_ns,
            n_processes: parts.iter().map(|part| part.n_processes).sum(),
        }
    }
}

/// A contender's figures, and where they put it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Placed {
    #[serde(flatten)]
    pub(crate) figures: Figures,
    /// The median of the rounds' own ratios, this ÷ the best peer: lower is better.
    pub(crate) to_best_peer: f64,
    /// Where that ratio lies, if there were rounds without end.
    pub(crate) interval: Interval,
    /// `None` without a target.
    pub(crate) verdict: Option<Verdict>,
    /// What an earlier run had found, if it is compared with one, and there is a target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Before>,
}

/// How a contender stood in an earlier run.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before {
    pub(crate) ratio: f64,
    pub(crate) verdict: Verdict,
}

/// With fewer rounds, even the whole range from the best to the worst misses the true median more often
/// than once in 100: both ends lie on the same side of it in 2 of 2⁸ cases.
const ROUNDS_FOR_A_VERDICT: usize = 8;

/// By so much more than the target, a ratio still meets it: less of a difference matters to no user, and where both
/// wait for the same (a clock, a child, the work itself), more of it is left to chance.
const MARGIN: f64 = 0.03;

/// Is the target met?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The whole interval is at the target or below, or above it by the margin at most.
    Met,
    /// The whole interval is above the target, and reaches beyond the margin.
    Missed,
    /// The interval begins below the target and ends beyond the margin, or there were too few rounds for one: it is
    /// too noisy to say.
    Open,
}

impl Verdict {
    fn of(interval: Interval, n_rounds: usize, target: f64) -> Self {
        if n_rounds < ROUNDS_FOR_A_VERDICT {
            Verdict::Open
        } else if interval.high <= target * (1.0 + MARGIN) {
            Verdict::Met
        } else if interval.low > target {
            Verdict::Missed
        } else {
            Verdict::Open
        }
    }
}

impl Field {
    /// The best peer is the one with the lowest median. Of several that are equally good, noise makes
    /// one look better than it is, so that this rather harms us.
    pub(crate) fn new(measure: Measure, contenders: Vec<Figures>) -> Self {
        let peers = contenders.iter().filter(|figures| figures.role == Role::Peer);
        let best = peers
            .min_by(|left, right| left.median_ns.total_cmp(&right.median_ns))
            .expect("every row has a peer");
        let (best_peer, best_ns) = (best.name.clone(), best.rounds_ns.clone());
        let contenders = contenders.into_iter().map(|figures| place(figures, &best_ns)).collect();
        Self { measure, best_peer, contenders }
    }

    /// The same field, measured in several processes.
    pub(crate) fn of_all(parts: &[Self]) -> Self {
        let of = |index: usize| {
            let figures: Vec<_> =
                parts.iter().map(|part| &part.contenders[index].figures).collect();
            Figures::of_all(&figures)
        };
        let figures = (0..parts[0].contenders.len()).map(of).collect();
        Self::new(parts[0].measure, figures)
    }

    /// Whether no target is open any more.
    pub(crate) fn is_decided(&self) -> bool {
        self.contenders.iter().all(|placed| placed.verdict != Some(Verdict::Open))
    }

    pub(crate) fn n_rounds(&self) -> usize {
        self.contenders.first().map_or(0, |placed| placed.figures.rounds_ns.len())
    }
}

fn place(figures: Figures, best_ns: &[f64]) -> Placed {
    let ratios = stats::paired_ratios(&figures.rounds_ns, best_ns);
    let interval = stats::interval_of_median(&ratios, figures.n_processes);
    Placed {
        to_best_peer: stats::median(&ratios),
        interval,
        verdict: figures.target.map(|target| Verdict::of(interval, ratios.len(), target)),
        before: None,
        figures,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::line_up::Scale;

    pub(crate) fn figures(name: &str, role: Role, rounds_ns: &[f64]) -> Figures {
        Figures {
            name: name.to_owned(),
            role,
            target: None,
            operations: 1,
            median_ns: stats::median(rounds_ns),
            min_ns: stats::min(rounds_ns),
            max_ns: stats::max(rounds_ns),
            p99_ns: None,
            p999_ns: None,
            cpu_ns: 0.0,
            rounds_ns: rounds_ns.to_vec(),
            n_processes: 1,
        }
    }

    /// Ours, with a target, against one peer that takes 100 ns in each round.
    pub(crate) fn duel(ours_ns: &[f64], target: f64) -> Field {
        let ours = Figures { target: Some(target), ..figures("handspun", Role::Ours, ours_ns) };
        let peer = figures("peer", Role::Peer, &vec![100.0; ours_ns.len()]);
        Field::new(Measure::Throughput, vec![ours, peer])
    }

    #[test]
    fn a_baseline_is_never_the_best_peer() {
        let contenders = vec![
            figures("handspun", Role::Ours, &[50.0]),
            figures("slow peer", Role::Peer, &[200.0]),
            figures("fast peer", Role::Peer, &[100.0]),
            figures("plain loop", Role::Baseline, &[1.0]),
        ];
        let field = Field::new(Measure::Throughput, contenders);
        assert_eq!(field.best_peer, "fast peer");
        assert_eq!(field.contenders[0].to_best_peer, 0.5);
    }

    #[test]
    fn a_target_within_a_wide_interval_is_left_open() {
        let verdict = |ours: &[f64]| duel(&ours.repeat(3), 0.8).contenders[0].verdict;
        assert_eq!(verdict(&[70.0, 75.0, 80.0]), Some(Verdict::Met));
        assert_eq!(verdict(&[78.0, 81.0, 82.0]), Some(Verdict::Met), "by three hundredths at most");
        assert_eq!(verdict(&[81.0, 90.0, 95.0]), Some(Verdict::Missed));
        assert_eq!(verdict(&[75.0, 78.0, 90.0]), Some(Verdict::Open));
        assert!(!duel(&[75.0, 78.0, 90.0].repeat(3), 0.8).is_decided());
    }

    #[test]
    fn seven_rounds_are_too_few_for_a_verdict_and_eight_are_not() {
        let verdict = |n| duel(&vec![50.0; n], 0.8).contenders[0].verdict;
        assert_eq!([7, 8].map(verdict), [Some(Verdict::Open), Some(Verdict::Met)]);
    }

    fn report(ours_ns: &[f64]) -> Report {
        let (name, question) = ("a".to_owned(), "b?".to_owned());
        let rows = vec![RowReport { name, question, field: duel(ours_ns, 0.8) }];
        Report { facts: Facts::gather(Scale::Quick, None), rows, curves: Vec::new() }
    }

    #[test]
    fn a_run_tells_which_verdicts_an_earlier_one_had_come_to() {
        let verdict_after = |earlier: f64, later: f64| {
            let mut run = report(&[later; 8]);
            run.compare_with(&report(&[earlier; 8]));
            let [ours, peer] = &run.rows[0].field.contenders[..] else { panic!("two of them") };
            assert!(peer.before.is_none(), "it has no target");
            let before = ours.before.as_ref().map(|it| it.verdict);
            (before, ours.verdict, run.n_equal_verdicts())
        };
        use Verdict::{Met, Missed};
        assert_eq!(verdict_after(70.0, 75.0), (Some(Met), Some(Met), (1, 1)));
        assert_eq!(verdict_after(90.0, 95.0), (Some(Missed), Some(Missed), (1, 1)));
        assert_eq!(verdict_after(90.0, 70.0), (Some(Missed), Some(Met), (0, 1)));
        assert_eq!(verdict_after(70.0, 90.0), (Some(Met), Some(Missed), (0, 1)));
    }

    #[test]
    fn a_report_comes_back_from_its_json_as_it_was() {
        let row = RowReport {
            name: "a".to_owned(),
            question: "b?".to_owned(),
            field: duel(&[75.0, 78.5], 0.76),
        };
        let json = serde_json::to_string(&row).expect("it can be written");
        let back: RowReport = serde_json::from_str(&json).expect("it can be read");
        assert_eq!(serde_json::to_string(&back).expect("it can be written"), json);
        assert_eq!(back.field.contenders[0].verdict, Some(Verdict::Open));
    }
}
