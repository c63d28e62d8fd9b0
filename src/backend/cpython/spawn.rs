//! Runs an interpreter as a child that cannot outlive its time, its output limit, or us.
//!
//! The child leads a process group of its own, gets a clean environment and a private folder, and keeps our end of its
//! standard input as its lifeline: when that closes, for whatever reason, the kernel kills it (see `worker.py`). One
//! `poll` waits for its output, its end (a pidfd) and the deadline; the group is killed while its leader is still
//! unreaped, so that its number cannot have been given to somebody else.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Resource, Signal, getrlimit, kill_process_group, pidfd_open};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::backend::host::now;

/// How often the interrupt flag is looked at.
const GLANCE: Duration = Duration::from_millis(200);
/// How long a child has to obey SIGTERM.
const GRACE: Duration = Duration::from_secs(1);
/// How much of standard error is kept.
const STDERR_KEPT: usize = 1 << 16;

/// What to run, and within which bounds.
pub(super) struct Order<'a> {
    /// The interpreter.
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The private folder: working directory, home and place of temporary files.
    pub folder: &'a Path,
    /// What it reads from standard input, which then stays open.
    pub input: &'a [u8],
    /// How long it may take.
    pub time: Duration,
    /// How much it may write.
    pub most_output: usize,
    /// On how many cores it may run; `None` = on all that we may use.
    pub cores: Option<usize>,
    /// Ends it when raised.
    pub interrupted: Option<&'a AtomicBool>,
}

/// What a child leaves when it ends by itself.
pub(super) struct Outcome {
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub status: ExitStatus,
}

/// Why a child did not end by itself.
#[derive(Debug)]
pub(super) enum Failure {
    Start(io::Error),
    Hung { stderr: String },
    Flood,
    Interrupted,
}

/// How many threads and processes a run may have: a quarter of what the user may have in all.
pub(super) fn tasks_allowed() -> u64 {
    getrlimit(Resource::Nproc).current.map_or(u64::MAX, |most| most / 4)
}

/// Runs it to its end, or to ours.
pub(super) fn run(order: &Order<'_>) -> Result<Outcome, Failure> {
    let child = start(order).map_err(Failure::Start)?;
    let mut group = Group { child, ended: false };
    converse(order, &mut group)
}

fn start(order: &Order<'_>) -> io::Result<Child> {
    let mut command = Command::new(order.program);
    command
        .args(&order.arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", order.folder)
        .env("TMPDIR", order.folder)
        .current_dir(order.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    on_cores(order.cores, || command.spawn())
}

/// A child inherits the affinity of the thread that makes it: this thread moves to the first `cores` and back.
fn on_cores<T>(cores: Option<usize>, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(cores) = cores else { return act() };
    let before = sched_getaffinity(None)?;
    let mut some = CpuSet::new();
    (0..CpuSet::MAX_CPU).filter(|cpu| before.is_set(*cpu)).take(cores).for_each(|cpu| some.set(cpu));
    sched_setaffinity(None, &some)?;
    let result = act();
    sched_setaffinity(None, &before)?;
    result
}

/// A child and its process group; both are gone when this is dropped.
struct Group {
    child: Child,
    ended: bool,
}

impl Group {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn signal(&self, signal: Signal) {
        // An empty group is what we want.
        let _ = kill_process_group(self.pid(), signal);
    }

    /// Kills whatever is left of the group, then reaps its leader.
    fn end(&mut self) -> io::Result<ExitStatus> {
        self.signal(Signal::KILL);
        self.ended = true;
        self.child.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.end();
        }
    }
}

/// What has been read of one of the child's pipes.
struct Drain<P> {
    pipe: Option<P>,
    data: Vec<u8>,
    /// Keep only so much, the latest.
    tail: Option<usize>,
}

impl<P: Read + AsFd> Drain<P> {
    fn new(pipe: Option<P>, tail: Option<usize>) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(Drain { pipe, data: Vec::new(), tail })
    }

    /// Reads what is there now, at most a few buffers full; at the end of the stream the pipe is closed.
    fn read(&mut self) {
        let mut buffer = [0; 1 << 16];
        for _ in 0..16 {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.data.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
            if let Some(tail) = self.tail {
                self.data.drain(..self.data.len().saturating_sub(tail));
            }
        }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }
}

