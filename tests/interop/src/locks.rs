//! What `async-lock` has and we have not, on our executor.

use std::rc::Rc;
use std::sync::Arc;

use async_lock::{Barrier, Mutex, OnceCell, RwLock};
use handspun::{join_all, run, spawn, yield_now};

use crate::support::watched;

/// A158.
#[test]
fn a_foreign_mutex_lets_one_in() {
    watched(|| {
        run(async {
            let balance = Rc::new(Mutex::new(0));
            let deposit = async |balance: Rc<Mutex<u32>>| {
                let mut balance = balance.lock().await;
                let before = *balance;
                yield_now().await; // The others get a turn, and find it locked.
                *balance = before + 1;
            };
            let tasks = (0..100).map(|_| spawn(deposit(balance.clone())));
            join_all(tasks.collect::<Vec<_>>()).await;
            assert_eq!(*balance.lock().await, 100);
        });
    });
}

#[test]
fn readers_of_a_foreign_lock_are_in_together() {
    watched(|| {
        run(async {
            let (lock, barrier) = (Arc::new(RwLock::new(7)), Arc::new(Barrier::new(5)));
            let readers = (0..5).map(|_| {
                let (lock, barrier) = (lock.clone(), barrier.clone());
                spawn(async move {
                    let value = lock.read().await;
                    barrier.wait().await; // Nobody passes before all five hold the lock.
                    *value
                })
            });
            let read = join_all(readers.collect::<Vec<_>>()).await;
            assert!(read.into_iter().all(|value| value.unwrap() == 7));
            *lock.write().await = 8;
        });
    });
}

#[test]
fn a_foreign_cell_is_filled_once_by_whoever_comes_first() {
    watched(|| {
        run(async {
            let (cell, n_calls) = (Rc::new(OnceCell::new()), Rc::new(std::cell::Cell::new(0)));
            let tasks = (0..10).map(|_| {
                let (cell, n_calls) = (cell.clone(), n_calls.clone());
                spawn(async move {
                    *cell
                        .get_or_init(|| async {
                            yield_now().await;
                            n_calls.set(n_calls.get() + 1);
                            n_calls.get()
                        })
                        .await
                })
            });
            for filled in join_all(tasks.collect::<Vec<_>>()).await {
                assert_eq!(filled.unwrap(), 1);
            }
        });
    });
}
