//! Keeps the shape of the tree: what each layer may name, no circles of files, and limits of size.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use imports::{Target, Tree, circles};
use source::Source;

mod imports;
mod source;

/// A folder or a file of `src`, and all that its code outside tests may name.
struct Layer {
    /// The module path below the crate's root, with `/`. The longest that fits a file is the file's layer.
    path: &'static str,
    /// The other modules of the crate.
    layers: &'static [&'static str],
    /// Crates, or `crate::module` for one module of a crate only.
    crates: &'static [&'static str],
    /// The modules of `std` that it may not name.
    never_of_std: &'static [&'static str],
}

/// The layers, from the lowest to the highest.
#[rustfmt::skip]
const LAYERS: &[Layer] = &[
    Layer {
        path: "latent",
        layers: &[],
        crates: &["ndarray", "rand_mt", "thiserror"],
        never_of_std: &["env", "fs", "io", "net", "path", "process", "time"],
    },
    Layer {
        path: "imaging",
        layers: &[],
        crates: &[
            "c2pa", "image", "jpeg_decoder", "jpeg_encoder", "md5", "moxcms", "ndarray", "png", "roxmltree", "serde_json", "thiserror", "webp",
            "zune_jpeg",
        ],
        never_of_std: &["env", "fs", "net", "path", "process", "thread", "time"],
    },
    Layer {
        path: "graph",
        layers: &[],
        crates: &["half", "ndarray", "prost", "thiserror"],
        never_of_std: &["env", "fs", "net", "path", "process", "thread", "time"],
    },
    Layer {
        path: "checkpoint",
        layers: &[],
        crates: &["half", "ndarray", "safetensors", "serde_json", "sha2", "thiserror", "zip"],
        never_of_std: &["env", "net", "process", "thread", "time"],
    },
    Layer {
        path: "metrics",
        layers: &[],
        crates: &["prometheus_client"],
        never_of_std: &["env", "fs", "net", "path", "process", "thread"],
    },
    Layer {
        path: "trace",
        layers: &[],
        crates: &["getrandom", "thiserror", "tokio", "tracing"],
        never_of_std: &["fs", "net", "path", "process", "thread"],
    },
    Layer {
        path: "trace/otlp",
        layers: &["trace"],
        crates: &[
            "axum::http", "futures_util", "opentelemetry", "opentelemetry_http", "opentelemetry_otlp", "opentelemetry_sdk", "thiserror",
            "tokio", "tracing",
        ],
        never_of_std: &["fs", "net", "path", "process", "thread"],
    },
    Layer {
        path: "catalog",
        layers: &["checkpoint", "graph", "latent"],
        crates: &["base64", "getrandom", "half", "ndarray", "serde", "serde_json", "sha2", "thiserror", "toml", "zip"],
        never_of_std: &["env", "net", "thread", "time"],
    },
    Layer {
        // It waits for the locks of other processes, and compares the times of files.
        path: "catalog/store",
        layers: &["checkpoint", "latent"],
        crates: &["base64", "futures_util", "object_store", "rustls", "serde", "serde_json", "sha2", "tokio", "toml"],
        never_of_std: &["env", "net", "process"],
    },
    Layer {
        path: "importing",
        layers: &["catalog", "checkpoint", "graph", "latent"],
        crates: &["ndarray", "thiserror"],
        never_of_std: &["env", "fs", "net", "process", "thread", "time"],
    },
    Layer {
        path: "engine",
        layers: &["catalog", "graph", "latent", "metrics", "trace"],
        crates: &["ndarray", "rustix", "thiserror", "tokio", "tracing"],
        never_of_std: &["env", "fs", "net", "process"],
    },
    Layer {
        path: "engine/onnx",
        layers: &["catalog", "engine", "graph", "latent", "metrics"],
        crates: &["ndarray", "ort", "thiserror", "tracing"],
        never_of_std: &["fs", "net", "process"],
    },
    Layer {
        path: "editor",
        layers: &["catalog", "engine", "graph", "imaging", "latent", "metrics"],
        crates: &["ndarray", "quick_cache", "sha2", "thiserror", "tokio", "tokio_util", "tracing"],
        never_of_std: &["env", "fs", "net", "process", "thread"],
    },
    Layer {
        path: "api",
        layers: &["catalog", "editor", "engine", "imaging", "latent", "metrics", "trace"],
        crates: &[
            "axum", "base64", "flate2", "form_urlencoded", "futures_util", "getrandom", "headers", "headers_accept", "mediatype", "ndarray",
            "prometheus_client", "quick_cache", "serde", "serde_json", "sha2",
            "thiserror", "tokio", "tower", "tower_http", "tracing", "utoipa", "utoipa_axum", "utoipa_swagger_ui_vendored", "zip",
        ],
        never_of_std: &["env", "fs", "net", "path", "process", "thread"],
    },
    Layer {
        path: "api/guard",
        layers: &["api"],
        crates: &["axum", "base64", "constant_time_eq", "getrandom", "governor", "headers", "ipnet", "sha2", "thiserror"],
        // `std::net` has the type of an address.
        never_of_std: &["env", "fs", "path", "process", "thread"],
    },
    Layer {
        path: "api/middleware",
        layers: &["api", "metrics", "trace"],
        crates: &["axum", "hyper::body", "thiserror", "tower", "tower_http", "tracing"],
        // `std::net` has the type of an address.
        never_of_std: &["env", "fs", "path", "process", "thread"],
    },
    Layer {
        path: "server",
        layers: &["api"],
        crates: &["axum::BoxError", "axum::Router", "axum::body", "axum::http", "hyper", "hyper_util", "tokio", "tokio_util", "tower::Service", "tracing"],
        never_of_std: &["env", "fs", "path", "process", "thread"],
    },
    Layer {
        path: "telemetry",
        layers: &[],
        crates: &["clap::ValueEnum", "prometheus_client", "tracing", "tracing_subscriber"],
        never_of_std: &["fs", "net", "process"],
    },
    Layer {
        path: "library_environment",
        layers: &[],
        crates: &[],
        never_of_std: &["fs", "net", "thread"],
    },
    Layer {
        path: "cli",
        layers: &["api", "catalog", "checkpoint", "editor", "engine", "graph", "imaging", "importing", "latent", "metrics", "server", "telemetry", "trace"],
        crates: &["anyhow", "clap", "clap_complete", "ipnet", "ndarray", "serde", "serde_json", "sha2", "signal_hook", "thiserror", "tokio", "toml", "tracing", "zip"],
        never_of_std: &[],
    },
    Layer {
        path: "main",
        layers: &["cli", "engine", "telemetry", "library_environment"],
        crates: &["anyhow", "mimalloc", "tracing"],
        never_of_std: &["fs", "net", "thread"],
    },
];

