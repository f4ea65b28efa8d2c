//! Finds what the files of `src` import: layers, other crates, and each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::slice::from_ref;

use super::source::Source;

/// The files of `src` that are not for tests only, by module.
pub(super) struct Tree {
    pub(super) sources: Vec<Source>,
    /// The file of each module.
    by_module: HashMap<Vec<String>, usize>,
    /// Dependencies, by the name that code uses.
    crates: BTreeSet<String>,
}

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// An item or a module of this crate, by its path below the root.
    Own(Vec<String>),
    /// Another crate, and the segment after it.
    Crate(String, String),
}

impl Tree {
    /// Reads all of `root`/src.
    pub(super) fn read(root: &Path) -> Self {
        let all: Vec<_> = super::files(root, "src")
            .iter()
            .map(|path| Source::read(root, path))
            .collect();
        let test_modules: Vec<Vec<String>> = all
            .iter()
            .flat_map(|source| {
                let modules = source.test_modules.iter();
                modules.map(|name| [&source.module[..], from_ref(name)].concat())
            })
            .collect();
        let is_for_tests = |source: &Source| {
            test_modules
                .iter()
                .any(|module| source.module.starts_with(module))
        };
        let sources: Vec<_> = all.into_iter().filter(|source| !is_for_tests(source)).collect();
        let by_module = sources
            .iter()
            .enumerate()
            .filter(|(_, source)| source.path != "src/main.rs")
            .map(|(index, source)| (source.module.clone(), index))
            .collect();
        let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let mut crates: BTreeSet<String> = ["std", "core", "alloc"].map(str::to_owned).into();
        let targets = manifest["target"].as_table().unwrap().values();
        for table in targets.chain([&toml::Value::Table(manifest.clone())]) {
            let names = table["dependencies"].as_table().unwrap().keys();
            crates.extend(names.map(|name| name.replace('-', "_")));
        }
        Self {
            sources,
            by_module,
            crates,
        }
    }

    /// What each path of a file names; paths that begin with a type of the file or of the prelude are left out.
    pub(super) fn targets<'a>(&'a self, source: &'a Source) -> impl Iterator<Item = Target> + 'a {
        source
            .names
            .iter()
            .filter_map(|name| self.resolve(source, &name.segments, 0))
    }

    /// The files that each file imports from. A re-export counts as an import of where the item is defined, and not for
    /// the file that re-exports what lies in its own folder.
    pub(super) fn imports(&self) -> BTreeMap<usize, BTreeSet<usize>> {
        let edges = self.sources.iter().enumerate().map(|(index, source)| {
            let names = source.names.iter().filter_map(|name| {
                let Target::Own(path) = self.resolve(source, &name.segments, 0)? else {
                    return None;
                };
                let own_child = name.is_reexport && path.starts_with(&source.module);
                let file = self.defining_file(path, 0)?;
                (!own_child && file != index).then_some(file)
            });
            (index, names.collect())
        });
        edges.collect()
    }

    /// The path of the type that `name` means in `source`.
    pub(super) fn type_path(&self, source: &Source, name: &str) -> Vec<String> {
        let segments: Vec<String> = name.split("::").map(str::to_owned).collect();
        match self.resolve(source, &segments, 0) {
            Some(Target::Own(path)) => match self.defining_file(path, 0) {
                Some(file) => [&self.sources[file].module[..], &segments[segments.len() - 1..]].concat(),
                None => segments,
            },
            _ => [&source.module[..], &segments].concat(),
        }
    }

    /// Resolves `segments` as written in `source`.
    fn resolve(&self, source: &Source, segments: &[String], depth: usize) -> Option<Target> {
        assert!(depth < 16, "{}: {segments:?} is an alias of itself", source.path);
        let (first, rest) = segments.split_first()?;
        let below = |module: &[String], rest: &[String]| Some(Target::Own([module, rest].concat()));
        match first.as_str() {
            "crate" | "faceplane" => below(&[], rest),
            "self" => below(&source.module, rest),
            "super" => {
                let up = segments.iter().take_while(|segment| *segment == "super").count();
                let parent = &source.module[..source.module.len().checked_sub(up)?];
                below(parent, &segments[up..])
            }
            _ => match source.aliases.get(first) {
                _ if self
                    .by_module
                    .contains_key(&[&source.module[..], from_ref(first)].concat()) =>
                {
                    below(&source.module, segments)
                }
                Some(alias) if alias.first() != Some(first) => {
                    self.resolve(source, &[&alias[..], rest].concat(), depth + 1)
                }
                _ if self.crates.contains(first) => {
                    let next = rest.first().cloned().unwrap_or_default();
                    Some(Target::Crate(first.clone(), next))
                }
                _ => None,
            },
        }
    }

    /// The file that defines the item at `path`, with re-exports followed; `None` for a module itself.
    fn defining_file(&self, path: Vec<String>, depth: usize) -> Option<usize> {
        assert!(depth < 16, "{path:?} is re-exported in a circle");
        let is_module = |length: &usize| self.by_module.contains_key(&path[..*length]);
        let mut length = (0..=path.len()).rev().find(is_module)?;
        if length == path.len() && length > 0 {
            // A function may have the name of its module, and the parent re-export it.
            let parent = self.by_module.get(&path[..length - 1])?;
            self.sources[*parent].aliases.get(&path[length - 1])?;
            length -= 1;
        }
        let file = self.by_module[&path[..length]];
        let item = path.get(length)?;
        let source = &self.sources[file];
        match source.aliases.get(item) {
            Some(alias) => match self.resolve(source, &[&alias[..], &path[length + 1..]].concat(), 0)? {
                Target::Own(path) => self.defining_file(path, depth + 1),
                Target::Crate(..) => None,
            },
            None => Some(file),
        }
    }
}

/// The sets of files that import each other, directly or through others; each set is sorted.
pub(super) fn circles(imports: &BTreeMap<usize, BTreeSet<usize>>) -> Vec<BTreeSet<usize>> {
    let reached: BTreeMap<usize, BTreeSet<usize>> = imports
        .keys()
        .map(|&start| {
            let (mut reached, mut open) = (BTreeSet::new(), vec![start]);
            while let Some(file) = open.pop() {
                let new = imports[&file]
                    .iter()
                    .copied()
                    .filter(|&next| reached.insert(next));
                open.extend(new.collect::<Vec<_>>());
            }
            (start, reached)
        })
        .collect();
    let mut circles = BTreeSet::new();
    for (file, others) in &reached {
        if others.contains(file) {
            circles.insert(
                others
                    .iter()
                    .copied()
                    .filter(|other| reached[other].contains(file))
                    .collect(),
            );
        }
    }
    circles.into_iter().collect()
}
