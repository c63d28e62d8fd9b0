//! The records of two timelines, paired: each pair, and each record without a partner, is a node.
//!
//! Records are paired within their thread. What a program decides (blocking calls, lines, locks, the end) is paired first,
//! the n-th of A with the n-th of B; what the scheduler did in between is paired between these anchors.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::analysis::diff::align::align;
use crate::analysis::diff::identity::{Both, Identity};
use crate::analysis::diff::track::{HAND_OVER, Item, Kind, NONE, Track};
use crate::ids::{Id, ThreadId};
use crate::trace::{Cast, State, Why};

/// Both anchors that close a stretch of a thread are there, and the thread ran longer in it in B.
pub(super) const MORE_WORK: u8 = 1;
/// The same, but shorter.
pub(super) const LESS_WORK: u8 = 32;
/// I/O or sleep took longer or shorter.
pub(super) const AWAY: u8 = 2;
/// Something that the program decides is missing on one side.
pub(super) const PROGRAM: u8 = 4;
/// A stretch between two anchors ends here.
pub(super) const CLOSES: u8 = 8;
/// In another order than others of its kind.
pub(super) const REORDERED: u8 = 16;

/// A pair of records, or a record that only one timeline has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// When it happened first, on either side.
    pub at: u64,
    pub a: u32,
    pub b: u32,
    /// The pair of threads; the pair of processes for exits.
    pub owner: u32,
    pub flags: u8,
}

/// One side: what is looked up again and again.
pub(super) struct Side<'t> {
    pub track: &'t Track,
    pub cast: &'t Cast,
    /// For each record of a thread the record of the state that it was in.
    pub during: Vec<u32>,
    /// The records of each thread, without dispatches.
    pub threads: Streams,
    dispatches: Streams,
    exits: Streams,
}

/// Lists of records by owner, in one array.
pub(super) struct Streams {
    starts: Vec<u32>,
    records: Vec<u32>,
}

impl Streams {
    fn of(items: &[Item], owners: usize, wanted: impl Fn(Kind) -> bool) -> Streams {
        let mut starts = vec![0u32; owners + 1];
        let wanted = |item: &Item| wanted(item.kind);
        items.iter().filter(|item| wanted(item)).for_each(|item| starts[item.owner as usize + 1] += 1);
        (1..starts.len()).for_each(|owner| starts[owner] += starts[owner - 1]);
        let mut next = starts.clone();
        let mut records = vec![0; starts[owners] as usize];
        for (index, item) in items.iter().enumerate().filter(|(_, item)| wanted(item)) {
            let place = &mut next[item.owner as usize];
            records[*place as usize] = index as u32;
            *place += 1;
        }
        Streams { starts, records }
    }

    /// The records of an owner; none for nobody.
    pub fn of_owner(&self, owner: Option<impl Id>) -> &[u32] {
        let Some(owner) = owner.map(Id::index) else { return &[] };
        &self.records[self.starts[owner] as usize..self.starts[owner + 1] as usize]
    }
}

impl<'t> Side<'t> {
    pub fn new(track: &'t Track, cast: &'t Cast) -> Side<'t> {
        let items = &track.items;
        let mut now = vec![NONE; cast.threads.len()];
        let mut during = vec![NONE; items.len()];
        for (index, item) in items.iter().enumerate().filter(|(_, item)| item.kind.of_thread()) {
            let state = &mut now[item.owner as usize];
            during[index] = *state;
            if item.kind == Kind::State {
                *state = index as u32;
            }
        }
        let of_thread = |kind: Kind| kind.of_thread() && kind != Kind::Dispatch;
        Side {
            track,
            cast,
            during,
            threads: Streams::of(items, cast.threads.len(), of_thread),
            dispatches: Streams::of(items, cast.threads.len(), |kind| kind == Kind::Dispatch),
            exits: Streams::of(items, cast.processes.len(), |kind| matches!(kind, Kind::Quota | Kind::Exit)),
        }
    }

    pub fn item(&self, index: u32) -> &Item {
        &self.track.items[index as usize]
    }

    /// The state that a thread was in when a record came, and since when.
    pub fn state_during(&self, index: u32) -> Option<&Item> {
        let during = self.during[index as usize];
        (during != NONE).then(|| self.item(during))
    }

    /// How long the thread had been in its state.
    pub fn elapsed(&self, index: u32) -> Option<u64> {
        self.state_during(index).map(|state| self.item(index).at - state.at)
    }
}

