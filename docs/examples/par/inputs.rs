//! Where the inputs come from: words of the command line, or the lines of stdin and of files.
//!
//! Knows nothing of commands. What must always hold:
//!
//! 1. Each input is given once, and they are numbered in their order, from 1.
//! 2. A lane that waits for one goes away without it when all is cancelled, however long stdin is silent.
//! 3. A line is bytes, and no longer than the system lets a word be. However many there are, only some of them
//!    are in memory, unless each is to be paired with all of another source.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStringExt;
use std::pin::Pin;
use std::sync::Arc;
use std::{thread, vec};

use handspun::{CancellationToken, Close, Item, Queue, block_on, race};
use parking_lot::Mutex;

use crate::cli::shown;
use crate::plan::Source;
use crate::template::Input;

/// A word is shorter than this: 32 pages on Linux (`MAX_ARG_STRLEN`), and no more than that elsewhere.
const LONGEST_WORD: usize = (128 << 10) - 1;

/// What one input is made of.
type Values = Vec<OsString>;

/// The inputs that one read has brought. To wake a lane for each costs more than to read it. Or why there are
/// no more.
type Batch = Result<Vec<Values>, String>;

/// The inputs that no lane has taken yet.
pub(crate) struct Inputs {
    batches: Arc<Queue<Batch>>,
    opened: Mutex<Opened>,
    n_in_all: Arc<Mutex<Option<usize>>>,
}

/// The batch that was opened last.
#[derive(Default)]
struct Opened {
    inputs: vec::IntoIter<Values>,
    n_given: usize,
    error: Option<String>,
}

impl Inputs {
    /// A thread of its own reads them, since a read cannot be taken back.
    pub(crate) fn of(sources: Vec<Source>, end: u8) -> Self {
        Self::filled(move |fill| match <[Source; 1]>::try_from(sources) {
            Ok([Source::Words(words)]) => fill.all(words.into_iter().map(|word| vec![word])),
            Ok([Source::File(path)]) if path.as_os_str() == "-" => fill.lines(io::stdin(), end),
            Ok([Source::File(path)]) => match File::open(&path) {
                Ok(file) => fill.lines(file, end),
                Err(error) => Err(format!("{}: {error}", shown(&path))),
            },
            Err(several) => fill.product(&several, end),
        })
    }

    /// The lines of this.
    #[cfg(test)]
    pub(crate) fn lines_of(source: impl Read + Send + 'static) -> Self {
        Self::filled(move |fill| fill.lines(source, b'\n'))
    }

    fn filled(read: impl FnOnce(&Fill) -> Result<(), String> + Send + 'static) -> Self {
        let (batches, n_in_all) = (Arc::new(Queue::bounded(4)), Arc::default());
        let fill = Fill { batches: batches.clone(), n_in_all: Arc::clone(&n_in_all) };
        thread::spawn(move || {
            if let Err(error) = read(&fill) {
                let _ = block_on(fill.batches.put(Err(error))); // No lane may be there to hear it.
            }
            fill.batches.close(Close::Drain);
        });
        Self { batches, opened: Mutex::default(), n_in_all }
    }