/// The most lines of a file.
const FILE_LINES: usize = 400;
/// The most lines of a function, without its tables.
const FUNCTION_LINES: usize = 80;
/// The most methods of a type, over all its `impl` blocks.
const METHODS: usize = 25;

/// Functions that are one table: each arm of the `match` is a row.
const TABLES: &[&str] = &["src/api/problem.rs: kind", "src/api/problem_kind.rs: of"];

/// What still breaks a rule. Each list only shrinks: an entry that is no longer needed fails its test.
const LONG_FILES: &[&str] = &[];
const LONG_FUNCTIONS: &[&str] = &[];
const LARGE_TYPES: &[&str] = &[];
const IN_CIRCLES: &[&str] = &[];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below `root`/`folder`, as paths from `root`, sorted.
fn files(root: &Path, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        // The fuzz targets are a crate of their own, with its own build folder.
        if entry.path().is_dir() && !path.ends_with("fuzz/target") {
            found.extend(files(root, &path));
        } else if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// All Rust files of the repository.
fn all_sources() -> impl Iterator<Item = Source> {
    let paths = ["src", "tests", "benches"]
        .map(|folder| files(root(), folder))
        .concat();
    paths.into_iter().map(|path| Source::read(root(), &path))
}

/// The layer of a file of `src`: the row of the table with the longest path that fits.
fn layer_of(source: &Source) -> &'static Layer {
    let path = source.path.trim_start_matches("src/").trim_end_matches(".rs");
    let fits = |layer: &&Layer| path == layer.path || path.starts_with(&format!("{}/", layer.path));
    let layer = LAYERS.iter().filter(fits).max_by_key(|layer| layer.path.len());
    layer.unwrap_or_else(|| panic!("{} has no row in the table of layers: add one", source.path))
}

