//! Which file of `src` refers to which, read from its paths: imports with their groups, paths in
//! the code, and those in the arguments of macros. Comments do not count.
//!
//! A path is followed to the file that defines the item: through the modules, and through `pub use`.
//! Neither a `mod` line nor a `pub use` is a reference, or each folder would be a circle. What only
//! tests of a file refer to counts too.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The path of a module below the crate: `["compile", "load"]`.
type Module = Vec<String>;

/// A reference from a line of one file to another file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(crate) from: String,
    pub(crate) line: usize,
    pub(crate) to: String,
}

/// The files of a crate and what they define.
pub(crate) struct Crate {
    files: BTreeMap<Module, File>,
}

struct File {
    path: String,
    /// The items that it defines itself.
    items: BTreeSet<String>,
    /// The names that it imports, each with the path behind it. `*` has several.
    imports: Vec<Import>,
    paths: Vec<Path>,
}

struct Import {
    name: String,
    public: bool,
    path: Path,
}

/// A path as it is written, where the module in which it is written is that of the file or one inside it.
#[derive(Clone)]
struct Path {
    /// How many modules inside the file surround it.
    depth: usize,
    segments: Vec<String>,
    line: usize,
}

impl Crate {
    /// From the path of each file below `src` and its text.
    pub(crate) fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files = files.into_iter().map(|(path, text)| (module_of(&path), File::read(path, &text)));
        Self { files: files.collect() }
    }

    /// Every reference from one file to another, once a line.
    pub(crate) fn references(&self) -> BTreeSet<Reference> {
        let mut found = BTreeSet::new();
        for (module, file) in &self.files {
            let imports = file.imports.iter().filter(|import| !import.public).map(|import| &import.path);
            for path in imports.chain(&file.paths) {
                let target = self.absolute(module, path).and_then(|absolute| self.file_of(&absolute, 0));
                if let Some(to) = target.filter(|to| *to != file.path) {
                    found.insert(Reference { from: file.path.clone(), line: path.line, to: to.to_owned() });
                }
            }
        }
        found
    }

    /// A path from the root of the crate; `None` for one of another crate or of a local name.
    fn absolute(&self, module: &Module, path: &Path) -> Option<Vec<String>> {
        let mut segments = path.segments.iter().map(String::as_str).peekable();
        let mut base = match *segments.peek()? {
            // The binary and the library are two crates in one folder.
            "crate" | "carrier" => Vec::new(),
            "self" | "super" => module.clone(),
            name if path.depth == 0 => return self.by_local_name(module, name, &path.segments),
            _ => return None,
        };
        let mut inside = path.depth;
        while let Some(segment) = segments.next_if(|segment| matches!(*segment, "crate" | "carrier" | "self" | "super"))
        {
            if segment == "super" && inside > 0 {
                inside -= 1;
            } else if segment == "super" {
                base.pop();
            }
        }
        base.extend(segments.map(str::to_owned));
        Some(base)
    }

    /// A path that begins with the name of a child module or with an imported name.
    fn by_local_name(&self, module: &Module, name: &str, segments: &[String]) -> Option<Vec<String>> {
        let child: Module = module.iter().cloned().chain([name.to_owned()]).collect();
        if self.files.contains_key(&child) {
            return Some(module.iter().chain(segments).cloned().collect());
        }
        let import = self.files[module].imports.iter().find(|import| import.name == name)?;
        // `use regex;` names itself.
        let outside = import.path.segments.first().is_none_or(|first| first == name);
        let mut base = if outside { return None } else { self.absolute(module, &import.path)? };
        base.extend_from_slice(&segments[1..]);
        Some(base)
    }

    /// The file that defines what a path leads to. A path that ends at a module leads to no item.
    fn file_of(&self, path: &[String], hops: usize) -> Option<&str> {
        let depth = (0..=path.len()).rev().find(|n| self.files.contains_key(&path[..*n]))?;
        let (module, rest) = path.split_at(depth);
        let file = &self.files[module];
        let name = rest.first()?;
        if name == "*" || file.items.contains(name) || hops > 8 {
            return Some(&file.path);
        }
        // Modules below it see what it imports for itself, too.
        let exports = file.imports.iter().filter(|import| import.name == *name || import.name == "*");
        for export in exports {
            let Some(mut target) = self.absolute(&module.to_vec(), &export.path) else { continue };
            if export.name == "*" {
                target.pop();
                target.push(name.clone());
            }
            target.extend_from_slice(&rest[1..]);
            let found = self.file_of(&target, hops + 1);
            if found.is_some() && (export.name != "*" || found.is_some_and(|path| self.defines(path, name))) {
                return found;
            }
        }
        Some(&file.path)
    }

    fn defines(&self, path: &str, name: &str) -> bool {
        self.files.values().any(|file| file.path == path && file.items.contains(name))
    }
}

/// `compile/load/mod.rs` and `compile/load.rs` are the module `compile::load`. `main.rs` is none, but has a place.
fn module_of(path: &str) -> Module {
    let mut segments: Module = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(segments.last().map(String::as_str), Some("mod" | "lib")) {
        segments.pop();
    }
    segments
}

impl File {
    fn read(path: String, text: &str) -> Self {
        let tokens = TokenStream::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut file = Self { path, items: BTreeSet::new(), imports: Vec::new(), paths: Vec::new() };
        file.walk(tokens, 0, true);
        file
    }

