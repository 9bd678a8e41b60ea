//! The tree against its definition, and against the examples that all implementations share.

use std::collections::HashMap;
use std::convert::Infallible;

use base16ct::lower::encode_string;

use super::*;

/// A tree in memory.
#[derive(Default)]
struct Tree {
    edge: Edge,
    tiles: HashMap<(u8, u64), Vec<Hash>>,
    leaves: Vec<Hash>,
}

impl Tree {
    fn of(size: u64) -> Self {
        let mut tree = Self::default();
        for number in 0..size {
            let leaf = leaf_of(&number.to_be_bytes());
            tree.leaves.push(leaf);
            tree.edge.push(leaf, |tile| {
                let place = (tile.level, tile.index);
                assert!(tree.tiles.insert(place, tile.hashes).is_none());
            });
        }
        tree
    }
}

impl Nodes for Tree {
    type Error = Infallible;

    fn edge(&self) -> &Edge {
        &self.edge
    }

    fn tile(&self, level: u8, index: u64) -> Result<Vec<Hash>, Infallible> {
        Ok(self.tiles[&(level, index)].clone())
    }
}

/// The definition, word for word.
fn defined(leaves: &[Hash]) -> Hash {
    match leaves.len() {
        0 => empty(),
        1 => leaves[0],
        n => {
            let k = (1..n).rev().find(|k| k.is_power_of_two()).expect("1 is");
            node(defined(&leaves[..k]), defined(&leaves[k..]))
        }
    }
}

#[test]
fn the_examples_of_certificate_transparency_come_out() {
    let leaves: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut edge = Edge::default();
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(encode_string(&edge.root().0), *root, "{size} leaves");
        if let Some(leaf) = leaves.get(size) {
            edge.push(leaf_of(leaf), |_| panic!("no tile is full yet"));
        }
    }
}

#[test]
fn the_edge_knows_the_root_of_every_size_and_comes_back_from_its_bytes() {
    let full = Tree::of(5_000);
    let mut edge = Edge::default();
    for (size, leaf) in full.leaves.iter().enumerate() {
        if size < 600 || size % 251 == 0 {
            let root = defined(&full.leaves[..size]);
            assert_eq!(edge.root(), root, "{size} leaves");
            let tiles = super::root(&full, size as u64).expect("it is in memory");
            assert_eq!(tiles, root, "{size} leaves");
            let bytes = edge.to_bytes();
            assert_eq!(Edge::from_bytes(&bytes).as_ref(), Some(&edge));
            assert_eq!(Edge::from_bytes(&bytes[..bytes.len() - 1]), None);
            assert_eq!(Edge::from_bytes(&[&bytes[..], &[0; 32]].concat()), None);
        }
        edge.push(*leaf, |_| ());
    }
    assert_eq!(edge, full.edge);
}

#[test]
fn every_leaf_of_every_size_can_be_proven_and_no_other() {
    let full = Tree::of(300);
    for size in (1..=70).chain([255, 256, 257, 300]) {
        let root = defined(&full.leaves[..size]);
        let size = size as u64;
        for (index, leaf) in (0..size).zip(&full.leaves) {
            let path = inclusion(&full, index, size).expect("it is in memory");
            assert!(is_included(*leaf, index, size, &path, root));
            assert!(!is_included(*leaf, index + 1, size, &path, root));
            assert!(!is_included(empty(), index, size, &path, root));
            assert!(!is_included(*leaf, index, size, &path, empty()));
            for (at, _) in path.iter().enumerate() {
                let mut wrong = path.clone();
                wrong[at].0[at % 32] ^= 1;
                assert!(!is_included(*leaf, index, size, &wrong, root));
                wrong.remove(at);
                assert!(!is_included(*leaf, index, size, &wrong, root));
            }
            let longer = [&path[..], &[empty()]].concat();
            assert!(!is_included(*leaf, index, size, &longer, root));
        }
    }
}

#[test]
fn every_size_is_shown_to_begin_with_every_smaller_one_and_with_nothing_else() {
    let full = Tree::of(300);
    let roots: Vec<Hash> = (0..=300).map(|n| defined(&full.leaves[..n])).collect();
    let at = |size: u64| (size, roots[usize::try_from(size).expect("it is small")]);
    for to in (1..=70).chain([255, 256, 257, 300]) {
        for from in 0..=to {
            let path = consistency(&full, from, to).expect("it is in memory");
            assert!(is_consistent(at(from), at(to), &path), "{from} to {to}");
            assert!(!is_consistent((from, leaf_of(b"x")), at(to), &path));
            assert_eq!(
                is_consistent(at(from), (to, leaf_of(b"x")), &path),
                from == 0,
                "nothing is the beginning of everything"
            );
            for (index, _) in path.iter().enumerate() {
                let mut wrong = path.clone();
                wrong[index].0[index % 32] ^= 1;
                assert!(!is_consistent(at(from), at(to), &wrong));
                wrong.remove(index);
                assert!(!is_consistent(at(from), at(to), &wrong));
            }
            let longer = [&path[..], &[empty()]].concat();
            assert!(!is_consistent(at(from), at(to), &longer));
        }
    }
}
