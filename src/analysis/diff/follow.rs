//! Which differences are causes, and which follow from an earlier one.
//!
//! Nodes are taken in the order of time. A difference follows from an earlier one if its own cause differs, if its thread,
//! its GIL, its lock or its core had already come out of step, or if the other timeline is over. All others are causes.
//! A thread, GIL, lock or core is in step again after a record that is the same on both sides.
//!
//! Within a thread that is out of step a new cause shows in what only its program decides: another amount of work between
//! two of its own actions, I/O or sleep of another length, an action too many or too few. The same cause in several
//! members of a group, or several times, is one difference that occurs several times.

use std::collections::BTreeMap;

use crate::analysis::diff::identity::Identity;
use crate::analysis::diff::nodes::{AWAY, CLOSES, LESS_WORK, MORE_WORK, Node, PROGRAM, REORDERED, Side};
use crate::analysis::diff::track::{GRANT, Item, Kind, NONE};
use crate::analysis::diff::{CLASSES, Class, Ignore};
use crate::ids::{Id, ThreadId};
use crate::trace::State;

/// A cause, by places.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub class: Class,
    pub node: Node,
    /// How often it occurs.
    pub times: u64,
    /// What follows from it, by class.
    pub follows: [u64; CLASSES],
}

/// What makes two causes the same: class, group, kind, word, and the state before.
type Signature = (Class, u32, u8, u8, u8);

/// The causes, and how many differences were looked away from.
#[derive(Clone, Debug, Default)]
pub(super) struct Followed {
    pub roots: Vec<Root>,
    pub ignored: u64,
}

/// A thread that wants a core depends on all of them; of more than this they are not looked at one by one.
const MANY_CORES: usize = 256;

/// A root that something is out of step by; `NONE` = in step.
struct Steps {
    records: Vec<u32>,
    gils: Vec<u32>,
    locks: Vec<u32>,
    objects: Vec<u32>,
    cores: Vec<u32>,
}

impl Steps {
    fn new(side: &Side<'_>) -> Steps {
        Steps {
            records: vec![NONE; side.track.len()],
            gils: vec![NONE; side.cast.gils.len()],
            locks: vec![NONE; side.cast.locks.len()],
            objects: vec![NONE; side.cast.objects.len()],
            cores: vec![NONE; side.cast.cores.len()],
        }
    }

    /// What a wait depends on without changing it: the GIL that a thread parks for, the cores of which none is free.
    fn awaited(&self, side: &Side<'_>, index: u32) -> u32 {
        let item = side.item(index);
        if item.kind != Kind::State {
            return NONE;
        }
        match item.state() {
            State::WantsGil | State::Forced => {
                let gil = side.cast.threads[ThreadId(item.owner)].gil;
                gil.map_or(NONE, |gil| self.gils[gil.index()])
            }
            state if state.wants_core() && self.cores.len() <= MANY_CORES => {
                self.cores.iter().copied().min().unwrap_or(NONE)
            }
            _ => NONE,
        }
    }

    /// The things besides its thread that a record depends on and changes.
    fn things(&mut self, side: &Side<'_>, index: u32) -> [Option<&mut u32>; 2] {
        let item = side.item(index);
        let left = side.state_during(index).filter(|state| item.kind == Kind::State && state.object != NONE);
        match item.kind {
            Kind::Gil => [self.gils.get_mut(item.object as usize), None],
            Kind::Lock => [self.locks.get_mut(item.object as usize), None],
            Kind::Object => [self.objects.get_mut(item.object as usize), None],
            Kind::State | Kind::Dispatch if item.object != NONE => [self.cores.get_mut(item.object as usize), None],
            Kind::State => [left.and_then(|state| self.cores.get_mut(state.object as usize)), None],
            _ => [None, None],
        }
    }
}

