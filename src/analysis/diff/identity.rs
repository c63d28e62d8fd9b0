//! Who is who: threads, processes and locks of two timelines, paired by name.

use std::collections::BTreeMap;

use crate::ids::{Id, IdVec, LockId, ObjectId, ProcId, SpanId, ThreadId};
use crate::trace::Cast;

/// Something that is in A, in B, or in both.
pub(super) type Both<K> = (Option<K>, Option<K>);

/// The pairs of two casts.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    pub threads: Vec<Both<ThreadId>>,
    pub processes: Vec<Both<ProcId>>,
    /// For each lock of A and of B the number of its pair.
    pub locks: (IdVec<LockId, u32>, IdVec<LockId, u32>),
    /// The same of other shared objects.
    pub objects: (IdVec<ObjectId, u32>, IdVec<ObjectId, u32>),
    /// The same for the names of stretches of work.
    pub spans: (IdVec<SpanId, u32>, IdVec<SpanId, u32>),
}

impl Identity {
    /// Pairs whoever has the same full name; of the others whoever has the same own name, if that is unique: a thread of
    /// `main` is the same as that thread in a process of its own.
    pub fn of(a: &Cast, b: &Cast) -> Identity {
        let full = |cast: &Cast| cast.threads.ids().map(|id| cast.full_name(id)).collect::<Vec<_>>();
        let own = |cast: &Cast| cast.threads.values().map(|actor| actor.name.clone()).collect::<Vec<_>>();
        let threads = pair(&[(full(a), full(b)), (own(a), own(b))]);
        let names = |cast: &Cast| cast.processes.values().cloned().collect::<Vec<_>>();
        let locks = |cast: &Cast| cast.locks.values().cloned().collect::<Vec<_>>();
        let objects = |cast: &Cast| cast.objects.values().map(|thing| thing.name.clone()).collect::<Vec<_>>();
        let spans = |cast: &Cast| cast.spans.values().cloned().collect::<Vec<_>>();
        Identity {
            threads,
            processes: pair(&[(names(a), names(b))]),
            locks: shared(locks(a), locks(b)),
            objects: shared(objects(a), objects(b)),
            spans: shared(spans(a), spans(b)),
        }
    }
}

/// For what two casts share out by name the number of its pair, in A and in B.
fn shared<K: Id>(a: Vec<String>, b: Vec<String>) -> (IdVec<K, u32>, IdVec<K, u32>) {
    let own = |names: &[String]| names.iter().map(|name| own_name(name).to_string()).collect::<Vec<_>>();
    let lengths = (a.len(), b.len());
    let pairs: Vec<Both<K>> = pair(&[(a.clone(), b.clone()), (own(&a), own(&b))]);
    (numbers(&pairs, lengths.0, |pair| pair.0), numbers(&pairs, lengths.1, |pair| pair.1))
}

fn own_name(full: &str) -> &str {
    full.rsplit_once('/').map_or(full, |(_, own)| own)
}

fn numbers<K: Id>(pairs: &[Both<K>], len: usize, side: impl Fn(&Both<K>) -> Option<K>) -> IdVec<K, u32> {
    let mut numbers = IdVec::filled(len, 0);
    for (number, pair) in pairs.iter().enumerate() {
        if let Some(id) = side(pair) {
            numbers[id] = number as u32;
        }
    }
    numbers
}

/// Pairs by the first kind of name, what is left by the next. In the order of A, then what only B has.
fn pair<K: Id>(kinds: &[(Vec<String>, Vec<String>)]) -> Vec<Both<K>> {
    let (len_a, len_b) = kinds.first().map_or((0, 0), |(a, b)| (a.len(), b.len()));
    let mut mates: Vec<Option<usize>> = vec![None; len_a];
    let mut taken = vec![false; len_b];
    for (a, b) in kinds {
        let free_b = b.iter().enumerate().filter(|(place, _)| !taken[*place]);
        let of_b = unique(free_b);
        let free_a = a.iter().enumerate().filter(|(place, _)| mates[*place].is_none());
        for (name, place) in unique(free_a) {
            if let Some(mate) = of_b.get(name) {
                mates[place] = Some(*mate);
                taken[*mate] = true;
            }
        }
    }
    let in_a = mates.iter().enumerate().map(|(place, mate)| (Some(K::new(place)), mate.map(K::new)));
    let only_b = taken.iter().enumerate().filter(|(_, taken)| !**taken).map(|(place, _)| (None, Some(K::new(place))));
    in_a.chain(only_b).collect()
}

/// The places of names that occur once.
fn unique<'n>(names: impl Iterator<Item = (usize, &'n String)>) -> BTreeMap<&'n str, usize> {
    let mut places: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    for (place, name) in names {
        places.entry(name).and_modify(|found| *found = None).or_insert(Some(place));
    }
    places.into_iter().filter_map(|(name, place)| place.map(|place| (name, place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_go_first_then_unique_own_names() {
        let names = |list: &[&str]| list.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let full = (names(&["main/a", "main/b", "main/c", "p/d"]), names(&["main/b", "a/a", "x/c", "y/c"]));
        let own = (names(&["a", "b", "c", "d"]), names(&["b", "a", "c", "c"]));
        let pairs: Vec<(Option<u32>, Option<u32>)> =
            pair::<ThreadId>(&[full, own]).into_iter().map(|(a, b)| (a.map(|a| a.0), b.map(|b| b.0))).collect();
        let expected = [
            (Some(0), Some(1)),
            (Some(1), Some(0)),
            (Some(2), None),
            (Some(3), None),
            (None, Some(2)),
            (None, Some(3)),
        ];
        assert_eq!(pairs, expected);
    }
}