/// What is still to be written to the child; the pipe stays open afterwards.
struct Feed<'a> {
    pipe: Option<ChildStdin>,
    left: &'a [u8],
}

impl Feed<'_> {
    /// The pipe, while there is something to write.
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().filter(|_| !self.left.is_empty()).map(AsFd::as_fd)
    }

    fn write(&mut self) {
        let Some(pipe) = self.pipe.as_mut().filter(|_| !self.left.is_empty()) else { return };
        match pipe.write(self.left) {
            Ok(count) => self.left = &self.left[count..],
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            // Nobody reads any more: its end will tell.
            Err(_) => self.pipe = None,
        }
    }
}

fn converse(order: &Order<'_>, group: &mut Group) -> Result<Outcome, Failure> {
    let deadline = now() + order.time;
    let ended = pidfd_open(group.pid(), PidfdFlags::empty()).map_err(|error| Failure::Start(error.into()))?;
    let mut feed = Feed { pipe: group.child.stdin.take(), left: order.input };
    if let Some(pipe) = &feed.pipe {
        rustix::io::ioctl_fionbio(pipe, true).map_err(|error| Failure::Start(error.into()))?;
    }
    let mut stdout = Drain::new(group.child.stdout.take(), None).map_err(Failure::Start)?;
    let mut stderr = Drain::new(group.child.stderr.take(), Some(STDERR_KEPT)).map_err(Failure::Start)?;
    loop {
        let left = deadline.saturating_duration_since(now());
        let pipes = [(stdout.fd(), PollFlags::IN), (stderr.fd(), PollFlags::IN), (feed.fd(), PollFlags::OUT)];
        let pipes = pipes.into_iter().filter_map(|(pipe, what)| pipe.map(|pipe| (pipe, what)));
        let ready = wait(ended.as_fd(), pipes, left.min(GLANCE));
        feed.write();
        stdout.read();
        stderr.read();
        if stdout.data.len() > order.most_output {
            return Err(Failure::Flood);
        }
        if ready {
            return Ok(Outcome {
                status: group.end().map_err(Failure::Start)?,
                stdout: rest(stdout),
                stderr: stderr.text(),
            });
        }
        if order.interrupted.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Err(Failure::Interrupted);
        }
        if left.is_zero() {
            ask_to_end(group, ended.as_fd());
            stderr.read();
            return Err(Failure::Hung { stderr: stderr.text() });
        }
    }
}

/// The child has ended: what it wrote is in the pipe already. Others may hold the pipe open, so its end is not waited for.
fn rest<P: Read + AsFd>(mut drain: Drain<P>) -> Vec<u8> {
    loop {
        let before = drain.data.len();
        drain.read();
        if drain.data.len() == before {
            return drain.data;
        }
    }
}

/// Waits until one of these can be read or written, or the child has ended; says whether the latter.
fn wait<'p>(ended: BorrowedFd<'_>, others: impl Iterator<Item = (BorrowedFd<'p>, PollFlags)>, time: Duration) -> bool {
    let mut waited = vec![PollFd::from_borrowed_fd(ended, PollFlags::IN)];
    waited.extend(others.map(|(pipe, what)| PollFd::from_borrowed_fd(pipe, what)));
    let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) };
    // An interrupted poll has seen nothing; the caller comes back.
    poll(&mut waited, Some(&time)).is_ok() && !waited[0].revents().is_empty()
}

/// SIGTERM first; whoever ignores it is killed when the group is dropped.
fn ask_to_end(group: &Group, ended: BorrowedFd<'_>) {
    group.signal(Signal::TERM);
    let deadline: Instant = now() + GRACE;
    while !wait(ended, std::iter::empty(), deadline.saturating_duration_since(now())) && now() < deadline {}
}
