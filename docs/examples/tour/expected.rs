//! What a program should have said, and the words for how it differs from what it did say.
//!
//! Knows nothing of time: what comes out must be right on a busy machine too.

use std::fmt::Write;

pub(crate) enum Expected {
    /// These lines, in this order.
    Exactly(Vec<String>),
    /// These lines. Which one comes first is up to the threads.
    InAnyOrder(Vec<String>),
    /// This line as often as time allows, and then those.
    After(&'static str, Vec<String>),
}

impl Expected {
    /// `Err` says what differs, a line for each difference.
    pub(crate) fn check(self, said: &[String]) -> Result<(), String> {
        let (expected, order_matters, said) = match self {
            Self::Exactly(lines) => (lines, true, said),
            Self::InAnyOrder(lines) => (lines, false, said),
            Self::After(first, lines) => {
                let n_first = said.iter().take_while(|line| *line == first).count();
                (lines, true, &said[n_first..])
            }
        };

        // Each expected line strikes out one that was said, so that a line said twice is one too
        // many, and one said once instead of twice is missing.
        let mut surplus = said.to_vec();
        let mut missing = Vec::new();
        for line in &expected {
            match surplus.iter().position(|said| said == line) {
                Some(index) => drop(surplus.remove(index)),
                None => missing.push(line),
            }
        }

        let mut difference = String::new();
        if !missing.is_empty() || !surplus.is_empty() {
            difference.push_str("its output is not the expected one\n");
        } else if order_matters && expected != said {
            difference.push_str("its lines are right, but not in the right order\n");
            missing.extend(&expected);
            surplus.extend_from_slice(said);
        } else {
            return Ok(());
        }
        for line in missing {
            writeln!(difference, "  expected: {line}").expect("a String takes all that is written");
        }
        for line in surplus {
            writeln!(difference, "  said:     {line}").expect("a String takes all that is written");
        }
        Err(difference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn in_order(expected: &str, said: &str) -> Result<(), String> {
        Expected::Exactly(lines(expected)).check(&lines(said))
    }

    fn in_any_order(expected: &str, said: &str) -> Result<(), String> {
        Expected::InAnyOrder(lines(expected)).check(&lines(said))
    }

    #[test]
    fn what_was_expected_is_no_difference() {
        assert_eq!(in_order("a b b", "a b b"), Ok(()));
        assert_eq!(in_any_order("a b b", "b a b"), Ok(()));
    }

    #[test]
    fn order_counts_only_where_it_is_promised() {
        let difference = in_order("a b", "b a").expect_err("the order is wrong");
        assert!(difference.contains("not in the right order"), "{difference}");
    }

    #[test]
    fn what_comes_as_often_as_time_allows_comes_before_the_rest() {
        let check = |said| Expected::After("w", lines("a b")).check(&lines(said));
        assert_eq!((check("a b"), check("w w w a b")), (Ok(()), Ok(())));
        assert!(check("w a w b").is_err() && check("w b a").is_err() && check("w w").is_err());
    }

    #[test]
    fn a_missing_and_a_surplus_line_are_both_named() {
        for check in [in_order, in_any_order] {
            let difference = check("a b", "a c").expect_err("`c` is not `b`");
            assert!(difference.contains("expected: b\n"), "{difference}");
            assert!(difference.contains("said:     c\n"), "{difference}");
            assert!(!difference.contains(": a\n"), "{difference}");
        }
    }

    #[test]
    fn repeated_lines_are_counted() {
        assert!(in_any_order("a a b", "a b b").is_err());
        assert!(in_any_order("a", "a a").is_err());
        assert!(in_any_order("a a", "a").is_err());
    }
}