    /// Takes in what is in `tokens`, which is `depth` modules inside the file; `items` says whether
    /// they are items of the file itself.
    fn walk(&mut self, tokens: TokenStream, depth: usize, items: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            let word = ident(&tokens, at);
            match word.as_deref() {
                Some("use") if !is_punct(&tokens, at + 1, '<') => {
                    let public =
                        at > 0 && (ident(&tokens, at - 1).is_some_and(|w| w == "pub") || is_restriction(&tokens, at));
                    let end = (at..tokens.len()).find(|n| is_punct(&tokens, *n, ';')).unwrap_or(tokens.len());
                    self.import(&tokens[at + 1..end], &[], depth, public);
                    at = end;
                }
                Some("mod") if matches!(tokens.get(at + 2), Some(TokenTree::Group(_))) => {
                    if let TokenTree::Group(body) = &tokens[at + 2] {
                        self.walk(body.stream(), depth + 1, false);
                    }
                    at += 2;
                }
                Some("fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union") if items => {
                    self.items.extend(ident(&tokens, at + 1));
                }
                Some(_) if at == 0 || !is_path_separator(&tokens, at - 1) => {
                    let (segments, end) = path(&tokens, at);
                    if segments.len() > 1 {
                        self.paths.push(Path { depth, segments, line: line(&tokens[at]) });
                    }
                    at = end;
                    continue;
                }
                None => {
                    if let TokenTree::Group(group) = &tokens[at] {
                        self.walk(group.stream(), depth, false);
                    }
                }
                Some(_) => {}
            }
            at += 1;
        }
    }

    /// Takes in the tree of a `use`, whose beginning is `before`.
    fn import(&mut self, tree: &[TokenTree], before: &[String], depth: usize, public: bool) {
        let (mut segments, mut at) = (before.to_vec(), 0);
        while at < tree.len() {
            match &tree[at] {
                TokenTree::Ident(word) if word == "as" => {
                    let name = ident(tree, at + 1).unwrap_or_default();
                    return self.imported(name, segments, line(&tree[at]), depth, public);
                }
                TokenTree::Ident(word) => segments.push(word.to_string()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let items: Vec<TokenTree> = group.stream().into_iter().collect();
                    for item in items.split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ',')) {
                        self.import(item, &segments, depth, public);
                    }
                    return;
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => segments.push("*".to_owned()),
                _ => {}
            }
            at += 1;
        }
        // `{self}` is the module itself.
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        if let (Some(name), Some(token)) = (segments.last().cloned(), tree.first()) {
            self.imported(name, segments, line(token), depth, public);
        }
    }

    fn imported(&mut self, name: String, segments: Vec<String>, line: usize, depth: usize, public: bool) {
        let path = Path { depth, segments, line };
        self.imports.push(Import { name, public, path });
    }
}

/// The path that begins at `at`, and where it ends.
fn path(tokens: &[TokenTree], at: usize) -> (Vec<String>, usize) {
    let (mut segments, mut at) = (Vec::new(), at);
    while let Some(word) = ident(tokens, at) {
        segments.push(word);
        at += 1;
        if !(is_punct(tokens, at, ':') && is_path_separator(tokens, at + 1)) || ident(tokens, at + 2).is_none() {
            break;
        }
        at += 2;
    }
    (segments, at)
}

fn ident(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at) {
        Some(TokenTree::Ident(word)) => Some(word.to_string()),
        _ => None,
    }
}

fn is_punct(tokens: &[TokenTree], at: usize, wanted: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// Whether the token is the second colon of `::`.
fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    at > 0 && is_punct(tokens, at, ':') && is_punct(tokens, at - 1, ':')
}

/// Whether the token stands behind `pub(…)`.
fn is_restriction(tokens: &[TokenTree], at: usize) -> bool {
    at > 1 && matches!(tokens[at - 1], TokenTree::Group(_)) && ident(tokens, at - 2).is_some_and(|word| word == "pub")
}

fn line(token: &TokenTree) -> usize {
    token.span().start().line
}

impl Reference {
    /// Whether it leads from a file to the module that it is a part of: `a/b/c.rs` to `a/b/mod.rs` or `a/b.rs`, to
    /// `a/mod.rs` or `a.rs`.
    fn is_to_parent(&self) -> bool {
        module_of(&self.from).starts_with(&module_of(&self.to))
    }
}

/// The circles among files: groups of which each member leads to each other one. A module and its
/// parts are no circle, where it calls them and they use its types.
pub(crate) fn circles(references: &BTreeSet<Reference>) -> Vec<BTreeSet<&str>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Reference { from, to, .. } in references.iter().filter(|reference| !reference.is_to_parent()) {
        next.entry(from).or_default().insert(to);
    }
    let reached = |start: &'_ str| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = next.get(start).into_iter().flatten().copied().collect();
        while let Some(file) = open.pop() {
            if seen.insert(file) {
                open.extend(next.get(file).into_iter().flatten());
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|file| (*file, reached(file))).collect();
    let mut circles: Vec<BTreeSet<&str>> = Vec::new();
    for (file, ahead) in reached.iter().filter(|(file, ahead)| ahead.contains(*file)) {
        if !circles.iter().any(|circle| circle.contains(file)) {
            circles.push(
                ahead.iter().copied().filter(|other| reached.get(other).is_some_and(|r| r.contains(file))).collect(),
            );
        }
    }
    circles
}
