//! Files on disk, written whole: a temporary file in the same folder, then a rename. A reader never sees half a file.

mod json;
mod snapshot;
mod timeline;

pub use snapshot::{Shot, shot_name, shots_in};
pub use timeline::{Fault, Timeline};

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that appears under its name only when it is complete. Dropped before [`Whole::finish`], it leaves nothing.
#[derive(Debug)]
pub struct Whole {
    writer: Option<BufWriter<File>>,
    temporary: PathBuf,
    target: PathBuf,
}

impl Whole {
    /// Begins to write the file that will be called `target`. A link of that name is replaced, not followed.
    pub fn create(target: &Path) -> io::Result<Whole> {
        let name = target.file_name().ok_or_else(|| io::Error::other("the name of a file is missing"))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", std::process::id()));
        let temporary = target.with_file_name(hidden);
        let file = File::options().write(true).create_new(true).open(&temporary)?;
        Ok(Whole { writer: Some(BufWriter::new(file)), temporary, target: target.to_path_buf() })
    }

    /// Gives the complete file its name.
    pub fn finish(mut self) -> io::Result<()> {
        let writer = self.writer.take().expect("a file is finished once");
        let written = writer.into_inner().map_err(|error| error.into_error()).and_then(|file| file.sync_all());
        written.and_then(|()| fs::rename(&self.temporary, &self.target)).inspect_err(|_| self.remove())
    }

    fn remove(&self) {
        // The file may be gone already; there is nothing more to do about it.
        let _ = fs::remove_file(&self.temporary);
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().expect("a file is written before it is finished").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().expect("a file is written before it is finished").flush()
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if self.writer.is_some() {
            self.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let target = folder.path().join("out.txt");
        fs::write(&target, "old").expect("a file");
        let mut file = Whole::create(&target).expect("a new file");
        file.write_all(b"new").expect("written");
        assert_eq!(fs::read_to_string(&target).expect("the old file"), "old");
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left behind");
        let mut file = Whole::create(&target).expect("a new file");
        file.write_all(b"new").expect("written");
        file.finish().expect("renamed");
        assert_eq!(fs::read_to_string(&target).expect("the new file"), "new");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
