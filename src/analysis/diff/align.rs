//! Pairs two sequences of keys: equal keys in the same order, with few left over.
//!
//! Linear time: common beginnings and ends are taken off, and after a difference the nearest place is sought at which a few
//! keys agree again. The result is a common subsequence, not always the longest; for a thousand keys that all differ it
//! gives up on blocks rather than compare everything with everything.

/// How far the next agreement is sought.
const REACH: usize = 64;
/// How many keys must agree there.
const AGREE: usize = 4;

/// Calls `paired` with the places of all pairs, in order.
pub fn align(a: &[u64], b: &[u64], mut paired: impl FnMut(usize, usize)) {
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (rest_a, rest_b) = (&a[head..], &b[head..]);
    let tail = rest_a.iter().rev().zip(rest_b.iter().rev()).take_while(|(a, b)| a == b).count();
    (0..head).for_each(|place| paired(place, place));
    middle(&rest_a[..rest_a.len() - tail], &rest_b[..rest_b.len() - tail], |i, j| paired(head + i, head + j));
    (0..tail).rev().for_each(|back| paired(a.len() - 1 - back, b.len() - 1 - back));
}

fn middle(a: &[u64], b: &[u64], mut paired: impl FnMut(usize, usize)) {
    // A few keys that agree by chance at an end mean little, but where there are no more they are all there is.
    let agree = AGREE.min(a.len()).min(b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            paired(i, j);
            (i, j) = (i + 1, j + 1);
        } else {
            let (skip_a, skip_b) = meeting(&a[i..], &b[j..], agree).unwrap_or((REACH, REACH));
            (i, j) = (i + skip_a, j + skip_b);
        }
    }
}

/// How many keys to skip on each side so that the next ones agree; as few as possible.
fn meeting(a: &[u64], b: &[u64], many: usize) -> Option<(usize, usize)> {
    let agree = |i: usize, j: usize| a.get(i..i + many).is_some_and(|keys| b.get(j..j + many) == Some(keys));
    (1..=REACH).find_map(|skipped| {
        let mut splits = (0..=skipped).map(|in_b| (skipped - in_b, in_b));
        splits.find(|(i, j)| agree(*i, *j))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(a: &str, b: &str) -> String {
        let keys = |text: &str| text.bytes().map(u64::from).collect::<Vec<_>>();
        let mut common = Vec::new();
        let mut last = None;
        align(&keys(a), &keys(b), |i, j| {
            assert_eq!(a.as_bytes()[i], b.as_bytes()[j]);
            assert!(last.is_none_or(|(before_i, before_j)| before_i < i && before_j < j));
            last = Some((i, j));
            common.push(a.as_bytes()[i]);
        });
        String::from_utf8(common).unwrap()
    }

    #[test]
    fn what_is_common_is_paired_in_order() {
        let cases = [
            ("", "", ""),
            ("abc", "", ""),
            ("abcdef", "abcdef", "abcdef"),
            ("abcdef", "abcXdef", "abcdef"),
            ("abXcdefghiYjkl", "abcdefghijkl", "abcdefghijkl"),
            ("abcdefgh", "abXYefgh", "abefgh"),
            ("xxxx", "yyyy", ""),
            ("aXbcdeYfghij", "aZbcdefghij", "abcdefghij"),
        ];
        for (a, b, common) in cases {
            assert_eq!(pairs(a, b), common, "{a} {b}");
            assert_eq!(pairs(b, a).len(), common.len(), "{b} {a}");
        }
    }

    #[test]
    fn long_sequences_that_differ_everywhere_are_given_up_in_linear_time() {
        let (a, b): (Vec<u64>, Vec<u64>) = ((0..200_000).collect(), (1_000_000..1_200_000).collect());
        let mut count = 0;
        align(&a, &b, |_, _| count += 1);
        assert_eq!(count, 0);
    }
}