/// Numbers that are equal for records that may be partners.
struct Keys<'k> {
    texts: BTreeMap<&'k str, u32>,
    identity: &'k Identity,
}

impl<'k> Keys<'k> {
    fn new(a: &'k Track, b: &'k Track, identity: &'k Identity) -> Keys<'k> {
        let mut texts = BTreeMap::new();
        for text in a.texts.iter().chain(&b.texts) {
            let next = texts.len() as u32;
            texts.entry(text.as_str()).or_insert(next);
        }
        Keys { texts, identity }
    }

    fn of(&self, side: &Side<'_>, item: &Item, in_a: bool) -> u64 {
        let (word, object) = match item.kind {
            Kind::Lock => {
                let locks = if in_a { &self.identity.locks.0 } else { &self.identity.locks.1 };
                let number = locks.values().nth(item.object as usize).copied().unwrap_or(NONE);
                // A lock that is handed over is taken as well.
                (if item.word == HAND_OVER { 0 } else { item.word }, number)
            }
            Kind::Object => {
                let objects = if in_a { &self.identity.objects.0 } else { &self.identity.objects.1 };
                (item.word, objects.values().nth(item.object as usize).copied().unwrap_or(NONE))
            }
            Kind::Span => {
                let spans = if in_a { &self.identity.spans.0 } else { &self.identity.spans.1 };
                (item.word, spans.values().nth(item.object as usize).copied().unwrap_or(NONE))
            }
            Kind::Output => {
                (0, self.texts.get(side.track.texts[item.object as usize].as_str()).copied().unwrap_or(NONE))
            }
            _ => (item.word, 0),
        };
        (item.kind as u64) << 40 | u64::from(word) << 32 | u64::from(object)
    }
}

/// All nodes, in the order in which they happened first.
pub(super) fn nodes(a: &Side<'_>, b: &Side<'_>, identity: &Identity, placement: bool) -> Vec<Node> {
    let keys = Keys::new(a.track, b.track, identity);
    let mut pairing = Pairing { a, b, keys, nodes: Vec::with_capacity(a.track.len().max(b.track.len())) };
    for (number, pair) in identity.threads.iter().enumerate() {
        pairing.thread(number as u32, *pair);
        if placement {
            let dispatches = (a.dispatches.of_owner(pair.0), b.dispatches.of_owner(pair.1));
            pairing.between(number as u32, dispatches.0, dispatches.1);
        }
    }
    for (number, pair) in identity.processes.iter().enumerate() {
        pairing.between(number as u32, a.exits.of_owner(pair.0), b.exits.of_owner(pair.1));
    }
    let end = |side: &Side<'_>| side.track.items.iter().rposition(|item| item.kind == Kind::End);
    if let (Some(of_a), Some(of_b)) = (end(a), end(b)) {
        pairing.push(of_a as u32, of_b as u32, NONE, 0);
    }
    let mut nodes = pairing.nodes;
    // Within an instant a step too many or too few explains the rest; which thread a core turns to says least.
    let rank = |node: &Node| {
        let item = if node.a == NONE { b.item(node.b) } else { a.item(node.a) };
        1 + u8::from(item.kind == Kind::Dispatch) - u8::from(node.flags & PROGRAM > 0)
    };
    nodes.sort_unstable_by_key(|node| (node.at, rank(node), node.a.min(node.b), node.a, node.b));
    nodes
}

struct Pairing<'p, 't> {
    a: &'p Side<'t>,
    b: &'p Side<'t>,
    keys: Keys<'p>,
    nodes: Vec<Node>,
}

impl Pairing<'_, '_> {
    fn push(&mut self, a: u32, b: u32, owner: u32, flags: u8) {
        let at = |side: &Side<'_>, index: u32| if index == NONE { u64::MAX } else { side.item(index).at };
        let at = at(self.a, a).min(at(self.b, b));
        self.nodes.push(Node { at, a, b, owner, flags });
    }

    fn keys_of(&self, records: &[u32], in_a: bool) -> Vec<u64> {
        let side = if in_a { self.a } else { self.b };
        records.iter().map(|index| self.keys.of(side, side.item(*index), in_a)).collect()
    }