struct Follower<'f, 't> {
    /// Whether the two are set up differently.
    set_up: bool,
    a: &'f Side<'t>,
    b: &'f Side<'t>,
    identity: &'f Identity,
    ignore: &'f Ignore,
    steps: (Steps, Steps),
    threads: Vec<u32>,
    /// Since when each thread is out of step.
    since: Vec<u64>,
    /// The pairs of threads of each pair of processes.
    members: Vec<Vec<u32>>,
    /// The root found in the present stretch of each thread.
    born: Vec<u32>,
    processes: Vec<u32>,
    over: u32,
    known: BTreeMap<Signature, u32>,
    found: Followed,
}

/// Finds the causes among the differences of all nodes.
pub(super) fn follow(
    a: &Side<'_>,
    b: &Side<'_>,
    identity: &Identity,
    nodes: &[Node],
    ignore: &Ignore,
    set_up: bool,
) -> Followed {
    let mut follower = Follower {
        set_up,
        a,
        b,
        identity,
        ignore,
        steps: (Steps::new(a), Steps::new(b)),
        threads: vec![NONE; identity.threads.len()],
        since: vec![u64::MAX; identity.threads.len()],
        members: members(a, b, identity),
        born: vec![NONE; identity.threads.len()],
        processes: vec![NONE; identity.processes.len()],
        over: NONE,
        known: BTreeMap::new(),
        found: Followed::default(),
    };
    nodes.iter().for_each(|node| follower.node(node));
    follower.found
}

/// The pairs of threads of each pair of processes.
fn members(a: &Side<'_>, b: &Side<'_>, identity: &Identity) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); identity.processes.len()];
    let (mut of_a, mut of_b) = (vec![0; a.cast.processes.len()], vec![0; b.cast.processes.len()]);
    for (number, pair) in identity.processes.iter().enumerate() {
        pair.0.into_iter().for_each(|process| of_a[process.index()] = number);
        pair.1.into_iter().for_each(|process| of_b[process.index()] = number);
    }
    for (number, pair) in identity.threads.iter().enumerate() {
        let in_a = pair.0.map(|thread| of_a[a.cast.threads[thread].process.index()]);
        let in_b = pair.1.map(|thread| of_b[b.cast.threads[thread].process.index()]);
        in_a.into_iter()
            .chain(in_b.filter(|process| in_a != Some(*process)))
            .for_each(|process| members[process].push(number as u32));
    }
    members
}

/// Marks grants of a GIL and takings of a lock that overtook others.
pub(super) fn mark_reordered(a: &Side<'_>, b: &Side<'_>, nodes: &mut [Node]) {
    let mut pairs: Vec<usize> = (0..nodes.len())
        .filter(|place| {
            let node = &nodes[*place];
            let of_a = (node.a != NONE && node.b != NONE).then(|| a.item(node.a));
            of_a.is_some_and(|item| match item.kind {
                Kind::Gil => item.word == GRANT,
                kind => kind == Kind::Lock && item.is_anchor(),
            })
        })
        .collect();
    pairs.sort_unstable_by_key(|place| nodes[*place].a);
    let mut last: BTreeMap<(u8, u32, u32), u32> = BTreeMap::new();
    for place in pairs {
        let node = &mut nodes[place];
        let (of_a, of_b) = (a.item(node.a), b.item(node.b));
        let last = last.entry((of_a.kind as u8, of_a.object, of_b.object)).or_insert(node.b);
        // Within an instant nothing is late: there the order is only one of bookkeeping.
        if node.b < *last && of_a.at != of_b.at {
            node.flags |= REORDERED;
        }
        *last = node.b.max(*last);
    }
}

impl Follower<'_, '_> {
    fn node(&mut self, node: &Node) {
        let (class, ignored) = self.classify(node);
        self.found.ignored += u64::from(ignored);
        let root = class.map_or(NONE, |class| self.root(node, class));
        self.step(node, root);
    }

