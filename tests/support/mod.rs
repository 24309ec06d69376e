//! What the tests arrange their schedules with: gates, a watchdog, and things that count.
//!
//! Knows nothing of what is tested. What must always hold: nothing here waits for a while and
//! hopes. A test says what must have happened, and a watchdog says so if it never does.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::pin::Pin;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

/// Far longer than any test takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test, and ends the whole process with its name if it hangs.
///
/// A hang cannot be unwound: the thread that hangs is not ours to stop.
pub(crate) fn watched(test: impl FnOnce()) {
    let (done, is_done) = mpsc::channel::<()>();
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let watchdog = thread::spawn(move || {
        if is_done.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Not `eprintln!`: the harness would keep that for the report that will not come.
            let _ = writeln!(io::stderr(), "`{name}` has hung for {PATIENCE:?}");
            process::abort();
        }
    });
    test();
    drop(done);
    watchdog.join().unwrap();
}

/// Looks again and again until it is so, for what nobody announces. The watchdog sees to the end.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}

/// Panics with a text, and prints nothing: a thousand panics leave the output of the tests readable.
pub(crate) fn panic_quietly(text: &'static str) -> ! {
    resume_unwind(Box::new(text))
}

/// The threads of this process whose names begin like this, as the system knows them: by the
/// first 15 bytes. Each is given as its folder below `/proc`.
pub(crate) fn threads_named(prefix: &str) -> Vec<PathBuf> {
    let threads = fs::read_dir("/proc/self/task").expect("the system lists our threads");
    let folders = threads.filter_map(|thread| Some(thread.ok()?.path()));
    // A thread that ended since it was listed has no name any more.
    let is_named = |folder: &PathBuf| {
        fs::read_to_string(folder.join("comm")).is_ok_and(|name| name.starts_with(prefix))
    };
    folders.filter(is_named).collect()
}

/// Runs a test in a process of its own that gets no more than so much address space.
///
/// `name` is the test that calls this: the other process runs it too, and there the body is run.
pub(crate) fn with_address_space_of(kib: usize, name: &str, test: impl FnOnce()) {
    const IS_LIMITED: &str = "HANDSPUN_TEST_IS_LIMITED";
    if env::var_os(IS_LIMITED).is_some() {
        return test();
    }
    let limited = format!("ulimit -v {kib} && exec \"$0\" --exact {name}");
    let mut shell = process::Command::new("sh");
    shell.arg("-c").arg(limited).arg(env::current_exe().unwrap()).env(IS_LIMITED, "yes");
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// A door that is shut until somebody opens it, for everyone and for good.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn closed() -> Self {
        Self::default()
    }

    pub(crate) fn open(&self) {
        let (is_open, opened) = &*self.0;
        *is_open.lock().unwrap() = true;
        opened.notify_all();
    }

    /// Blocks until the gate is open.
    pub(crate) fn pass(&self) {
        let (is_open, opened) = &*self.0;
        drop(opened.wait_while(is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
    }
}

/// A number that threads add to, and may wait for.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<(Mutex<usize>, Condvar)>);

impl Count {
    pub(crate) fn add_one(&self) {
        let (count, changed) = &*self.0;
        *count.lock().unwrap() += 1;
        changed.notify_all();
    }

    pub(crate) fn get(&self) -> usize {
        *self.0.0.lock().unwrap()
    }

    /// Blocks until the count is `n` or more.
    pub(crate) fn reach(&self, n: usize) {
        let (count, changed) = &*self.0;
        drop(changed.wait_while(count.lock().unwrap(), |count| *count < n).unwrap());
    }
}

/// Adds one to a count when it is dropped.
pub(crate) struct CountsDrop(pub(crate) Count);

impl Drop for CountsDrop {
    fn drop(&mut self) {
        self.0.add_one();
    }
}

/// Adds one to a count when it is dropped, and then panics.
pub(crate) struct PanicsWhenDropped(pub(crate) Count);

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        self.0.add_one();
        panic_quietly("a drop that panics");
    }
}

/// A waker that counts how often it was woken.
#[derive(Default)]
pub(crate) struct WakeCounter(AtomicUsize);

impl WakeCounter {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let counter = Arc::new(Self::default());
        (counter.clone(), counter.into())
    }

    pub(crate) fn wakes(&self) -> usize {
        self.0.load(Relaxed) // ORDERING: Relaxed. Whoever asks has been told of the wake in another way.
    }
}

impl Wake for WakeCounter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed); // ORDERING: Relaxed, as in `wakes`.
    }
}

pub(crate) fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// What a foreign executor runs.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The smallest executor that is not ours: a task that is woken goes back into a channel.
struct ForeignTask {
    future: Mutex<Option<Task>>,
    ready: mpsc::Sender<Arc<ForeignTask>>,
}

impl Wake for ForeignTask {
    fn wake(self: Arc<Self>) {
        // Nobody runs tasks any more once all have ended.
        let _ = self.ready.send(self.clone());
    }
}

/// Runs all the tasks on this thread until each has ended.
pub(crate) fn run_elsewhere(futures: Vec<Task>) {
    let (ready, woken) = mpsc::channel::<Arc<ForeignTask>>();
    let mut n_tasks = futures.len();
    for future in futures {
        Arc::new(ForeignTask { future: Mutex::new(Some(future)), ready: ready.clone() }).wake();
    }
    while n_tasks > 0 {
        let task = woken.recv().unwrap();
        let waker = Waker::from(task.clone());
        let mut place = task.future.lock().unwrap();
        let Some(future) = place.as_mut() else { continue };
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            *place = None;
            n_tasks -= 1;
        }
    }
}