    /// The next one; waits for it, unless there will be none or all is cancelled.
    pub(crate) fn next(&self, all: &CancellationToken) -> Option<Input> {
        let mut opened = self.opened.lock(); // Another lane that wants one waits here.
        loop {
            if all.is_cancelled() {
                return None;
            }
            if let Some(values) = opened.inputs.next() {
                opened.n_given += 1;
                return Some(Input { seq: opened.n_given, values });
            }
            match block_on(self.batch(all))? {
                Ok(inputs) => opened.inputs = inputs.into_iter(),
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

    /// How many there are, given or not; not known while there may be more to read.
    pub(crate) fn n_in_all(&self) -> Option<usize> {
        *self.n_in_all.lock()
    }

    /// Why there were no more, if it was not the end.
    pub(crate) fn into_error(self) -> Option<String> {
        self.opened.into_inner().error
    }
}

/// What fills the inputs.
struct Fill {
    batches: Arc<Queue<Batch>>,
    n_in_all: Arc<Mutex<Option<usize>>>,
}

/// How many inputs that are only made up go into a batch.
const BATCH: usize = 1_000;

impl Fill {
    /// False when they are wanted no more.
    fn put(&self, batch: Vec<Values>) -> bool {
        batch.is_empty() || block_on(self.batches.put(Ok(batch))).is_ok()
    }

    fn all(&self, mut inputs: impl ExactSizeIterator<Item = Values>) -> Result<(), String> {
        *self.n_in_all.lock() = Some(inputs.len());
        while inputs.len() > 0 && self.put(inputs.by_ref().take(BATCH).collect()) {}
        Ok(())
    }

    /// Gives them as they come.
    fn lines(&self, source: impl Read, end: u8) -> Result<(), String> {
        let mut source = BufReader::with_capacity(64 << 10, source);
        let mut n = 0;
        loop {
            let mut batch = Vec::new();
            let read = read_batch(&mut source, end, &mut batch);
            n += batch.len();
            let is_over =
                batch.is_empty() || !self.put(batch.into_iter().map(|line| vec![line]).collect());
            read.map_err(|error| format!("no more inputs after {n}: {error}"))?;
            if is_over {
                *self.n_in_all.lock() = Some(n);
                return Ok(());
            }
        }
    }

    /// Each of one source with each of the others; the last source goes round the fastest.
    fn product(&self, sources: &[Source], end: u8) -> Result<(), String> {
        let mut lists = Vec::new();
        for source in sources {
            let mut list = read_all(source, end)?;
            if list.is_empty() {
                list.push(OsString::new()); // As GNU parallel has it.
            }
            lists.push(list);
        }
        let n = lists.iter().try_fold(1_usize, |n, list| n.checked_mul(list.len()));
        let n = n.ok_or("there are more inputs than can be counted")?;
        *self.n_in_all.lock() = Some(n);
        for first in (0..n).step_by(BATCH) {
            let batch = first..n.min(first + BATCH);
            if !self.put(batch.map(|index| pick(&lists, index)).collect()) {
                break;
            }
        }
        Ok(())
    }
}

fn pick(lists: &[Vec<OsString>], mut index: usize) -> Values {
    let mut values = Vec::with_capacity(lists.len());
    for list in lists.iter().rev() {
        values.push(list[index % list.len()].clone());
        index /= list.len();
    }
    values.reverse();
    values
}

fn read_all(source: &Source, end: u8) -> Result<Vec<OsString>, String> {
    let path = match source {
        Source::Words(words) => return Ok(words.clone()),
        Source::File(path) => path,
    };
    let read = if source.is_stdin() {
        all_lines(io::stdin(), end)
    } else {
        File::open(path).and_then(|file| all_lines(file, end))
    };
    read.map_err(|error| format!("{}: {error}", shown(path)))
}

fn all_lines(source: impl Read, end: u8) -> io::Result<Vec<OsString>> {
    let (mut source, mut lines) = (BufReader::new(source), Vec::new());
    loop {
        let n_before = lines.len();
        read_batch(&mut source, end, &mut lines)?;
        if lines.len() == n_before {
            return Ok(lines);
        }
    }
}

/// What there is to read, up to the end of a line. Waits for one line, and no longer.
fn read_batch(
    source: &mut BufReader<impl Read>,
    end: u8,
    lines: &mut Vec<OsString>,
) -> io::Result<()> {
    let n_before = lines.len();
    while lines.len() == n_before || source.buffer().contains(&end) {
        let mut line = Vec::new();
        let limit = LONGEST_WORD as u64 + 1;
        if source.by_ref().take(limit).read_until(end, &mut line)? == 0 {
            break;
        }
        if line.last() == Some(&end) {
            line.pop();
        } else if line.len() > LONGEST_WORD {
            let error =
                format!("it is longer than the system lets a word be: {LONGEST_WORD} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        lines.push(OsString::from_vec(line));
    }
    Ok(())
}