    /// The class of a node; nothing if both sides are the same, or as good as the same, which the second value says.
    fn classify(&self, node: &Node) -> (Option<Class>, bool) {
        if node.a == NONE || node.b == NONE {
            return (Some(if node.a == NONE { Class::New } else { Class::Gone }), false);
        }
        let (a, b) = (self.a.item(node.a), self.b.item(node.b));
        if node.flags & REORDERED > 0 {
            return (Some(Class::Reordered), false);
        }
        if self.other_reason(a, b) {
            return (Some(Class::OtherReason), false);
        }
        let timed = self.timed(node, a, b);
        let close = timed.is_some() && self.ignore.is_close(a.at, b.at);
        let placed = matches!(a.kind, Kind::State | Kind::Dispatch) && a.object != b.object;
        let class = match timed.filter(|_| !close) {
            Some(class) => Some(class),
            None if placed && !self.ignore.placement => Some(Class::OtherCore),
            None => None,
        };
        (class, class.is_none() && (close || placed))
    }

    fn other_reason(&self, a: &Item, b: &Item) -> bool {
        match a.kind {
            Kind::State | Kind::Gil => a.why != b.why,
            Kind::Lock => a.word != b.word,
            Kind::Dispatch => a.why != b.why && !self.ignore.placement,
            Kind::Exit => a.object != b.object,
            Kind::End => {
                self.a.track.ending.as_ref().map(|end| end.word()) != self.b.track.ending.as_ref().map(|end| end.word())
            }
            Kind::Object | Kind::Job | Kind::Span | Kind::Quota | Kind::Output | Kind::Account => false,
        }
    }

    /// How the times of a pair differ.
    fn timed(&self, node: &Node, a: &Item, b: &Item) -> Option<Class> {
        if a.kind == Kind::Account {
            let work = |side: &Side<'_>, item: &Item| side.track.accounts[item.object as usize];
            let (of_a, of_b) = (work(self.a, a), work(self.b, b));
            if of_a != of_b {
                return Some(if of_b > of_a { Class::Longer } else { Class::Shorter });
            }
        }
        let lasting = a.kind.of_thread() && a.kind != Kind::Dispatch;
        let state = |side: &Side<'_>, index| side.state_during(index).map(Item::state);
        let lasting = lasting && state(self.a, node.a) == state(self.b, node.b);
        let lengths = lasting.then(|| Some((self.a.elapsed(node.a)?, self.b.elapsed(node.b)?))).flatten();
        match lengths {
            Some((a, b)) if b > a => Some(Class::Longer),
            Some((a, b)) if b < a => Some(Class::Shorter),
            _ => (a.at != b.at).then_some(Class::Moved),
        }
    }

    /// The cause of a difference: an earlier one, or itself.
    fn root(&mut self, node: &Node, class: Class) -> u32 {
        let earlier = self.earlier(node);
        let born = self.born.get(node.owner as usize).copied().filter(|_| self.of_thread(node)).unwrap_or(NONE);
        let work = node.flags & (MORE_WORK | LESS_WORK) > 0;
        let alone = self.identity.threads.get(node.owner as usize).is_some_and(|(a, b)| a.is_none() || b.is_none());
        let own = (work || node.flags & (AWAY | PROGRAM) > 0) && born == NONE;
        // Where the two are set up differently, what schedulers do differently follows from that.
        let set_up = earlier == NONE && self.set_up && !own && !alone && !self.found.roots.is_empty();
        let earlier = if set_up { 0 } else { earlier };
        if earlier == NONE || own {
            let class = match node.flags {
                flags if flags & MORE_WORK > 0 => Class::Longer,
                flags if flags & LESS_WORK > 0 => Class::Shorter,
                _ => class,
            };
            return self.found(node, class);
        }
        self.found.roots[earlier as usize].follows[class as usize] += 1;
        earlier
    }

    /// The earliest root from which this node follows.
    fn earlier(&mut self, node: &Node) -> u32 {
        let mut earliest = self.over;
        for (index, side, steps) in [(node.a, self.a, &mut self.steps.0), (node.b, self.b, &mut self.steps.1)] {
            if index == NONE {
                continue;
            }
            if let Some(root) = steps.records.get(side.item(index).cause as usize) {
                earliest = earliest.min(*root);
            }
            earliest = earliest.min(steps.awaited(side, index));
            for thing in steps.things(side, index).into_iter().flatten() {
                earliest = earliest.min(*thing);
            }
        }
        if !self.of_thread(node) {
            // The end of a run or process follows from whatever its threads are out of step by.
            let all = if node.owner == NONE { &[][..] } else { &self.members[node.owner as usize] };
            let members = all.iter().map(|thread| self.threads[*thread as usize]);
            let of_run = self.threads.iter().copied().filter(|_| node.owner == NONE);
            earliest = members.chain(of_run).fold(earliest, u32::min);
        }
        earliest.min(self.owner(node).map_or(NONE, |owner| *owner))
    }

