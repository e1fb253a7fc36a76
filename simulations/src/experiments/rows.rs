//! Rows of a table to which several worlds contribute.

/// One row, or what one world has for it.
pub(super) trait Row: Sized {
    /// Whether both are of one row.
    fn is_like(&self, other: &Self) -> bool;

    /// Adds what another world has.
    fn add(&mut self, other: Self);
}

/// Puts together what belongs together. Rows stand in the order in which they came first.
pub(super) fn together<R: Row>(found: Vec<Vec<R>>) -> Vec<R> {
    let mut rows: Vec<R> = Vec::new();
    for row in found.into_iter().flatten() {
        match rows.iter_mut().find(|known| known.is_like(&row)) {
            Some(known) => known.add(row),
            None => rows.push(row),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Row for (char, u32) {
        fn is_like(&self, other: &Self) -> bool {
            self.0 == other.0
        }

        fn add(&mut self, other: Self) {
            self.1 += other.1;
        }
    }

    #[test]
    fn what_belongs_together_stands_where_it_came_first() {
        let found = vec![vec![('b', 1), ('a', 2)], vec![('a', 3), ('c', 4), ('b', 5)]];
        assert_eq!(together(found), [('b', 6), ('a', 5), ('c', 4)]);
    }
}
