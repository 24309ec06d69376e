//! A queue beside the plainest thing that does the same, under thousands of random programs.

use std::collections::VecDeque;
use std::task::Poll;

use handspun::{Close, Closed, Item, Queue, TryError};

use crate::setup::{Polled, Rng};

/// What a queue should be: a list of items, and two lists of names. Whoever is served stands in
/// neither any more, but has not put or got anything yet.
#[derive(Default)]
struct Model {
    capacity: usize,
    items: VecDeque<usize>,
    putting: VecDeque<usize>,
    getting: VecDeque<usize>,
    granted_puts: Vec<usize>,
    granted_gets: Vec<usize>,
    is_closed: bool,
    n_in_hand: usize,
}

impl Model {
    fn serve(&mut self) {
        while self.items.len() + self.granted_puts.len() < self.capacity {
            let Some(name) = self.putting.pop_front() else { break };
            self.granted_puts.push(name);
        }
        while self.granted_gets.len() < self.items.len() {
            let Some(name) = self.getting.pop_front() else { break };
            self.granted_gets.push(name);
        }
    }

    fn is_over(&self) -> bool {
        self.is_closed && self.items.is_empty()
    }

    fn has_room(&self) -> bool {
        self.items.len() + self.granted_puts.len() < self.capacity
    }

    fn has_items(&self) -> bool {
        self.granted_gets.len() < self.items.len()
    }

    fn forget(&mut self, name: usize) {
        for line in [&mut self.putting, &mut self.getting] {
            line.retain(|other| *other != name);
        }
        for served in [&mut self.granted_puts, &mut self.granted_gets] {
            served.retain(|other| *other != name);
        }
        self.serve();
    }
}

type Put<'q> = Polled<'q, Result<(), Closed<usize>>>;
type Get<'q> = Polled<'q, Result<Item<'q, usize>, Closed>>;

struct Pair<'q> {
    queue: &'q Queue<usize>,
    model: Model,
    puts: Vec<(usize, Put<'q>)>,
    gets: Vec<(usize, Get<'q>)>,
    in_hand: Vec<Item<'q, usize>>,
    n_names: usize,
}

impl<'q> Pair<'q> {
    fn name(&mut self) -> usize {
        self.n_names += 1;
        self.n_names
    }

    /// The item has the name of its put.
    fn put(&mut self) {
        let name = self.name();
        self.model.putting.push_back(name);
        self.model.serve();
        self.puts.push((name, Polled::new(self.queue.put(name))));
        self.poll_put(self.puts.len() - 1);
    }

    fn poll_put(&mut self, at: usize) {
        let (name, put) = &mut self.puts[at];
        let name = *name;
        let is_granted = self.model.granted_puts.contains(&name);
        match put.poll() {
            Poll::Pending => return assert!(!is_granted && !self.model.is_closed),
            Poll::Ready(Ok(())) => {
                assert!(is_granted && !self.model.is_closed);
                self.model.items.push_back(name);
            }
            Poll::Ready(Err(closed)) => {
                assert!(self.model.is_closed && closed.into_inner() == name);
            }
        }
        self.puts.swap_remove(at);
        self.model.forget(name);
    }

    fn get(&mut self) {
        let name = self.name();
        self.model.getting.push_back(name);
        self.model.serve();
        self.gets.push((name, Polled::new(self.queue.get())));
        self.poll_get(self.gets.len() - 1);
    }

    fn poll_get(&mut self, at: usize) {
        let (name, get) = &mut self.gets[at];
        let (name, is_over) = (*name, self.model.is_over());
        let is_granted = self.model.granted_gets.contains(&name);
        match get.poll() {
            Poll::Pending => return assert!(!is_granted && !is_over),
            Poll::Ready(Ok(item)) => {
                assert!(is_granted && self.model.items.pop_front() == Some(*item));
                self.take(item);
            }
            Poll::Ready(Err(_closed)) => assert!(is_over),
        }
        self.gets.swap_remove(at);
        self.model.forget(name);
    }

    fn take(&mut self, item: Item<'q, usize>) {
        self.in_hand.push(item);
        self.model.n_in_hand += 1;
    }

    fn try_put(&mut self) {
        let name = self.name();
        match self.queue.try_put(name) {
            Ok(()) => {
                assert!(!self.model.is_closed && self.model.has_room());
                self.model.items.push_back(name);
                self.model.serve();
            }
            Err(TryError::WouldBlock(item)) => {
                assert!(!self.model.is_closed && !self.model.has_room() && item == name);
            }
            Err(TryError::Closed(item)) => assert!(self.model.is_closed && item == name),
        }
    }

    fn try_get(&mut self) {
        match self.queue.try_get() {
            Ok(item) => {
                assert!(self.model.has_items() && self.model.items.pop_front() == Some(*item));
                self.take(item);
                self.model.serve();
            }
            Err(TryError::WouldBlock(())) => {
                assert!(!self.model.has_items() && !self.model.is_over())
            }
            Err(TryError::Closed(())) => assert!(self.model.is_over()),
        }
    }

    fn close(&mut self, how: Close) {
        self.queue.close(how);
        self.model.is_closed = true;
        if how == Close::Discard {
            self.model.items.clear();
        }
    }

    /// Everybody has been woken who is served, or to be told of the end, and nobody else.
    fn compare(&self) {
        let (model, n_items) = (&self.model, self.model.items.len());
        assert_eq!((self.queue.len(), self.queue.is_closed()), (n_items, model.is_closed));
        assert_eq!(self.queue.unfinished(), n_items + model.n_in_hand);
        for (name, put) in &self.puts {
            assert_eq!(put.wakes() > 0, model.is_closed || model.granted_puts.contains(name));
        }
        for (name, get) in &self.gets {
            assert_eq!(get.wakes() > 0, model.is_over() || model.granted_gets.contains(name));
        }
    }
}

fn one_step(pair: &mut Pair<'_>, rng: &mut Rng) {
    let (n_puts, n_gets, n_in_hand) = (pair.puts.len(), pair.gets.len(), pair.in_hand.len());
    match rng.below(20) {
        0..4 => pair.put(),
        4..8 => pair.get(),
        8..10 if n_puts > 0 => pair.poll_put(rng.below(n_puts)),
        10..12 if n_gets > 0 => pair.poll_get(rng.below(n_gets)),
        12 if n_puts > 0 => {
            let (name, put) = pair.puts.swap_remove(rng.below(n_puts));
            drop(put);
            pair.model.forget(name);
        }
        13 if n_gets > 0 => {
            let (name, get) = pair.gets.swap_remove(rng.below(n_gets));
            drop(get);
            pair.model.forget(name);
        }
        14..17 if n_in_hand > 0 => {
            drop(pair.in_hand.swap_remove(rng.below(n_in_hand)));
            pair.model.n_in_hand -= 1;
        }
        17 => pair.try_put(),
        18 if rng.below(20) == 0 => pair.close(Close::Drain),
        18 if rng.below(60) == 0 => pair.close(Close::Discard),
        _ => pair.try_get(),
    }
}

#[test]
fn a_queue_does_what_three_lists_do() {
    for seed in 0..600 {
        let (mut rng, capacity) = (Rng::of_seed(seed), 1 + seed as usize % 4);
        let queue = Queue::bounded(capacity);
        let model = Model { capacity, ..Model::default() };
        let (puts, gets, in_hand) = (Vec::new(), Vec::new(), Vec::new());
        let mut pair = Pair { queue: &queue, model, puts, gets, in_hand, n_names: 0 };
        for _ in 0..150 {
            one_step(&mut pair, &mut rng);
            pair.compare();
        }
    }
}