    fn of_thread(&self, node: &Node) -> bool {
        let kind = if node.a == NONE { self.b.item(node.b).kind } else { self.a.item(node.a).kind };
        kind.of_thread()
    }

    fn owner(&mut self, node: &Node) -> Option<&mut u32> {
        if node.owner == NONE {
            return Some(&mut self.over);
        }
        let list = if self.of_thread(node) { &mut self.threads } else { &mut self.processes };
        list.get_mut(node.owner as usize)
    }

    /// A new cause, or one more time the same.
    fn found(&mut self, node: &Node, class: Class) -> u32 {
        let signature = self.signature(node, class);
        let next = self.found.roots.len() as u32;
        let root = *self.known.entry(signature).or_insert(next);
        if root == next {
            self.found.roots.push(Root { class, node: *node, times: 0, follows: [0; CLASSES] });
        }
        self.found.roots[root as usize].times += 1;
        if self.of_thread(node) {
            self.born[node.owner as usize] = root;
        }
        root
    }

    fn signature(&self, node: &Node, class: Class) -> Signature {
        let (side, index) = if node.a == NONE { (self.b, node.b) } else { (self.a, node.a) };
        let item = side.item(index);
        let group = match self.identity.threads.get(node.owner as usize).filter(|_| self.of_thread(node)) {
            Some((Some(a), _)) => self.a.cast.threads[*a].group.0,
            Some((None, Some(b))) => 1 << 31 | self.b.cast.threads[*b].group.0,
            _ => node.owner,
        };
        let before = side.state_during(index);
        let running = before.is_some_and(|state| state.state().is_running());
        let lasting = matches!(class, Class::Longer | Class::Shorter);
        if running && lasting {
            // More or less work is the same cause, whatever comes after it.
            return (class, group, u8::MAX, u8::MAX, u8::MAX);
        }
        if let Some(away) = before.filter(|state| lasting && matches!(state.state(), State::Io | State::Sleep)) {
            return (class, group, u8::MAX, away.word, u8::MAX);
        }
        (class, group, item.kind as u8, item.word, before.map_or(u8::MAX, |state| state.word))
    }

    /// Brings everything that a node touches out of step, or in step again.
    fn step(&mut self, node: &Node, root: u32) {
        for (index, side, steps) in [(node.a, self.a, &mut self.steps.0), (node.b, self.b, &mut self.steps.1)] {
            if index == NONE {
                continue;
            }
            steps.records[index as usize] = root;
            for thing in steps.things(side, index).into_iter().flatten() {
                *thing = root;
            }
        }
        self.step_owner(node, root);
        if node.flags & CLOSES > 0 {
            self.born[node.owner as usize] = NONE;
        }
    }

    /// Within the instant at which a thread came out of step it is not in step again: the order there is not all causal.
    fn step_owner(&mut self, node: &Node, root: u32) {
        if self.of_thread(node) {
            let since = &mut self.since[node.owner as usize];
            if root == NONE && *since == node.at {
                return;
            }
            *since = if root == NONE { u64::MAX } else { node.at };
        }
        if let Some(owner) = self.owner(node) {
            *owner = root;
        }
    }
}

impl Side<'_> {
    /// What a thread was doing at an instant, everything of that instant included.
    pub fn doing(&self, thread: Option<ThreadId>, at: u64) -> Option<u32> {
        let records = self.threads.of_owner(thread);
        let upto = records.partition_point(|index| self.item(*index).at <= at);
        records[..upto].iter().rev().copied().find(|index| self.item(*index).kind == Kind::State)
    }
}