    /// Pairs the records of a thread: anchors first, then what lies between them.
    fn thread(&mut self, owner: u32, pair: Both<ThreadId>) {
        let (of_a, of_b) = (self.a.threads.of_owner(pair.0), self.b.threads.of_owner(pair.1));
        let places = |side: &Side<'_>, records: &[u32]| -> Vec<u32> {
            (0..records.len() as u32).filter(|place| side.item(records[*place as usize]).is_anchor()).collect()
        };
        let (anchors_a, anchors_b) = (places(self.a, of_a), places(self.b, of_b));
        let mates = self.anchors((of_a, &anchors_a), (of_b, &anchors_b));
        let (mut from_a, mut from_b) = (0, 0);
        for (i, j) in mates {
            let (i, j) = (anchors_a[i] as usize, anchors_b[j] as usize);
            let begins = (start(self.a, of_a, from_a), start(self.b, of_b, from_b));
            self.stretch(owner, &of_a[from_a..i], &of_b[from_b..j], Some((of_a[i], of_b[j], begins)));
            (from_a, from_b) = (i + 1, j + 1);
        }
        self.stretch(owner, &of_a[from_a..], &of_b[from_b..], None);
    }

    /// Pairs anchors: first those that also agree in the work before them and in how long they last, so that one step too
    /// many among many that are alike is found where it is; then the others in between.
    fn anchors(&self, a: (&[u32], &[u32]), b: (&[u32], &[u32])) -> Vec<(usize, usize)> {
        let at =
            |records: &[u32], places: &[u32]| places.iter().map(|place| records[*place as usize]).collect::<Vec<_>>();
        let keys = (self.keys_of(&at(a.0, a.1), true), self.keys_of(&at(b.0, b.1), false));
        let exact = (exact(self.a, a.0, a.1, &keys.0), exact(self.b, b.0, b.1, &keys.1));
        let mut firm = Vec::new();
        align(&exact.0, &exact.1, |i, j| firm.push((i, j)));
        let mut mates = Vec::with_capacity(firm.len());
        let (mut from_a, mut from_b) = (0, 0);
        for (i, j) in firm.into_iter().chain([(keys.0.len(), keys.1.len())]) {
            align(&keys.0[from_a..i], &keys.1[from_b..j], |k, l| mates.push((from_a + k, from_b + l)));
            if i < keys.0.len() {
                mates.push((i, j));
            }
            (from_a, from_b) = (i + 1, j + 1);
        }
        mates
    }

    /// A stretch between two pairs of anchors, and the pair that closes it. What is open at the end of a timeline may lack
    /// a partner only because the other timeline stops earlier.
    fn stretch(&mut self, owner: u32, a: &[u32], b: &[u32], closing: Option<(u32, u32, (u64, u64))>) {
        let first = self.nodes.len();
        self.between(owner, a, b);
        let (side_a, side_b) = (self.a, self.b);
        let Some((of_a, of_b, begins)) = closing else { return };
        if cut_off(side_a, of_a) || cut_off(side_b, of_b) {
            return self.push(of_a, of_b, owner, CLOSES);
        }
        let mut missing = false;
        for node in &mut self.nodes[first..] {
            let alone = match (node.a, node.b) {
                (index, NONE) => side_a.item(index).is_anchor(),
                (NONE, index) => side_b.item(index).is_anchor(),
                _ => false,
            };
            missing |= alone;
            node.flags |= if alone { PROGRAM } else { 0 };
        }
        let mut flags = CLOSES | away(side_a, of_a, side_b, of_b);
        let ran = (ran(side_a, a, of_a, begins.0), ran(side_b, b, of_b, begins.1));
        let factors = (factor(side_a, of_a), factor(side_b, of_b));
        let comparable = !missing && factors.0 == factors.1 && even(side_a.cast) && even(side_b.cast);
        if comparable {
            flags |= match ran.0.cmp(&ran.1) {
                Ordering::Less => MORE_WORK,
                Ordering::Equal => 0,
                Ordering::Greater => LESS_WORK,
            };
        }
        self.push(of_a, of_b, owner, flags);
    }

    /// Pairs records by their keys, the n-th with the n-th where they agree.
    fn between(&mut self, owner: u32, a: &[u32], b: &[u32]) {
        if a.is_empty() && b.is_empty() {
            return;
        }
        let keys = (self.keys_of(a, true), self.keys_of(b, false));
        let mut mates = Vec::new();
        align(&keys.0, &keys.1, |i, j| mates.push((i, j)));
        let (mut i, mut j) = (0, 0);
        for (mate_a, mate_b) in mates.into_iter().chain([(a.len(), b.len())]) {
            self.alone(owner, (&a[i..mate_a], &keys.0[i..mate_a]), (&b[j..mate_b], &keys.1[j..mate_b]));
            if mate_a < a.len() {
                let flags = away(self.a, a[mate_a], self.b, b[mate_b]);
                self.push(a[mate_a], b[mate_b], owner, flags);
            }
            (i, j) = (mate_a + 1, mate_b + 1);
        }
    }

