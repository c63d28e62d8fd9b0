//! A timeline in a bounded number of columns of equal width. When the time outgrows them, the columns double in width.

/// So many columns at most; at least half as many once the time has outgrown them.
pub(super) const MOST_COLUMNS: usize = 600;

/// How long each look took within each column, lane by lane.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// Of one column, in nanoseconds.
    pub width: u64,
    lanes: Vec<Vec<Column>>,
}

/// What happened within one column: looks by number, with their nanoseconds.
type Column = Vec<(u8, u64)>;

/// What a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The look that took most of the column; `None` if nothing took most of it.
    pub most: Option<u8>,
    /// A look that matters and took part of the column, but not most of it: the `+`.
    pub also: Option<u8>,
}

impl Columns {
    /// For so many lanes, with columns of a width to begin with.
    pub fn new(lanes: usize, width: u64) -> Columns {
        Columns { width: width.max(1), lanes: vec![Vec::new(); lanes] }
    }

    /// In a lane, from `start` to `end`, it looked so.
    pub fn add(&mut self, lane: usize, start: u64, end: u64, look: u8) {
        while end.div_ceil(self.width) > MOST_COLUMNS as u64 {
            self.double();
        }
        let mut at = start;
        while at < end {
            let place = at / self.width;
            let next = ((place + 1) * self.width).min(end);
            let lane = &mut self.lanes[lane];
            if lane.len() <= place as usize {
                lane.resize(place as usize + 1, Vec::new());
            }
            note(&mut lane[place as usize], look, next - at);
            at = next;
        }
    }

    fn double(&mut self) {
        self.width *= 2;
        for lane in &mut self.lanes {
            let halves = std::mem::take(lane);
            *lane = Vec::with_capacity(halves.len() / 2 + 1);
            for (place, half) in halves.into_iter().enumerate() {
                if place % 2 == 0 {
                    lane.push(half);
                    continue;
                }
                let whole = lane.last_mut().expect("an even column comes first");
                half.into_iter().for_each(|(look, ns)| note(whole, look, ns));
            }
        }
    }

    /// What the columns of a lane show when the time is over at `end`. `matters` says of which looks no trace may be lost.
    pub fn shown(&self, lane: usize, end: u64, matters: impl Fn(u8) -> bool) -> Vec<Shown> {
        let length = |place: usize| self.width.min(end.saturating_sub(place as u64 * self.width));
        self.lanes[lane].iter().enumerate().map(|(place, column)| show(column, length(place), &matters)).collect()
    }
}

fn note(column: &mut Column, look: u8, ns: u64) {
    match column.iter_mut().find(|(each, _)| *each == look) {
        Some((_, sum)) => *sum += ns,
        None => column.push((look, ns)),
    }
}

fn show(column: &Column, length: u64, matters: &impl Fn(u8) -> bool) -> Shown {
    let filled: u64 = column.iter().map(|(_, ns)| ns).sum();
    // Of equals the one with the lower number, so that the order of arrival does not count.
    let longest = |looks: &mut dyn Iterator<Item = &(u8, u64)>| looks.copied().max_by_key(|(look, ns)| (*ns, !look));
    let most = longest(&mut column.iter()).filter(|(_, ns)| *ns >= length.saturating_sub(filled));
    let also = longest(&mut column.iter().filter(|(look, _)| matters(*look)));
    let most = most.map(|(look, _)| look);
    Shown { most, also: also.map(|(look, _)| look).filter(|_| !most.is_some_and(matters)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_majority_is_shown_and_what_matters_is_not_lost() {
        let mut columns = Columns::new(1, 10);
        columns.add(0, 0, 10, 1);
        columns.add(0, 10, 13, 7);
        columns.add(0, 13, 20, 1);
        columns.add(0, 20, 23, 7);
        columns.add(0, 30, 34, 7);
        let shown = columns.shown(0, 36, |look| look == 7);
        let expected = [(Some(1), None), (Some(1), Some(7)), (None, Some(7)), (Some(7), None)];
        assert_eq!(shown, expected.map(|(most, also)| Shown { most, also }));
    }

    #[test]
    fn columns_double_and_keep_every_nanosecond() {
        let mut columns = Columns::new(2, 1);
        for at in 0..10_000 {
            columns.add((at % 2) as usize, at, at + 1, (at % 3) as u8);
        }
        assert!(columns.lanes.iter().all(|lane| lane.len() <= MOST_COLUMNS && lane.len() > MOST_COLUMNS / 2));
        let kept: u64 = columns.lanes.iter().flatten().flatten().map(|(_, ns)| ns).sum();
        assert_eq!(kept, 10_000);
    }
}
