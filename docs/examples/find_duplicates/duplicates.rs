//! Files with the same content: first by size, then by the hash of their beginning and of the whole, and then
//! byte by byte.
//!
//! Knows nothing of arguments. A hash only sorts out: with one of 64 bits, two files that differ may have the
//! same, and a file should not be deleted for that. So what is reported has been compared. What must always
//! hold: a file that cannot be read is told by its own name, and takes no other out of its group.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use handspun::ThreadPool;

use crate::content::{BLOCK, hash_of, same_len};
use crate::tree::{File, Trouble};

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

/// Files that are the same as far as is known.
type Group<'f> = Vec<&'f File>;

/// The duplicates among these files, what they cost most first; calls `done` with the number of files
/// that need no more looking at.
pub(crate) fn find(
    pool: &ThreadPool,
    files: &[File],
    done: &(impl Fn(usize) + Sync),
) -> (Vec<Same>, Vec<Trouble>) {
    let mut troubles = Vec::new();
    let whole = |file: &File| {
        let hash = hash_of(file, u64::MAX);
        done(1);
        hash
    };
    let candidates = by_len(files);
    done(files.len() - n_files(&candidates));
    let (short, long): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|group| group[0].len <= BLOCK as u64);
    let mut groups = split(pool, &short, whole, &mut troubles);
    // A block tells most of the others apart, and few have to be read to their ends.
    let alike = split(pool, &long, |file| hash_of(file, BLOCK as u64), &mut troubles);
    done(n_files(&long) - n_files(&alike));
    groups.extend(split(pool, &alike, whole, &mut troubles));

    let mut same = Vec::new();
    for (found, new_troubles) in pool.par_map(&groups, |group| compare(group)) {
        same.extend(found);
        troubles.extend(new_troubles);
    }
    same.sort_by(|one, other| {
        other.n_spare().cmp(&one.n_spare()).then_with(|| one.paths.cmp(&other.paths))
    });
    (same, troubles)
}

/// Files that are as long as another one. Nothing is saved by those that are empty.
fn by_len(files: &[File]) -> Vec<Group<'_>> {
    let mut groups = BTreeMap::<u64, Group<'_>>::new();
    for file in files.iter().filter(|file| file.len > 0) {
        groups.entry(file.len).or_default().push(file);
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

/// Splits groups by what `hash` says of each file; those that are alone by then are dropped.
fn split<'f>(
    pool: &ThreadPool,
    groups: &[Group<'f>],
    hash: impl Fn(&File) -> io::Result<u64> + Sync,
    troubles: &mut Vec<Trouble>,
) -> Vec<Group<'f>> {
    let numbered = groups.iter().enumerate();
    let files: Vec<_> =
        numbered.flat_map(|(n, group)| group.iter().map(move |file| (n, *file))).collect();
    let hashes = pool.par_map(&files, |(_, file)| hash(file));
    let mut split = BTreeMap::<(usize, u64), Group<'f>>::new();
    for ((n, file), hash) in files.into_iter().zip(hashes) {
        match hash {
            Ok(hash) => split.entry((n, hash)).or_default().push(file),
            Err(error) => troubles.push(Trouble::new(&file.path, &error)),
        }
    }
    split.into_values().filter(|group| group.len() > 1).collect()
}

/// Sorts files with one hash into those that are really the same: as a rule, all of them.
fn compare(files: &[&File]) -> (Vec<Same>, Vec<Trouble>) {
    let (mut groups, mut troubles) = (Vec::<(u64, Group<'_>)>::new(), Vec::new());
    'files: for file in files {
        for (len, group) in &mut groups {
            // The first stands for all of its group, as long as it can be read.
            while let Some(first) = group.first() {
                match same_len(first, file) {
                    Ok(Some(same)) => {
                        *len = same;
                        group.push(file);
                        continue 'files;
                    }
                    Ok(None) => break,
                    Err(trouble) => {
                        let is_the_first = trouble.path == first.path;
                        troubles.push(trouble);
                        if !is_the_first {
                            continue 'files;
                        }
                        group.remove(0);
                    }
                }
            }
        }
        groups.push((0, vec![file]));
    }
    let same = groups.into_iter().filter(|(len, group)| *len > 0 && group.len() > 1).map(
        |(len, group)| Same { len, paths: group.iter().map(|file| file.path.clone()).collect() },
    );
    (same.collect(), troubles)
}

fn n_files(groups: &[Group<'_>]) -> usize {
    groups.iter().map(Vec::len).sum()
}
