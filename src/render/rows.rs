//! Which threads a picture or table shows, and how many it folds.

use crate::ids::ThreadId;
use crate::render::report::Style;
use crate::trace::Cast;

/// A group of more members than this is folded.
const MOST_MEMBERS: usize = 6;

/// A row of a picture or table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::render) enum Row {
    /// One thread. Names are never merged into one row.
    Thread(ThreadId),
    /// So many more of the same group, left out here.
    Like(usize),
    /// So many more threads of any group, left out at the end.
    More(usize),
}

/// The threads in declaration order. Of a large group the first `first` and the last one are shown, and no more than
/// [`Style::rows`] rows in all.
pub(in crate::render) fn rows(cast: &Cast, style: &Style, first: usize) -> Vec<Row> {
    if style.all {
        return cast.threads.ids().map(Row::Thread).collect();
    }
    let ids: Vec<ThreadId> = cast.threads.ids().collect();
    let groups = ids.chunk_by(|a, b| cast.threads[*a].group == cast.threads[*b].group);
    let mut rows = Vec::new();
    let mut shown = 0;
    for group in groups {
        if rows.len() >= style.rows {
            break;
        }
        shown += group.len();
        fold(group, first, &mut rows);
    }
    let cut = rows.split_off(rows.len().min(style.rows));
    let left_out = cut.iter().map(Row::threads).sum::<usize>() + ids.len() - shown;
    if left_out > 0 {
        rows.push(Row::More(left_out));
    }
    rows
}

/// The threads in declaration order: one by one, or all members of a group that is large enough to be folded.
pub(in crate::render) fn groups<'i>(cast: &Cast, ids: &'i [ThreadId]) -> Vec<&'i [ThreadId]> {
    let groups = ids.chunk_by(|a, b| cast.threads[*a].group == cast.threads[*b].group);
    groups.flat_map(|group| group.chunks(if group.len() > MOST_MEMBERS { group.len() } else { 1 })).collect()
}

fn fold(group: &[ThreadId], first: usize, rows: &mut Vec<Row>) {
    let threads = |ids: &[ThreadId]| ids.iter().copied().map(Row::Thread).collect::<Vec<_>>();
    if group.len() <= MOST_MEMBERS {
        return rows.extend(threads(group));
    }
    let (shown, last) = (&group[..first], &group[group.len() - 1..]);
    rows.extend(threads(shown));
    rows.push(Row::Like(group.len() - first - 1));
    rows.extend(threads(last));
}

impl Row {
    /// How many threads it stands for.
    fn threads(&self) -> usize {
        match self {
            Row::Thread(_) => 1,
            Row::Like(count) | Row::More(count) => *count,
        }
    }

    /// What it says in place of the threads left out.
    pub fn folded(&self) -> Option<String> {
        match self {
            Row::Thread(_) => None,
            Row::Like(count) => Some(format!("... {count} more like these (--all) ...")),
            Row::More(count) => Some(format!("... {count} more (--all) ...")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::play;

    fn shape(members: &[(&str, usize)], style: Style, first: usize) -> Vec<Row> {
        let names: Vec<String> =
            members.iter().flat_map(|(name, count)| (1..=*count).map(move |n| format!("{name}-{n}"))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        rows(&play::cast(1, &names), &style, first)
    }

    fn thread(place: u32) -> Row {
        Row::Thread(ThreadId(place))
    }

    #[test]
    fn large_groups_are_folded_and_nobody_is_lost() {
        let style = Style::default();
        assert_eq!(shape(&[("a", 6)], style, 4).len(), 6);
        let expected = [thread(0), thread(1), thread(2), thread(3), Row::Like(7), thread(11)];
        assert_eq!(shape(&[("a", 12)], style, 4), expected);
        assert_eq!(shape(&[("a", 12)], style, 1), [thread(0), Row::Like(10), thread(11)]);
        assert_eq!(shape(&[("a", 12)], Style { all: true, ..style }, 4).len(), 12);
        for rows in 1..12 {
            let style = Style { rows, ..style };
            let shown = shape(&[("a", 5), ("b", 9), ("c", 7), ("d", 2)], style, 4);
            assert!(shown.len() <= rows + 1);
            assert_eq!(shown.iter().map(Row::threads).sum::<usize>(), 5 + 9 + 7 + 2);
        }
    }
}
