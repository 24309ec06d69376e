//! A semaphore beside the plainest thing that does the same, under thousands of random programs.

use std::collections::VecDeque;
use std::task::Poll;

use handspun::{Closed, Permit, Semaphore};

use crate::setup::{Polled, Rng};

type Acquire<'s> = Polled<'s, Result<Permit<'s>, Closed>>;

/// What a semaphore should be: a count, and a list in which each says how much it needs.
#[derive(Default)]
struct Model {
    n_free: usize,
    line: VecDeque<(usize, usize)>,
    served: Vec<(usize, usize)>,
}

impl Model {
    fn serve(&mut self) {
        while let Some((name, n)) = self.line.front().copied().filter(|(_, n)| *n <= self.n_free) {
            self.line.pop_front();
            self.n_free -= n;
            self.served.push((name, n));
        }
    }

    fn give(&mut self, n: usize) {
        self.n_free += n;
        self.serve();
    }

    fn is_granted(&self, name: usize) -> bool {
        self.served.iter().any(|(served, _)| *served == name)
    }

    /// It goes, and with it what it was served.
    fn leave(&mut self, name: usize) {
        self.line.retain(|(waiting, _)| *waiting != name);
        let at = self.served.iter().position(|(served, _)| *served == name);
        let n = at.map_or(0, |at| self.served.swap_remove(at).1);
        self.give(n);
    }
}

/// Both of them, those who wait, and those who hold permits.
struct Pair<'s> {
    semaphore: &'s Semaphore,
    model: Model,
    /// Each with its name in the model and the number that it wants.
    waiting: Vec<(usize, usize, Acquire<'s>)>,
    permits: Vec<(usize, Permit<'s>)>,
    n_names: usize,
}

impl Pair<'_> {
    fn acquire(&mut self, n: usize) {
        let name = self.n_names;
        self.n_names += 1;
        // Whoever wants none overtakes everybody.
        if n == 0 {
            self.model.served.push((name, 0))
        } else {
            self.model.line.push_back((name, n))
        }
        self.model.serve();
        self.waiting.push((name, n, Polled::new(self.semaphore.acquire_many(n))));
        self.poll(self.waiting.len() - 1);
    }

    fn poll(&mut self, at: usize) {
        let (name, n, acquire) = &mut self.waiting[at];
        let polled = acquire.poll();
        assert_eq!(polled.is_ready(), self.model.is_granted(*name));
        if let Poll::Ready(permit) = polled {
            self.permits.push((*n, permit.unwrap()));
            self.model.served.retain(|(served, _)| served != name);
            self.waiting.swap_remove(at);
        }
    }

    fn give_up(&mut self, at: usize) {
        let (name, _, acquire) = self.waiting.swap_remove(at);
        drop(acquire);
        self.model.leave(name);
    }

    fn try_acquire(&mut self) {
        let is_free = self.model.n_free > 0 && self.model.line.is_empty();
        let permit = self.semaphore.try_acquire();
        assert_eq!(permit.is_ok(), is_free);
        self.model.n_free -= usize::from(is_free);
        self.permits.extend(permit.map(|permit| (1, permit)));
    }

    fn let_go(&mut self, at: usize) {
        let (n, permit) = self.permits.swap_remove(at);
        drop(permit);
        self.model.give(n);
    }

    /// Whoever was served has been woken, and nobody else.
    fn compare(&self) {
        assert_eq!(self.semaphore.available(), self.model.n_free);
        for (name, _, acquire) in &self.waiting {
            assert_eq!(acquire.wakes() > 0, self.model.is_granted(*name));
        }
    }
}

#[test]
fn a_semaphore_does_what_a_count_and_a_list_do() {
    for seed in 0..400 {
        let (mut rng, semaphore) = (Rng::of_seed(seed), Semaphore::new(seed as usize % 5));
        let model = Model { n_free: seed as usize % 5, ..Model::default() };
        let (waiting, permits) = (Vec::new(), Vec::new());
        let mut pair = Pair { semaphore: &semaphore, model, waiting, permits, n_names: 0 };
        for _ in 0..200 {
            let (n_waiting, n_permits) = (pair.waiting.len(), pair.permits.len());
            match rng.below(16) {
                0..4 => pair.acquire(rng.below(4)),
                4..7 if n_waiting > 0 => pair.poll(rng.below(n_waiting)),
                7..9 if n_waiting > 0 => pair.give_up(rng.below(n_waiting)),
                9..13 if n_permits > 0 => pair.let_go(rng.below(n_permits)),
                13 if n_permits > 0 => pair.permits.swap_remove(rng.below(n_permits)).1.forget(),
                14 if rng.below(4) == 0 => {
                    semaphore.add_permits(2);
                    pair.model.give(2);
                }
                _ => pair.try_acquire(),
            }
            pair.compare();
        }
    }
}
