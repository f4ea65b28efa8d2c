//! Permutations of a seed, with the bits of numpy.

use rand_mt::Mt;

/// Shuffles one list after another with the random numbers of one seed, as `numpy.random.RandomState(seed)` does.
pub(crate) struct Shuffler(Mt);

impl Shuffler {
    pub(crate) fn new(seed: u32) -> Self {
        Self(Mt::new(seed))
    }

    /// Shuffles `list` in place, as `RandomState.shuffle` and `RandomState.permutation` do, to the bit.
    ///
    /// Fisher-Yates from the last index down. The index to swap with is a random word under a mask of as many bits as the
    /// index has; words above the index are rejected. Source: numpy's `random_interval`, which numpy keeps frozen
    /// (NEP 19).
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for index in (1..list.len()).rev() {
            let top = u32::try_from(index).expect("no list has 2^32 entries");
            let mask = u32::MAX >> top.leading_zeros();
            let other = loop {
                let word = self.0.next_u32() & mask;
                if word <= top {
                    break word;
                }
            };
            list.swap(index, other as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `RandomState(2020).permutation(12)`, twice.
    const NUMPY: [[usize; 12]; 2] = [
        [2, 1, 11, 4, 10, 5, 7, 9, 6, 3, 8, 0],
        [1, 6, 5, 4, 10, 7, 2, 9, 3, 8, 11, 0],
    ];

    #[test]
    fn a_seed_shuffles_as_in_numpy_and_continues_with_the_next_list() {
        let mut shuffler = Shuffler::new(2020);
        let mut lists = [[0; 12], [0; 12]];
        for list in &mut lists {
            *list = std::array::from_fn(|index| index);
            shuffler.shuffle(list);
        }
        assert_eq!(lists, NUMPY);
    }
}
