//! The private folder of one run: removed when the run is over, however it ends.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = "gilsim-real-";

/// Locked as long as a folder's maker lives; the kernel unlocks it when it dies, however it dies.
const LOCK: &str = "lock";

/// A folder that only this user can read, removed with all that is in it when dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// A new one below `parent`. Also removes those of gilsim processes that were killed and could not do so.
    pub fn new(parent: &Path) -> io::Result<Scratch> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        sweep(parent);
        loop {
            let name = format!("{PREFIX}{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = parent.join(name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let lock = File::create(path.join(LOCK))?;
                    lock.lock()?;
                    return Ok(Scratch { path, _lock: lock });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nobody is left who could be told; the next run sweeps.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_orphan(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether nobody holds the lock of a folder. One without a lock is being made, or is none of ours.
fn is_orphan(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_with_all_that_is_in_it_and_takes_the_orphans_along() {
        let parent = tempfile::tempdir().expect("a folder");
        let living = Scratch::new(parent.path()).expect("a scratch folder");
        let orphan = parent.path().join(format!("{PREFIX}1-0"));
        let foreign = parent.path().join(format!("{PREFIX}notes"));
        fs::create_dir(&orphan).expect("a folder");
        fs::write(orphan.join(LOCK), "").expect("a file");
        fs::create_dir(&foreign).expect("a folder");
        let scratch = Scratch::new(parent.path()).expect("a scratch folder");
        assert!(!orphan.exists() && foreign.exists() && living.path().exists());
        fs::write(scratch.path().join("file"), "x").expect("a file");
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists());
    }
}
