//! Ten blocking calls on a pool of four, while the executor's thread does something else.
//!
//! **Python:** the loop goes on while the pool's threads block, as long as everybody remembers never to
//! block in a coroutine. One `time.sleep` there, and all tasks stand still, and only the debug mode
//! says so.
//!
//! **Better here:** the same bridge. And if a task does block the thread, the executor's observer is
//! told of it, with the task's name and the line that spawned it.

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use handspun::{ThreadPool, join_all, spawn_named};

use crate::expected::Expected;
use crate::pace::{pause, sleep};
use crate::stage::{Program, Stage};

/// Blocks its thread, as existing code does.
fn blocking_io(x: u32) -> String {
    sleep(Duration::from_millis(500));
    format!("blocking {x}")
}

async fn heartbeat(n_beats: Rc<Cell<u32>>) {
    loop {
        pause(Duration::from_millis(100)).await;
        n_beats.set(n_beats.get() + 1);
    }
}

fn run(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let pool = ThreadPool::builder().threads(4).observer(stage.observer()).build()?;
    stage.executor().run(async {
        let n_beats = Rc::new(Cell::new(0));
        let heart = spawn_named("heartbeat", heartbeat(n_beats.clone())).cancel_on_drop();
        let jobs = (0..10).map(|x| pool.submit(move || blocking_io(x)));
        for line in join_all(jobs).await {
            stage.say(line?);
        }
        drop(heart);
        let does_beat = n_beats.get() > 0;
        stage.say(format_args!("the loop went on meanwhile: {does_beat}"));
        Ok(())
    })
}

pub(crate) const PROGRAM: Program = Program {
    name: "blocking_io",
    title: "Blocking calls that do not freeze the loop",
    shows: "Ten calls block a thread for 0.5 s each, on a pool of four: three rounds. A task beats every \
            0.1 s meanwhile, on the thread that awaits them.",
    ideal: Some(Duration::from_millis(1500)),
    is_async: false,
    has_children: false,
    run,
    expected: || {
        let mut lines: Vec<_> = (0..10).map(|x| format!("blocking {x}")).collect();
        lines.push("the loop went on meanwhile: true".to_owned());
        Expected::Exactly(lines)
    },
    source: file!(),
};
