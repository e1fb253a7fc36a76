//! A map for a few dozen entries.

/// A map as two sorted lists: a few dozen entries are found and gone through faster so than in a tree, and take less
/// memory.
#[derive(Clone, Debug)]
pub(crate) struct ShortMap<K, V> {
    keys: Vec<K>,
    /// In the order of `keys`.
    values: Vec<V>,
}

impl<K: Copy + Ord, V> ShortMap<K, V> {
    pub(crate) const fn new() -> Self {
        Self {
            keys: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Sets the value of a key, and gives the one that it had.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let place = match self.keys.binary_search(&key) {
            Ok(place) => {
                let known = self.values.get_mut(place)?;
                return Some(std::mem::replace(known, value));
            }
            Err(place) => place,
        };
        if self.keys.len() == self.keys.capacity() {
            // Not the double: most maps are about as long all the time
            self.keys.reserve_exact(GROWTH);
            self.values.reserve_exact(GROWTH);
        }
        self.keys.insert(place, key);
        self.values.insert(place, value);
        None
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.keys.binary_search(key).ok()?;
        self.keys.remove(place);
        Some(self.values.remove(place))
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let place = self.keys.binary_search(key).ok()?;
        self.values.get(place)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.keys.binary_search(key).ok()?;
        self.values.get_mut(place)
    }

    /// All entries, in the order of their keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.keys.iter().zip(&self.values)
    }

    /// All values, in the order of their keys.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.iter_mut()
    }
}

/// For how many more entries there is room when one more comes.
const GROWTH: usize = 4;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_does_what_a_tree_does(steps in prop::collection::vec((0_u8..30, prop::option::of(0_u8..9)), 0..200)) {
            let (mut map, mut tree) = (ShortMap::new(), BTreeMap::new());
            for (key, value) in steps {
                match value {
                    Some(value) => prop_assert_eq!(map.insert(key, value), tree.insert(key, value)),
                    None => prop_assert_eq!(map.remove(&key), tree.remove(&key)),
                }
                map.values_mut().for_each(|value| *value ^= 1);
                tree.values_mut().for_each(|value| *value ^= 1);
                prop_assert_eq!(map.get(&key), tree.get(&key));
                prop_assert_eq!(map.get_mut(&key), tree.get_mut(&key));
                prop_assert!(map.iter().eq(tree.iter()));
            }
        }
    }
}
