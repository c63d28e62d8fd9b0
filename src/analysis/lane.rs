//! One row of a picture: a line of columns, each with the time that every state (or holder) had in it.

use std::collections::BTreeMap;

use crate::time::Span;

/// The time that one thing had in one column, or in each of several columns that it filled completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<K> {
    /// The first column.
    pub column: u32,
    /// How many columns; more than one only where all of them are full.
    pub columns: u32,
    /// Whose time.
    pub what: K,
    /// How much, over all these columns.
    pub time: Span,
}

/// A row of columns. Long stretches are one [`Part`], so a row is never longer than what happened in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane<K> {
    parts: Vec<Part<K>>,
    /// The last column is being filled.
    column: u32,
    open: BTreeMap<K, u64>,
}

impl<K> Default for Lane<K> {
    fn default() -> Self {
        Lane { parts: Vec::new(), column: 0, open: BTreeMap::new() }
    }
}

impl<K: Copy + Ord> Part<K> {
    /// Whether a part of full columns only prolongs this one.
    fn goes_on_in(&self, next: &Part<K>) -> bool {
        let full = self.time.ns() / u64::from(self.columns) == next.time.ns() / u64::from(next.columns);
        self.what == next.what && self.column + self.columns == next.column && full
    }
}

impl<K: Copy + Ord> Lane<K> {
    /// The row's parts, by column.
    pub fn parts(&self) -> impl Iterator<Item = Part<K>> {
        let open = self.open.iter().map(|(what, time)| self.open_part(*what, *time));
        self.parts.iter().copied().chain(open)
    }

    /// The columns one by one, up to the last one with anything in it.
    pub fn cells(&self) -> Vec<Vec<(K, Span)>> {
        let mut cells: Vec<Vec<(K, Span)>> = Vec::new();
        for part in self.parts() {
            let end = (part.column + part.columns) as usize;
            if cells.len() < end {
                cells.resize_with(end, Vec::new);
            }
            let each = Span::from_ns(part.time.ns() / u64::from(part.columns));
            cells[part.column as usize..end].iter_mut().for_each(|cell| cell.push((part.what, each)));
        }
        cells
    }

    /// The same row with columns `factor` times as wide as `width`. Nothing is lost or rounded.
    pub fn widened(&self, width: u64, factor: u64) -> Lane<K> {
        let mut wide = Lane::default();
        for part in self.parts() {
            if part.columns > 1 {
                let from = u64::from(part.column) * width;
                wide.add(width * factor, part.what, from, from + part.time.ns());
            } else {
                wide.partial((u64::from(part.column) / factor) as u32, part.what, part.time.ns());
            }
        }
        wide
    }

    /// Adds the stretch `from..to`, in nanoseconds, to columns `width` wide. Stretches come in order of time.
    pub(in crate::analysis) fn add(&mut self, width: u64, what: K, from: u64, to: u64) {
        let (full, end) = (from.div_ceil(width), to / width);
        if full >= end {
            let border = (end * width).max(from);
            self.partial((from / width) as u32, what, border - from);
            self.partial(end as u32, what, to.saturating_sub(border));
            return;
        }
        self.partial((from / width) as u32, what, full * width - from);
        self.full(full as u32, end as u32, what, (end - full) * width);
        self.partial(end as u32, what, to - end * width);
    }

    fn partial(&mut self, column: u32, what: K, time: u64) {
        if time == 0 {
            return;
        }
        if column > self.column {
            self.flush();
            self.column = column;
        }
        *self.open.entry(what).or_default() += time;
    }

    fn full(&mut self, column: u32, end: u32, what: K, time: u64) {
        self.flush();
        self.column = self.column.max(end);
        let part = Part { column, columns: end - column, what, time: Span::from_ns(time) };
        match self.parts.last_mut().filter(|last| last.goes_on_in(&part)) {
            Some(last) => {
                last.columns += part.columns;
                last.time += part.time;
            }
            None => self.parts.push(part),
        }
    }

    fn flush(&mut self) {
        for (what, time) in std::mem::take(&mut self.open) {
            self.parts.push(self.open_part(what, time));
        }
    }

    fn open_part(&self, what: K, time: u64) -> Part<K> {
        Part { column: self.column, columns: 1, what, time: Span::from_ns(time) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(lane: &Lane<char>) -> Vec<Vec<(char, u64)>> {
        let plain = |cell: Vec<(char, Span)>| cell.into_iter().map(|(what, time)| (what, time.ns())).collect();
        lane.cells().into_iter().map(plain).collect()
    }

    #[test]
    fn stretches_are_split_at_the_borders_of_columns() {
        let mut lane = Lane::default();
        lane.add(10, 'a', 0, 4); // column 0: a 4
        lane.add(10, 'b', 4, 32); // column 0: b 6, 1 and 2 full, 3: b 2
        lane.add(10, 'a', 35, 40); // column 3: a 5
        lane.add(10, 'a', 40, 50); // column 4 full
        let expected =
            vec![vec![('a', 4), ('b', 6)], vec![('b', 10)], vec![('b', 10)], vec![('a', 5), ('b', 2)], vec![('a', 10)]];
        assert_eq!(cells(&lane), expected);
    }

    #[test]
    fn widening_merges_without_loss() {
        let mut lane = Lane::default();
        lane.add(10, 'a', 0, 4);
        lane.add(10, 'b', 4, 32);
        lane.add(10, 'a', 35, 90);
        // Two columns of 10 in one of 20: a 4 + b 16 | b 10 + b 2 + a 5 | a 20 | a 20 | a 10.
        let expected = vec![
            vec![('a', 4), ('b', 16)],
            vec![('a', 5), ('b', 12)],
            vec![('a', 20)],
            vec![('a', 20)],
            vec![('a', 10)],
        ];
        assert_eq!(cells(&lane.widened(10, 2)), expected);
        assert_eq!(cells(&lane.widened(10, 2).widened(20, 5)), cells(&lane.widened(10, 10)));
    }

    #[test]
    fn a_long_stretch_is_one_part() {
        let mut lane = Lane::default();
        (0..1000).for_each(|n| lane.add(7, 'a', n * 7, n * 7 + 7));
        assert_eq!(lane.parts().collect::<Vec<_>>().len(), 1);
    }

    #[test]
    fn overlaps_of_a_damaged_timeline_keep_their_time() {
        let mut lane = Lane::default();
        lane.add(10, 'a', 50, 90);
        lane.add(10, 'b', 12, 47);
        lane.add(10, 'c', 0, 95);
        let total: u64 = lane.parts().map(|part| part.time.ns()).sum();
        assert_eq!(total, 40 + 35 + 95);
        lane.widened(10, 5).cells();
    }
}
