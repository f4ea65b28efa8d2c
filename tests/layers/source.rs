//! Reads one Rust file: the paths that it names outside tests, its re-exports, its functions and its methods.

use std::collections::HashMap;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ImplItem, Item, Meta, UseTree, Visibility};

/// A Rust file and what the rules ask of it.
pub(super) struct Source {
    /// The path from the repository's root, with `/`.
    pub(super) path: String,
    /// The module path below the crate's root; empty for `lib.rs` and `main.rs`.
    pub(super) module: Vec<String>,
    pub(super) lines: usize,
    pub(super) opens_with_a_sentence: bool,
    /// Paths of two or more segments in code that is not compiled for tests only.
    pub(super) names: Vec<Name>,
    /// The names that `use` brings into the file, each with the path as written.
    pub(super) aliases: HashMap<String, Vec<String>>,
    pub(super) functions: Vec<Function>,
    /// The type of each method, as written after `impl` or `for`, once a method.
    pub(super) methods: Vec<String>,
    /// Child modules that exist only in tests.
    pub(super) test_modules: Vec<String>,
}

/// A path that a file names.
pub(super) struct Name {
    pub(super) segments: Vec<String>,
    /// Whether a `pub use` names it.
    pub(super) is_reexport: bool,
}

/// A function and its length.
pub(super) struct Function {
    pub(super) name: String,
    /// Lines from `fn` to the closing brace, without the lines of its tables (arrays and macros' literal arguments).
    pub(super) lines: usize,
}

impl Source {
    /// Reads the file at `root`/`path`.
    pub(super) fn read(root: &Path, path: &str) -> Self {
        let text = std::fs::read_to_string(root.join(path)).unwrap();
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut reader = Reader {
            source: Self {
                path: path.to_owned(),
                module: module_of(path),
                lines: text.lines().count(),
                opens_with_a_sentence: text.starts_with("//! "),
                names: Vec::new(),
                aliases: HashMap::new(),
                functions: Vec::new(),
                methods: Vec::new(),
                test_modules: Vec::new(),
            },
            inline_modules: Vec::new(),
            in_test: false,
        };
        reader.visit_file(&file);
        reader.source
    }
}

/// The module path of `src/a/b.rs` or `src/a/b/mod.rs`: `[a, b]`.
fn module_of(path: &str) -> Vec<String> {
    let below = path.split_once('/').map_or(path, |(_, below)| below);
    let stem = below.strip_suffix(".rs").unwrap_or(below);
    let mut module: Vec<String> = stem.split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// Walks a file's syntax tree and fills a [`Source`].
struct Reader {
    source: Source,
    /// Modules written inside the file that contain the code at hand.
    inline_modules: Vec<String>,
    in_test: bool,
}

impl Reader {
    /// Visits what `visit` does; as test code if `attributes` have `cfg(test)` or `test`.
    fn visit_with(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let outer = self.in_test;
        self.in_test |= attributes.iter().any(is_for_tests);
        visit(self);
        self.in_test = outer;
    }

    fn record(&mut self, mut segments: Vec<String>, is_reexport: bool) {
        if self.in_test || segments.len() < 2 {
            return;
        }
        if !self.inline_modules.is_empty() && segments[0] == "super" {
            // `super` in an inline module is the file's own module, or another inline module.
            "self".clone_into(&mut segments[0]);
        }
        self.source.names.push(Name {
            segments,
            is_reexport,
        });
    }

    /// Records the paths in a macro's or an attribute's tokens.
    fn record_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.record(std::mem::take(&mut path), false);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                other => {
                    self.record(std::mem::take(&mut path), false);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.record_tokens(group.stream());
                    }
                }
            }
        }
        self.record(path, false);
    }

    fn record_use(&mut self, tree: &UseTree, before: &[String], is_reexport: bool) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => {
                let before = with(path.ident.to_string());
                self.record_use(&path.tree, &before, is_reexport);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.record_use(tree, before, is_reexport);
                }
            }
            UseTree::Glob(_) => self.record(with("*".to_owned()), is_reexport),
            UseTree::Name(name) if name.ident == "self" => {
                let alias = before.last().cloned().unwrap_or_default();
                self.record_alias(alias, before.to_vec(), is_reexport);
            }
            UseTree::Name(name) => {
                self.record_alias(name.ident.to_string(), with(name.ident.to_string()), is_reexport);
            }
            UseTree::Rename(rename) => {
                self.record_alias(
                    rename.rename.to_string(),
                    with(rename.ident.to_string()),
                    is_reexport,
                );
            }
        }
    }

    fn record_alias(&mut self, alias: String, path: Vec<String>, is_reexport: bool) {
        if !self.in_test && self.inline_modules.is_empty() {
            self.source.aliases.insert(alias, path.clone());
        }
        self.record(path, is_reexport);
    }

    fn record_function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.fn_token.span.start().line;
        let last = block.brace_token.span.close().end().line;
        let mut tables = Tables(0);
        tables.visit_block(block);
        self.source.functions.push(Function {
            name: signature.ident.to_string(),
            lines: last - first + 1 - tables.0,
        });
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        self.visit_with(attributes(item), |reader| visit::visit_item(reader, item));
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.content.is_none() && self.in_test {
            self.source.test_modules.push(module.ident.to_string());
        }
        self.inline_modules.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.inline_modules.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        self.record_use(&item.tree, &[], is_reexport);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.record_function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let (syn::Type::Path(path), false) = (&*item.self_ty, self.in_test) {
            let methods = item.items.iter().filter(|item| matches!(item, ImplItem::Fn(_)));
            let segments: Vec<_> = path
                .path
                .segments
                .iter()
                .map(|one| one.ident.to_string())
                .collect();
            let name = segments.join("::");
            self.source.methods.extend(methods.map(|_| name.clone()));
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.record_function(&item.sig, &item.block);
        self.visit_with(&item.attrs, |reader| visit::visit_impl_item_fn(reader, item));
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string());
        self.record(segments.collect(), false);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.record_tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.record_tokens(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }
}

/// Counts the lines of arrays and of `vec!` and `json!` literals, which are data.
struct Tables(usize);

impl Tables {
    fn add(&mut self, span: proc_macro2::Span) {
        self.0 += span.end().line - span.start().line;
    }
}

impl<'ast> Visit<'ast> for Tables {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Array(array) => self.add(array.bracket_token.span.join()),
            _ => visit::visit_expr(self, expression),
        }
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let name = item.path.segments.last().map(|segment| segment.ident.to_string());
        if matches!(name.as_deref(), Some("vec" | "json" | "array")) {
            self.add(item.delimiter.span().join());
        }
    }
}

/// Whether the attribute is `cfg(test)`, `cfg(all(test, …))` or a test's.
fn is_for_tests(attribute: &Attribute) -> bool {
    let path = attribute.path();
    let condition = match &attribute.meta {
        Meta::List(list) if path.is_ident("cfg") => list.tokens.to_string(),
        _ => String::new(),
    };
    condition == "test"
        || condition.starts_with("all (test")
        || path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "test")
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
