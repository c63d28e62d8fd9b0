//! Where the blocks of a Gantt chart stand: every block wide enough for its name, every time for its digits, and the
//! same time in the same column on every row.

use crate::render::layout::columns as columns_of;

/// A block of a row: from a time to a time, with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub start: u64,
    pub end: u64,
    /// `None` = idle.
    pub name: Option<String>,
}

/// The columns of the times at which something begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    times: Vec<u64>,
    columns: Vec<usize>,
    /// Whether equal lengths of time have equal widths.
    pub to_scale: bool,
}

impl Layout {
    /// Lays out as much as fits into `width` columns, from the start on: to scale if possible, otherwise as near to that as
    /// names and times allow. `more` are further times that need a column. `digits` says how a time is written.
    pub fn of(rows: &[Vec<Block>], more: &[u64], width: usize, digits: &dyn Fn(u64) -> String) -> Layout {
        let mut times: Vec<u64> = rows.iter().flatten().flat_map(|block| [block.start, block.end]).collect();
        times.extend(more);
        times.push(0);
        times.sort_unstable();
        times.dedup();
        let narrow = place(rows, &times, 0, digits);
        let fitting = times.iter().zip(&narrow).take_while(|(time, column)| **column + digits(**time).len() <= width);
        let fitting = fitting.count();
        times.truncate(fitting.max(2));
        let fits = |times: &[u64], scale: usize| {
            let columns = place(&clipped(rows, times), times, scale, digits);
            columns.last().zip(times.last()).is_none_or(|(column, time)| column + digits(*time).len() <= width)
        };
        // A block that goes on beyond the end takes room too. One length of time at least: a chart of nothing is no chart.
        while times.len() > 2 && !fits(&times, 0) {
            times.pop();
        }
        // The largest scale that fits; a larger one never makes anything narrower.
        let (mut low, mut high) = (0, width + 1);
        while low + 1 < high {
            let middle = (low + high) / 2;
            if fits(&times, middle) { low = middle } else { high = middle }
        }
        let columns = place(&clipped(rows, &times), &times, low, digits);
        let to_scale = times.iter().zip(&columns).all(|(time, column)| *column == target(*time, &times, low));
        Layout { times, columns, to_scale }
    }

    /// The last time that has a column.
    pub fn end(&self) -> u64 {
        self.times.last().copied().unwrap_or_default()
    }

    /// The column of a time; of the end for times beyond it.
    pub fn column(&self, time: u64) -> usize {
        let place = self.times.partition_point(|each| *each < time).min(self.times.len().saturating_sub(1));
        self.columns.get(place).copied().unwrap_or_default()
    }
}

/// What of the rows is before the last time.
fn clipped(rows: &[Vec<Block>], times: &[u64]) -> Vec<Vec<Block>> {
    let last = times.last().copied().unwrap_or_default();
    let clip = |block: &Block| Block { end: block.end.min(last), ..block.clone() };
    rows.iter().map(|row| row.iter().filter(|block| block.start < last).map(clip).collect()).collect()
}

/// The column of a time if the whole were `scale` columns wide.
fn target(time: u64, times: &[u64], scale: usize) -> usize {
    let last = times.last().copied().unwrap_or_default().max(1);
    (u128::from(time) * scale as u128 / u128::from(last)) as usize
}

/// The columns of all times, none further left than names, times and scale allow.
fn place(rows: &[Vec<Block>], times: &[u64], scale: usize, digits: &dyn Fn(u64) -> String) -> Vec<usize> {
    let mut columns: Vec<usize> = Vec::with_capacity(times.len());
    // The next block of each row that has not ended.
    let mut next = vec![0; rows.len()];
    let column_of =
        |columns: &[usize], time: u64| times.binary_search(&time).ok().and_then(|i| columns.get(i).copied());
    for time in times {
        let mut column = target(*time, times, scale).max(columns.last().copied().unwrap_or_default());
        for (row, next) in rows.iter().zip(&mut next) {
            let Some(block) = row.get(*next).filter(|block| block.end == *time) else { continue };
            *next += 1;
            let start = column_of(&columns, block.start).unwrap_or_default();
            column = column.max(start + needs(block, digits));
        }
        columns.push(column);
    }
    columns
}

/// From the bar before a block to the bar behind it: room for the name, and for the time below and a space.
fn needs(block: &Block, digits: &dyn Fn(u64) -> String) -> usize {
    let name = block.name.as_deref().map_or(1, columns_of);
    1 + name.max(digits(block.start).len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(start: u64, end: u64, name: &str) -> Block {
        Block { start, end, name: Some(name.to_string()).filter(|name| !name.is_empty()) }
    }

    fn columns(rows: &[Vec<Block>], width: usize) -> (Vec<usize>, u64, bool) {
        let layout = Layout::of(rows, &[], width, &|time| time.to_string());
        (layout.columns.clone(), layout.end(), layout.to_scale)
    }

    #[test]
    fn to_scale_where_names_allow() {
        let rows = [vec![block(0, 10, "a"), block(10, 30, "b")]];
        assert_eq!(columns(&rows, 32), (vec![0, 10, 30], 30, true));
    }

    #[test]
    fn short_blocks_get_room_for_their_names() {
        let rows = [vec![block(0, 1, "first"), block(1, 100, "second")]];
        assert_eq!(columns(&rows, 23), (vec![0, 6, 20], 100, false));
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let rows = [(0..9).map(|i| block(i * 10, i * 10 + 10, "worker")).collect::<Vec<_>>()];
        assert_eq!(columns(&rows, 17), (vec![0, 7, 15], 20, true));
    }

    #[test]
    fn a_block_that_is_cut_has_room_for_its_name_too() {
        let rows = [vec![block(0, 20, "a"), block(20, 40, "b")], vec![block(0, 21, "c"), block(21, 40, "something")]];
        assert_eq!(columns(&rows, 6), (vec![0, 4], 20, true));
        assert_eq!(columns(&rows, 7), (vec![0, 2, 5], 21, false));
    }

    #[test]
    fn rows_share_their_columns() {
        let rows = [vec![block(0, 10, "a"), block(10, 20, "b")], vec![block(0, 20, "")]];
        assert_eq!(columns(&rows, 8), (vec![0, 3, 6], 20, true));
    }
}
