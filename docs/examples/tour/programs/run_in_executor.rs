//! Eight blocking calls of half a second on a pool of four, awaited from a task.
//!
//! **Python:** `loop.run_in_executor(pool, function, argument)` takes no keyword arguments, and the
//! future that it returns cannot stop a call that has begun.
//!
//! **Better here:** the bridge is no function at all. A job's handle is a future, so `.await` it, in
//! this executor or in another one. (`submit_with` hands a token to the job, by which it can be asked
//! to stop: see the program `one_budget`.)

use std::error::Error;
use std::time::Duration;

use handspun::{ThreadPool, join_all};

use crate::expected::Expected;
use crate::pace::sleep;
use crate::stage::{Program, Stage};

/// Blocks its thread, as existing code does.
fn blocking_work(x: u32) -> u32 {
    sleep(Duration::from_millis(500));
    x * 10
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let pool = ThreadPool::builder().threads(4).observer(stage.observer()).build()?;
    stage.executor().run(async {
        let jobs = (0..8).map(|x| pool.submit(move || blocking_work(x)));
        let results = join_all(jobs).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        stage.say(format_args!("{results:?}"));
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "run_in_executor",
    title: "Blocking calls, awaited",
    shows: "Eight calls block a thread for 0.5 s each. A pool of four runs them in two rounds, while \
            the executor's own thread is free.",
    ideal: Some(Duration::from_secs(1)),
    is_async: false,
    has_children: false,
    run,
    expected: || Expected::Exactly(vec!["[0, 10, 20, 30, 40, 50, 60, 70]".to_owned()]),
    source: file!(),
};
