//! The table of verbs, from which both the reader of steps and the reference page come.

/// What a verb takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// `T`
    Length,
    /// A number of times, or `forever`.
    Times,
    /// A declared name of one of these kinds.
    Name(&'static str),
    /// Text.
    Text,
    /// The word `threads`.
    Threads,
    /// A list of branches.
    Branches,
    /// A pool and what it is given.
    Task,
}

/// A verb with its row of the step table.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    /// The word.
    pub word: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// The keys that may stand beside it.
    pub companions: &'static [&'static str],
    /// What it means.
    pub doc: &'static str,
    /// Whether it needs a core while it lasts.
    pub core: &'static str,
    /// Whether it needs the GIL while it lasts.
    pub gil: &'static str,
}

const fn verb(
    word: &'static str,
    takes: Takes,
    companions: &'static [&'static str],
    needs: (&'static str, &'static str),
    doc: &'static str,
) -> Verb {
    Verb { word, takes, companions, doc, core: needs.0, gil: needs.1 }
}

const TIMED: &[&str] = &["timeout", "else"];
const INSTANT: (&str, &str) = ("", "to execute");

/// All verbs, in the order of the reference page.
#[rustfmt::skip]
pub const VERBS: &[Verb] = &[
    verb("cpu", Takes::Length, &["straight_line"], ("yes", "yes"), "Python bytecode; may be asked to drop the GIL at any check point; `straight_line: true` = without a loop or a call, so since 3.10 without a check point until its end"),
    verb("native", Takes::Length, &[], ("yes", "no"), "C code that released the GIL"),
    verb("native_holding_gil", Takes::Length, &[], ("yes", "yes"), "C code that never lets go of the GIL (one uninterruptible unit)"),
    verb("io", Takes::Length, &["device"], ("no", "no"), "blocking call, GIL released around it"),
    verb("sleep", Takes::Length, &[], ("no", "no"), "time.sleep; `sleep: 0ms` really releases the GIL"),
    verb("repeat", Takes::Times, &["do"], ("", ""), "loop over the steps under `do`"),
    verb("choose", Takes::Branches, &[], ("", ""), "random branch: [{weight: 9, do: […]}, {weight: 1, do: […]}]"),
    verb("with", Takes::Name("lock, semaphore or condition"), &["do"], INSTANT, "acquires a lock, does the steps under `do`, releases it"),
    verb("acquire", Takes::Name("lock, semaphore or condition"), TIMED, INSTANT, "threading.Lock.acquire; a condition stands for its lock"),
    verb("release", Takes::Name("lock, semaphore or condition"), &[], INSTANT, "threading.Lock.release; a condition stands for its lock"),
    verb("put", Takes::Name("queue"), TIMED, INSTANT, "queue.Queue.put"),
    verb("get", Takes::Name("queue"), TIMED, INSTANT, "queue.Queue.get"),
    verb("set", Takes::Name("event"), &[], INSTANT, "threading.Event.set"),
    verb("clear", Takes::Name("event"), &[], INSTANT, "threading.Event.clear"),
    verb("wait", Takes::Name("event or condition"), TIMED, INSTANT, "threading.Event.wait, or Condition.wait with its lock held"),
    verb("notify", Takes::Name("condition"), &[], INSTANT, "threading.Condition.notify, lock held: the thread that has waited longest"),
    verb("notify_all", Takes::Name("condition"), &[], INSTANT, "threading.Condition.notify_all, lock held"),
    verb("barrier", Takes::Name("barrier"), &[], INSTANT, "threading.Barrier.wait"),
    verb("load", Takes::Name("variable"), &[], INSTANT, "reads a variable into the thread"),
    verb("store", Takes::Name("variable"), &["add"], INSTANT, "writes what the thread has read, plus `add`: updates can be lost in between; without a load it writes `add`"),
    verb("start", Takes::Name("group"), &["count"], INSTANT, "starts the members not yet started, one start() after another; with `count` the next ones only"),
    verb("join", Takes::Name("group"), TIMED, INSTANT, "waits for the end of every member"),
    verb("submit", Takes::Task, &[], INSTANT, "concurrent.futures: {pool: p, count: 40, do: […]}"),
    verb("gather", Takes::Name("pool"), &[], INSTANT, "waits for everything submitted"),
    verb("span", Takes::Text, &["do"], ("", ""), "names a stretch of work, for latency, throughput and count; it begins and ends where its thread reaches it, with or without a core and the GIL"),
    verb("print", Takes::Text, &[], INSTANT, "output line; {__name__} and {pid} are replaced"),
    verb("show", Takes::Threads, &[], INSTANT, "`show: threads` prints the process id, the thread count and threading.enumerate()"),
];

/// All companions.
pub const COMPANIONS: &[&str] = &["do", "straight_line", "device", "add", "count", "timeout", "else"];
