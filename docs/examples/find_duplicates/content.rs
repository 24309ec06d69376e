//! What is in a file: a hash of it, and whether another one has the same bytes.
//!
//! Knows nothing of groups. A file is read as it is now; it may have changed since it was listed.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};

use crate::open::open_regular;
use crate::tree::{File, Trouble};

/// What is read at a time.
pub(crate) const BLOCK: usize = 1 << 16;

/// The hash of so much of the beginning.
pub(crate) fn hash_of(file: &File, most: u64) -> io::Result<u64> {
    let mut source = open_regular(&file.path)?.take(most);
    let (mut block, mut hasher) = (vec![0; BLOCK.min(most as usize)], DefaultHasher::new());
    loop {
        match read_full(&mut source, &mut block)? {
            0 => return Ok(hasher.finish()),
            n => hasher.write(&block[..n]),
        }
    }
}

/// How long both are, if they are the same.
///
/// # Errors
///
/// The one that cannot be read.
pub(crate) fn same_len(one: &File, other: &File) -> Result<Option<u64>, Trouble> {
    let (mut left, mut right) = (Reader::open(one)?, Reader::open(other)?);
    let mut len = 0;
    loop {
        let (left, right) = (left.next()?, right.next()?);
        if left != right {
            return Ok(None);
        }
        if left.is_empty() {
            return Ok(Some(len));
        }
        len += left.len() as u64;
    }
}

/// Reads a file block by block, and knows its name.
struct Reader<'f> {
    listed: &'f File,
    file: fs::File,
    block: Vec<u8>,
}

impl<'f> Reader<'f> {
    fn open(listed: &'f File) -> Result<Self, Trouble> {
        let opened = open_regular(&listed.path);
        let file = opened.map_err(|error| Trouble::new(&listed.path, &error))?;
        Ok(Self { listed, file, block: vec![0; BLOCK] })
    }

    /// Shorter than a block only at the end of the file.
    fn next(&mut self) -> Result<&[u8], Trouble> {
        let n = read_full(&mut self.file, &mut self.block);
        let n = n.map_err(|error| Trouble::new(&self.listed.path, &error))?;
        Ok(&self.block[..n])
    }
}

/// Reads until the block is full or the source is over.
fn read_full(source: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < block.len() {
        match source.read(&mut block[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n)
}
