//! # 15. A limit that moves
//!
//! ★★ · 40 minutes · [Choosing a limit](../guide/b-choosing-a-limit.md)
//!
//! Let the number of permits move by itself. After every hundred answers, compare their mean time inside with the best
//! mean so far: add one permit if it is at most 1.5 times as long, and take away a quarter of them (rounded down, and
//! at least one) if it is more. There is always one permit.

pub(crate) mod yours {
    use std::time::Duration;

    pub(crate) struct Limit {
        n_permits: usize,
    }

    impl Limit {
        pub(crate) fn new(n_permits: usize) -> Self {
            Self { n_permits }
        }

        /// An answer has come, after so long inside.
        pub(crate) fn answered(&mut self, _took: Duration) {}

        pub(crate) fn n_permits(&self) -> usize {
            self.n_permits
        }
    }
}

mod tests {
    use std::time::Duration;

    use crate::answers::a15::Limit;

    const MS: Duration = Duration::from_millis(1);

    fn hundred(limit: &mut Limit, took: Duration) -> usize {
        for _ in 0..100 {
            limit.answered(took);
        }
        limit.n_permits()
    }

    #[test]
    fn it_grows_by_one_while_the_time_inside_stays() {
        let mut limit = Limit::new(4);
        assert_eq!([(); 3].map(|()| hundred(&mut limit, 20 * MS)), [5, 6, 7]);
        assert_eq!(hundred(&mut limit, 30 * MS), 8, "1.5 times as long is not too long");
    }

    #[test]
    fn it_shrinks_by_a_quarter_when_the_service_is_slow() {
        let mut limit = Limit::new(40);
        hundred(&mut limit, 20 * MS);
        assert_eq!([(); 3].map(|()| hundred(&mut limit, 31 * MS)), [31, 24, 18]);
    }

    #[test]
    fn it_looks_at_means_and_not_at_single_answers() {
        let mut limit = Limit::new(4);
        hundred(&mut limit, 20 * MS);
        for n in 0..100 {
            limit.answered(if n == 0 { 500 * MS } else { 20 * MS });
        }
        assert_eq!(limit.n_permits(), 6);
    }

    #[test]
    fn one_permit_is_always_left() {
        let mut limit = Limit::new(3);
        hundred(&mut limit, MS);
        for _ in 0..10 {
            hundred(&mut limit, 100 * MS);
        }
        assert_eq!(limit.n_permits(), 1);
    }

    #[test]
    fn it_finds_the_knee_of_a_service() {
        // Four servers that need 10 ms each, and a way of 10 ms: the law says eight.
        let mut limit = Limit::new(1);
        let mut seen = Vec::new();
        for _ in 0..200 {
            let n = u32::try_from(limit.n_permits()).unwrap();
            seen.push(hundred(&mut limit, (20 * MS).max(n * 10 * MS / 4)));
        }
        assert!(seen[50..].iter().all(|n| (8..=13).contains(n)), "{seen:?}");
    }
}