    /// Records without partners; the same thing of a program on both sides changed places.
    fn alone(&mut self, owner: u32, a: (&[u32], &[u64]), b: (&[u32], &[u64])) {
        let mut taken = vec![false; b.0.len()];
        for (index, key) in a.0.iter().zip(a.1) {
            let anchor = self.a.item(*index).is_anchor() && b.0.len() <= 64;
            let mate = if anchor { (0..b.0.len()).find(|place| !taken[*place] && b.1[*place] == *key) } else { None };
            match mate {
                Some(place) => {
                    taken[place] = true;
                    self.push(*index, b.0[place], owner, REORDERED);
                }
                None => self.push(*index, NONE, owner, 0),
            }
        }
        for (index, taken) in b.0.iter().zip(taken) {
            if !taken {
                self.push(NONE, *index, owner, 0);
            }
        }
    }
}

/// Keys of anchors mixed with the work before them and with how long the state lasts that they begin.
fn exact(side: &Side<'_>, records: &[u32], anchors: &[u32], keys: &[u64]) -> Vec<u64> {
    let mut before = 0;
    let key = |(place, key): (&u32, &u64)| {
        let place = *place as usize;
        let begins = start(side, records, before);
        let ran = ran(side, &records[before..place], records[place], begins);
        before = place + 1;
        let next = records[place + 1..].iter().find(|index| side.item(**index).kind == Kind::State);
        let ends = next.filter(|_| side.item(records[place]).kind == Kind::State);
        let lasts = ends.map_or(0, |index| side.item(*index).at - side.item(records[place]).at);
        // FNV's prime spreads the three; equal values give equal keys, and others hardly ever.
        [ran, lasts].iter().fold(*key, |mixed, part| (mixed ^ part).wrapping_mul(0x0100_0000_01b3).rotate_left(29))
    };
    anchors.iter().zip(keys).map(key).collect()
}

/// Whether time on a core means the same work on every core.
fn even(cast: &Cast) -> bool {
    cast.cores.values().all(|speed| *speed == cast.scale)
}

/// By how much a thread's Python code takes longer.
fn factor(side: &Side<'_>, index: u32) -> (u64, u64) {
    side.cast.threads[ThreadId(side.item(index).owner)].factor
}

/// Whether not the thread's own program ended the stretch that a record closes.
fn cut_off(side: &Side<'_>, closing: u32) -> bool {
    let item = side.item(closing);
    match item.kind {
        Kind::State => item.why == Why::ProcessEnded as u8,
        Kind::Account => !side.track.accounts[item.object as usize].3,
        _ => false,
    }
}

/// When the stretch begins whose first record would be at this place.
fn start(side: &Side<'_>, records: &[u32], place: usize) -> u64 {
    place.checked_sub(1).map_or(0, |before| side.item(records[before]).at)
}

/// How long a thread ran in a stretch that begins at an instant and that a record closes.
fn ran(side: &Side<'_>, stretch: &[u32], closing: u32, begins: u64) -> u64 {
    let ends = stretch.iter().copied().filter(|index| side.item(*index).kind == Kind::State).chain([closing]);
    let ran = |index: u32| {
        let state = side.state_during(index).filter(|item| item.state().is_running())?;
        Some(side.item(index).at - state.at.max(begins))
    };
    ends.filter_map(ran).sum()
}

/// The flag of a record that ends I/O or sleep of another length.
fn away(side_a: &Side<'_>, a: u32, side_b: &Side<'_>, b: u32) -> u8 {
    if side_a.item(a).kind != Kind::State {
        return 0;
    }
    let (Some(of_a), Some(of_b)) = (side_a.state_during(a), side_b.state_during(b)) else { return 0 };
    let is_away = |item: &Item| {
        let begun = [Why::IoStarted as u8, Why::SleepStarted as u8].contains(&item.why);
        matches!(item.state(), State::Io | State::Sleep) && begun
    };
    let other = is_away(of_a) && is_away(of_b) && side_a.elapsed(a) != side_b.elapsed(b);
    if other { AWAY } else { 0 }
}
