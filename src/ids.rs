//! Small typed indices and the vectors they index: a core number can never be taken for a thread number.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A typed index; a macro below makes them.
pub trait Id: Copy + Eq + Ord + fmt::Debug {
    /// The id of place `index`.
    fn new(index: usize) -> Self;
    /// The place in an [`IdVec`].
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl Id for $name {
            fn new(index: usize) -> Self {
                $name(u32::try_from(index).expect("more than 4 billion of one kind"))
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A core of the machine, from 0.
    CoreId
    /// A thread, in declaration order over the whole model, members in order.
    ThreadId
    /// A process, in declaration order, members in order.
    ProcId
    /// An interpreter: the main one of a process or a sub-interpreter.
    InterpId
    /// A Global Interpreter Lock.
    GilId
    /// A declared name under `threads` or `processes`, with all its members.
    GroupId
    /// A declared lock of one process.
    LockId
    /// A declared semaphore, queue, event, condition, barrier or variable of one process.
    ObjectId
    /// A declared device.
    DeviceId
    /// The name of a stretch of work, in the order in which the programs name them.
    SpanId
    /// A program: the flat list of operations that the members of a group share.
    ProgramId
}

/// A vector indexed by one kind of id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdVec<K, V> {
    items: Vec<V>,
    kind: PhantomData<K>,
}

impl<K: Id, V> IdVec<K, V> {
    /// An empty vector.
    pub fn new() -> Self {
        IdVec { items: Vec::new(), kind: PhantomData }
    }

    /// `len` copies of `value`.
    pub fn filled(len: usize, value: V) -> Self
    where
        V: Clone,
    {
        IdVec { items: vec![value; len], kind: PhantomData }
    }

    /// Adds a value and returns its id.
    pub fn push(&mut self, value: V) -> K {
        self.items.push(value);
        K::new(self.items.len() - 1)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The value of `id`, if there is one.
    pub fn get(&self, id: K) -> Option<&V> {
        self.items.get(id.index())
    }

    /// All ids in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = K> + ExactSizeIterator + use<K, V> {
        (0..self.items.len()).map(K::new)
    }

    /// All values in order.
    pub fn values(&self) -> std::slice::Iter<'_, V> {
        self.items.iter()
    }

    /// All values in order, to change.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, V> {
        self.items.iter_mut()
    }

    /// All ids with their values, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> + ExactSizeIterator {
        self.items.iter().enumerate().map(|(index, value)| (K::new(index), value))
    }
}

impl<K: Id, V> Default for IdVec<K, V> {
    fn default() -> Self {
        IdVec::new()
    }
}

impl<K: Id, V> FromIterator<V> for IdVec<K, V> {
    fn from_iter<I: IntoIterator<Item = V>>(values: I) -> Self {
        IdVec { items: values.into_iter().collect(), kind: PhantomData }
    }
}

impl<K: Id, V> Index<K> for IdVec<K, V> {
    type Output = V;
    fn index(&self, id: K) -> &V {
        &self.items[id.index()]
    }
}

impl<K: Id, V> IndexMut<K> for IdVec<K, V> {
    fn index_mut(&mut self, id: K) -> &mut V {
        &mut self.items[id.index()]
    }
}
