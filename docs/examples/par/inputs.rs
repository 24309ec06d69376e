//! Where the inputs come from: the arguments, or the lines of stdin.
//!
//! Knows nothing of commands. What must always hold:
//!
//! 1. Each input is given once, and they are numbered in their order, from 0.
//! 2. Whoever waits for one goes away without it when all is cancelled, however long stdin is silent.
//! 3. A line is bytes. However many there are, only some of them are in memory.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStringExt;
use std::pin::Pin;
use std::sync::Arc;
use std::{thread, vec};

use handspun::{CancellationToken, Close, Item, Queue, block_on, race};
use parking_lot::Mutex;

/// The lines that one read has brought. To wake somebody for each costs more than to read it.
type Batch = io::Result<Vec<OsString>>;

/// The inputs that nobody has taken yet.
pub(crate) struct Inputs {
    batches: Arc<Queue<Batch>>,
    opened: Mutex<Opened>,
}

/// The batch that was opened last.
#[derive(Default)]
struct Opened {
    lines: vec::IntoIter<OsString>,
    n_given: usize,
    error: Option<io::Error>,
}

impl Inputs {
    pub(crate) fn of(inputs: Vec<OsString>) -> Self {
        let batches = Queue::unbounded();
        batches.try_put(Ok(inputs)).expect("it is open, and has room");
        batches.close(Close::Drain);
        Self { batches: batches.into(), opened: Mutex::default() }
    }

    /// The lines of this. A thread of its own reads them, since a read cannot be taken back.
    pub(crate) fn lines_of(source: impl Read + Send + 'static) -> Self {
        let batches = Arc::new(Queue::bounded(4));
        let filled = batches.clone();
        thread::spawn(move || {
            let mut source = BufReader::with_capacity(64 << 10, source);
            while let Some(batch) = read_batch(&mut source).transpose() {
                let is_last = batch.is_err();
                if block_on(filled.put(batch)).is_err() || is_last {
                    break;
                }
            }
            filled.close(Close::Drain);
        });
        Self { batches, opened: Mutex::default() }
    }

    /// The next one, and its number; waits for it, unless there will be none or all is cancelled.
    pub(crate) fn next(&self, all: &CancellationToken) -> Option<(usize, OsString)> {
        let mut opened = self.opened.lock(); // Whoever else wants one waits here.
        loop {
            if all.is_cancelled() {
                return None;
            }
            if let Some(line) = opened.lines.next() {
                opened.n_given += 1;
                return Some((opened.n_given - 1, line));
            }
            match block_on(self.batch(all))? {
                Ok(lines) => opened.lines = lines.into_iter(),
                Err(error) => opened.error = Some(error),
            }
        }
    }

    async fn batch(&self, all: &CancellationToken) -> Option<Batch> {
        let batch: Pin<Box<dyn Future<Output = _>>> =
            Box::pin(async { self.batches.get().await.ok().map(Item::into_inner) });
        let no_more = Box::pin(async {
            all.cancelled().await;
            None
        });
        race([batch, no_more]).await
    }

    /// Why there were no more, if it was not the end.
    pub(crate) fn into_error(self) -> Option<io::Error> {
        self.opened.into_inner().error
    }
}

/// What there is to read, up to the end of a line. Waits for one line, and no longer.
fn read_batch(source: &mut BufReader<impl Read>) -> io::Result<Option<Vec<OsString>>> {
    let mut lines = Vec::new();
    while lines.is_empty() || source.buffer().contains(&b'\n') {
        let mut line = Vec::new();
        if source.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        lines.push(OsString::from_vec(line));
    }
    Ok(Some(lines).filter(|lines| !lines.is_empty()))
}
