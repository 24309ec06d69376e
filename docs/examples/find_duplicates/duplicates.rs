//! Files with the same content: first by size, then by a hash, and then byte by byte.
//!
//! Knows nothing of arguments. A hash only sorts out: with one of 64 bits, two files that differ may
//! have the same, and nobody should delete one of them for it. So what is reported has been compared.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use handspun::ThreadPool;

use crate::tree::{File, Trouble};

const BLOCK: usize = 1 << 16;

/// Files that are the same, byte by byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Same {
    pub(crate) len: u64,
    pub(crate) paths: Vec<PathBuf>,
}

impl Same {
    /// How many bytes there are too many.
    pub(crate) fn n_spare(&self) -> u64 {
        self.len * (self.paths.len() as u64 - 1)
    }
}

/// The duplicates among these files, what they cost most first; calls `done` with the number of files
/// that need no more looking at.
pub(crate) fn find(
    pool: &ThreadPool,
    files: &[File],
    done: &(impl Fn(usize) + Sync),
) -> (Vec<Same>, Vec<Trouble>) {
    let mut by_len = BTreeMap::<u64, Vec<&File>>::new();
    for file in files {
        by_len.entry(file.len).or_default().push(file);
    }
    by_len.retain(|len, files| *len > 0 && files.len() > 1); // Nothing is saved by an empty file.
    let candidates: Vec<&File> = by_len.into_values().flatten().collect();
    done(files.len() - candidates.len());

    let mut troubles = Vec::new();
    let mut by_hash = BTreeMap::<(u64, u64), Vec<&File>>::new();
    let hashes = pool.par_map(&candidates, |file| {
        let hash = hash_of(&file.path);
        done(1);
        hash
    });
    for (file, hash) in candidates.into_iter().zip(hashes) {
        match hash {
            Ok((len, hash)) => by_hash.entry((len, hash)).or_default().push(file),
            Err(error) => troubles.push(Trouble::new(&file.path, &error)),
        }
    }
    by_hash.retain(|_, files| files.len() > 1);
    let groups: Vec<_> = by_hash.into_iter().map(|((len, _), files)| (len, files)).collect();
    let mut same = Vec::new();
    for (found, new_troubles) in pool.par_map(&groups, |(len, files)| compare(*len, files)) {
        same.extend(found);
        troubles.extend(new_troubles);
    }
    same.sort_by(|one, other| {
        other.n_spare().cmp(&one.n_spare()).then_with(|| one.paths.cmp(&other.paths))
    });
    (same, troubles)
}

/// The length and the hash of what is there now: it may have changed since it was listed.
fn hash_of(path: &Path) -> io::Result<(u64, u64)> {
    let (mut file, mut block, mut hasher, mut len) =
        (fs::File::open(path)?, vec![0; BLOCK], DefaultHasher::new(), 0);
    loop {
        let n = read_full(&mut file, &mut block)?;
        if n == 0 {
            return Ok((len, hasher.finish()));
        }
        hasher.write(&block[..n]);
        len += n as u64;
    }
}

/// Sorts files with one hash into those that are really the same: as a rule, all of them.
fn compare(len: u64, files: &[&File]) -> (Vec<Same>, Vec<Trouble>) {
    let (mut groups, mut troubles) = (Vec::<Same>::new(), Vec::new());
    'files: for file in files {
        for group in &mut groups {
            match are_same(&group.paths[0], &file.path) {
                Ok(true) => {
                    group.paths.push(file.path.clone());
                    continue 'files;
                }
                Ok(false) => {}
                Err(error) => {
                    troubles.push(Trouble::new(&file.path, &error));
                    continue 'files;
                }
            }
        }
        groups.push(Same { len, paths: vec![file.path.clone()] });
    }
    groups.retain(|group| group.paths.len() > 1);
    (groups, troubles)
}

fn are_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (fs::File::open(one)?, fs::File::open(other)?);
    let (mut left, mut right) = (vec![0; BLOCK], vec![0; BLOCK]);
    loop {
        let (n, m) = (read_full(&mut one, &mut left)?, read_full(&mut other, &mut right)?);
        if left[..n] != right[..m] {
            return Ok(false);
        }
        if n == 0 {
            return Ok(true);
        }
    }
}

/// Reads until the block is full or the file is over.
fn read_full(file: &mut fs::File, block: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < block.len() {
        match file.read(&mut block[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n)
}
