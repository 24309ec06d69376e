//! What was accepted, what is counted now, and how the two compare.

use std::collections::BTreeMap;
use std::fmt;

/// A change by no more than so many of a hundred is no news.
const TOLERANCE: u64 = 5;

/// The instructions of one operation, by path, and what they depend on besides the code.
#[derive(Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) compiler: String,
    pub(crate) machine: String,
    pub(crate) of_paths: BTreeMap<String, u64>,
}

impl Counts {
    /// Reads the file in which they were accepted.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let fields: BTreeMap<_, _> = lines.filter_map(|line| line.split_once(' ')).collect();
        let of_paths = fields.iter().filter(|(name, _)| !["compiler", "machine"].contains(name));
        let parse =
            |(name, count): (&&str, &&str)| Some((name.to_string(), count.trim().parse().ok()?));
        Some(Self {
            compiler: fields.get("compiler")?.to_string(),
            machine: fields.get("machine")?.to_string(),
            of_paths: of_paths.map(parse).collect::<Option<_>>()?,
        })
    }

    /// How each path has changed, in the order of `paths`.
    pub(crate) fn compare<'a>(&self, now: &'a Counts) -> Vec<Change<'a>> {
        let change = |(name, now): (&'a String, &u64)| Change {
            name,
            accepted: self.of_paths.get(name).copied(),
            now: *now,
        };
        now.of_paths.iter().map(change).collect()
    }
}

/// The file in which they are accepted.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Instructions for one operation, counted by callgrind. Written by:")?;
        writeln!(
            f,
            "#   cargo run --release --manifest-path benches/guard/Cargo.toml -- --accept"
        )?;
        writeln!(f, "compiler {}\nmachine {}\n", self.compiler, self.machine)?;
        for (name, count) in &self.of_paths {
            writeln!(f, "{name:<20} {count}")?;
        }
        Ok(())
    }
}

/// One path, before and now.
pub(crate) struct Change<'a> {
    name: &'a str,
    /// `None` for a path that is new.
    accepted: Option<u64>,
    now: u64,
}

impl Change<'_> {
    pub(crate) fn is_worse(&self) -> bool {
        self.accepted.is_some_and(|accepted| 100 * self.now > (100 + TOLERANCE) * accepted)
    }

    /// Better by so much that the file should say so, or new.
    pub(crate) fn is_to_be_accepted(&self) -> bool {
        self.accepted.is_none_or(|accepted| 100 * self.now < (100 - TOLERANCE) * accepted)
    }
}

impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accepted = self.accepted.map_or("new".to_owned(), |count| count.to_string());
        let by = self.accepted.map_or(String::new(), |accepted| {
            format!("{:+.1} %", (self.now as f64 / accepted as f64 - 1.0) * 100.0)
        });
        let verdict = if self.is_worse() { "  WORSE" } else { "" };
        write!(f, "{:<20} {accepted:>10} {:>10} {by:>9}{verdict}", self.name, self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of_paths: &[(&str, u64)]) -> Counts {
        let of_paths = of_paths.iter().map(|(name, count)| (name.to_string(), *count));
        Counts {
            compiler: "rustc 1.95.0 (abc 2026-04-14)".to_owned(),
            machine: "linux x86_64".to_owned(),
            of_paths: of_paths.collect(),
        }
    }

    #[test]
    fn what_is_accepted_is_read_back_as_it_was() {
        let accepted = counts(&[("a-path", 120), ("b", 7)]);
        assert_eq!(Counts::parse(&accepted.to_string()), Some(accepted));
    }

    #[test]
    fn a_file_with_a_word_for_a_number_is_refused() {
        assert_eq!(Counts::parse("compiler x\nmachine y\na many"), None);
        assert_eq!(Counts::parse("a 7"), None);
    }

    #[test]
    fn five_in_a_hundred_more_are_not_worse_and_six_are() {
        let is_worse = |now| counts(&[("a", 100)]).compare(&counts(&[("a", now)]))[0].is_worse();
        assert_eq!([95, 105, 106].map(is_worse), [false, false, true]);
    }

    #[test]
    fn what_is_much_better_or_new_is_to_be_accepted() {
        let before = counts(&[("a", 100)]);
        let is_news = |now: &Counts| before.compare(now)[0].is_to_be_accepted();
        assert!(is_news(&counts(&[("a", 94)])) && is_news(&counts(&[("b", 1)])));
        assert!(!is_news(&counts(&[("a", 95)])) && !is_news(&counts(&[("a", 200)])));
    }

    #[test]
    fn a_change_says_by_how_much() {
        let (before, now) = (counts(&[("a", 200)]), counts(&[("a", 230)]));
        let line = before.compare(&now)[0].to_string();
        assert_eq!(line, "a                           200        230   +15.0 %  WORSE");
    }
}
