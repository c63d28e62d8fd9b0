//! The private folder of one run: removed when the run is over, however it ends.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = "gilsim-real-";

/// A folder that only this user can read, removed with all that is in it when dropped.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A new one below `parent`. Also removes those of gilsim processes that were killed and could not do so.
    pub fn new(parent: &Path) -> io::Result<Scratch> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        sweep(parent);
        loop {
            let name = format!("{PREFIX}{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = parent.join(name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Scratch(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nobody is left who could be told; the next run sweeps.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if owner(&entry.file_name().to_string_lossy()).is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The process that made a folder of this name.
fn owner(name: &str) -> Option<u32> {
    let (pid, number) = name.strip_prefix(PREFIX)?.split_once('-')?;
    number.parse::<u64>().ok()?;
    pid.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_with_all_that_is_in_it_and_takes_the_orphans_along() {
        let parent = tempfile::tempdir().expect("a folder");
        let orphan = parent.path().join(format!("{PREFIX}{}-0", u32::MAX));
        let foreign = parent.path().join(format!("{PREFIX}notes"));
        fs::create_dir(&orphan).expect("a folder");
        fs::create_dir(&foreign).expect("a folder");
        let scratch = Scratch::new(parent.path()).expect("a scratch folder");
        assert!(!orphan.exists() && foreign.exists());
        fs::write(scratch.path().join("file"), "x").expect("a file");
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists());
    }
}
