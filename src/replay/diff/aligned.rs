//! Lays two lists beside each other so that as many as possible are beside their like.

/// More pairs than these are not compared, nor is there memory for them; what is left is laid out in
/// its order then.
const MOST: usize = 4_000_000;

/// The places of both lists, in order: two where they are alike, else one.
pub(super) fn pairs(left: &[String], right: &[String]) -> Vec<(Option<usize>, Option<usize>)> {
    let (one, other) = (left.iter(), right.iter());
    let begin = one
        .zip(other)
        .take_while(|(one, other)| one == other)
        .count();
    let (one, other) = (left[begin..].iter().rev(), right[begin..].iter().rev());
    let end = one
        .zip(other)
        .take_while(|(one, other)| one == other)
        .count();
    let (to, until) = (left.len() - end, right.len() - end);
    let mut pairs: Vec<_> = (0..begin).map(|at| (Some(at), Some(at))).collect();
    between(&left[begin..to], &right[begin..until], begin, &mut pairs);
    pairs.extend((0..end).map(|at| (Some(to + at), Some(until + at))));
    pairs
}

/// The longest common row of what differs at both its ends.
fn between(
    left: &[String],
    right: &[String],
    begin: usize,
    pairs: &mut Vec<(Option<usize>, Option<usize>)>,
) {
    let (rows, columns) = (left.len(), right.len());
    let mut longest = Vec::new();
    let at = |row: usize, column: usize| row * (columns + 1) + column;
    if rows.saturating_mul(columns) <= MOST {
        longest.resize((rows + 1) * (columns + 1), 0_u32);
        for row in (0..rows).rev() {
            for column in (0..columns).rev() {
                longest[at(row, column)] = if left[row] == right[column] {
                    longest[at(row + 1, column + 1)] + 1
                } else {
                    longest[at(row + 1, column)].max(longest[at(row, column + 1)])
                };
            }
        }
    }
    // Where nothing was compared, all rows are as good.
    let longest = |row: usize, column: usize| longest.get(at(row, column)).copied().unwrap_or(0);
    let (mut row, mut column) = (0, 0);
    while row < rows || column < columns {
        let both = row < rows && column < columns;
        if both && left[row] == right[column] {
            pairs.push((Some(begin + row), Some(begin + column)));
            row += 1;
            column += 1;
        } else if column >= columns
            || (row < rows && longest(row + 1, column) >= longest(row, column + 1))
        {
            pairs.push((Some(begin + row), None));
            row += 1;
        } else {
            pairs.push((None, Some(begin + column)));
            column += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(left: &str, right: &str) -> String {
        let letters = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let (left, right) = (letters(left), letters(right));
        let pairs = pairs(&left, &right);
        let shown = pairs.iter().map(|pair| match pair {
            (Some(at), Some(to)) => {
                assert_eq!(left[*at], right[*to]);
                left[*at].clone()
            }
            (Some(at), None) => format!("-{}", left[*at]),
            (None, Some(to)) => format!("+{}", right[*to]),
            (None, None) => String::new(),
        });
        shown.collect()
    }

    #[test]
    fn what_is_alike_lies_side_by_side() {
        assert_eq!(laid_out("", ""), "");
        assert_eq!(laid_out("abc", "abc"), "abc");
        assert_eq!(laid_out("abc", ""), "-a-b-c");
        assert_eq!(laid_out("abcd", "abxd"), "ab-c+xd");
        assert_eq!(laid_out("abcd", "acd"), "a-bcd");
        assert_eq!(laid_out("abcabba", "cbabac").len(), 14);
    }

    #[test]
    fn nothing_is_lost_whatever_the_lists() {
        for (left, right) in [
            ("aaaa", "aa"),
            ("abab", "baba"),
            ("xaybz", "ab"),
            ("q", "aqa"),
        ] {
            let shown = laid_out(left, right);
            let mine: String = without(&shown, '+');
            let yours: String = without(&shown, '-');
            assert_eq!((mine.as_str(), yours.as_str()), (left, right), "{shown}");
        }
    }

    #[test]
    fn what_is_too_much_takes_no_memory_and_loses_nothing() {
        let many = |name: char| -> Vec<String> {
            let many = (0..100_000).map(|at| format!("{name}{at}"));
            let ends = ["begin".to_owned()].into_iter();
            ends.chain(many).chain(["end".to_owned()]).collect()
        };
        let pairs = pairs(&many('a'), &many('b'));
        assert_eq!(pairs.len(), 200_002);
        assert_eq!(pairs[0], (Some(0), Some(0)));
        assert_eq!(pairs[1], (Some(1), None));
        assert_eq!(pairs[100_001], (None, Some(1)));
        assert_eq!(pairs[200_001], (Some(100_001), Some(100_001)));
    }

    fn without(shown: &str, sign: char) -> String {
        let mut letters = shown.chars();
        let mut kept = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                '+' | '-' => {
                    let next = letters.next().expect("a letter");
                    if letter != sign {
                        kept.push(next);
                    }
                }
                letter => kept.push(letter),
            }
        }
        kept
    }
}