/// Why a file of `layer` may not name `target`, or `None` if it may.
fn refusal(layer: &Layer, target: &Target) -> Option<String> {
    match target {
        Target::Own(path) => {
            let first = path.first()?.as_str();
            let own = layer.path.split('/').next();
            let allowed = Some(first) == own || layer.layers.contains(&first);
            (!allowed).then(|| {
                format!(
                    "names `crate::{first}`; it may name the layers {:?}",
                    layer.layers
                )
            })
        }
        Target::Crate(name, module) if matches!(name.as_str(), "std" | "core" | "alloc") => {
            let refused = layer.never_of_std.contains(&module.as_str());
            refused.then(|| format!("names `{name}::{module}`, which its layer never does"))
        }
        Target::Crate(name, module) => {
            let with_module = format!("{name}::{module}");
            let allowed = [name.as_str(), with_module.as_str()]
                .iter()
                .any(|name| layer.crates.contains(name));
            (!allowed).then(|| format!("names `{with_module}`; it may name the crates {:?}", layer.crates))
        }
    }
}

/// Compares what breaks a rule with the list of what is known to break it.
fn assert_known(found: &BTreeSet<String>, known: &[&str], what: &str) {
    let known: BTreeSet<String> = known.iter().map(|&entry| entry.to_owned()).collect();
    let new: Vec<_> = found.difference(&known).collect();
    assert!(new.is_empty(), "{what}: {new:#?}");
    let mended: Vec<_> = known.difference(found).collect();
    assert!(
        mended.is_empty(),
        "mended, so remove from the list of what breaks the rule: {mended:#?}"
    );
}

#[test]
fn every_layer_names_only_what_its_row_allows() {
    let tree = Tree::read(root());
    let mut refused = BTreeSet::new();
    for source in tree.sources.iter().filter(|source| source.path != "src/lib.rs") {
        let layer = layer_of(source);
        let refusals = tree.targets(source).filter_map(|target| refusal(layer, &target));
        refused.extend(refusals.map(|reason| format!("{} {reason}", source.path)));
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn every_row_of_the_table_exists_and_names_only_rows_above_it() {
    for (row, Layer { path, layers, .. }) in LAYERS.iter().enumerate() {
        let top = path.split('/').next().unwrap();
        for layer in layers.iter().filter(|layer| **layer != top) {
            let is_above = LAYERS[..row].iter().any(|above| above.path == *layer);
            assert!(is_above, "{path} names {layer}, which is no row above it");
        }
        let module = root().join("src").join(path);
        assert!(
            module.is_dir() || module.with_extension("rs").is_file(),
            "src/{path} does not exist"
        );
    }
}

#[test]
fn no_two_files_import_each_other() {
    let tree = Tree::read(root());
    let imports = tree.imports();
    let path = |file: &usize| tree.sources[*file].path.clone();
    let mut found = BTreeSet::new();
    let mut edges = Vec::new();
    for circle in circles(&imports) {
        for file in &circle {
            let within: Vec<_> = imports[file].intersection(&circle).map(path).collect();
            edges.push(format!("{} imports {within:?}", path(file)));
            found.insert(path(file));
        }
    }
    let what = format!("files that import each other, directly or through others, of {edges:#?}");
    assert_known(&found, IN_CIRCLES, &what);
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let long = all_sources()
        .filter(|source| source.lines > FILE_LINES)
        .map(|source| source.path);
    assert_known(&long.collect(), LONG_FILES, "files of more than 400 lines");
}

#[test]
fn no_function_is_longer_than_80_lines_apart_from_tables() {
    let mut long = BTreeSet::new();
    for source in all_sources() {
        let functions = source
            .functions
            .iter()
            .filter(|function| function.lines > FUNCTION_LINES);
        long.extend(functions.map(|function| format!("{}: {}", source.path, function.name)));
    }
    let known = [TABLES, LONG_FUNCTIONS].concat();
    assert_known(&long, &known, "functions of more than 80 lines");
}

#[test]
fn no_type_has_more_than_25_methods_over_all_its_impls() {
    let tree = Tree::read(root());
    let mut methods = BTreeMap::<String, usize>::new();
    for source in &tree.sources {
        for name in &source.methods {
            *methods
                .entry(tree.type_path(source, name).join("::"))
                .or_default() += 1;
        }
    }
    let large = methods
        .into_iter()
        .filter(|(_, count)| *count > METHODS)
        .map(|(name, _)| name);
    assert_known(&large.collect(), LARGE_TYPES, "types of more than 25 methods");
}

#[test]
fn every_file_opens_with_a_sentence_of_what_it_knows() {
    let silent: Vec<_> = all_sources()
        .filter(|source| !source.opens_with_a_sentence)
        .map(|source| source.path)
        .collect();
    assert!(
        silent.is_empty(),
        "files without a `//!` sentence at their top: {silent:#?}"
    );
}
