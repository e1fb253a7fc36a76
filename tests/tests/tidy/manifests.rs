//! Rules about `Cargo.toml` and `Cargo.lock`.

use toml::{Table, Value};

/// Whom each crate of the workspace may name. Crates that are not in the list may name nobody.
const ARROWS: &[(&str, &[&str])] = &[
    ("crypto", &[]),
    ("routing", &["crypto"]),
    ("fproxy", &["crypto"]),
    ("node", &["crypto", "routing", "fproxy"]),
    ("simulations", &["crypto", "routing"]),
    // Knows the built programs only.
    ("tests", &[]),
];

/// What the crates without IO may depend on. None of these opens a socket or a file, asks a clock or starts a thread.
const PURE: &[&str] = &[
    "argon2",
    "blake3",
    "bytes",
    "chacha20",
    "chacha20poly1305",
    "crypto",
    "curve25519-dalek",
    "data-encoding",
    "ed25519-dalek",
    "ml-kem",
    "percent-encoding",
    "postcard",
    "rand",
    "rand_chacha",
    "rand_core",
    "serde",
    "sha2",
    "smallvec",
    "subtle",
    "thiserror",
    "x25519-dalek",
    "zeroize",
];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A parsed `Cargo.toml`.
pub(crate) struct Manifest {
    path: String,
    table: Table,
}

impl Manifest {
    pub(crate) fn parse(path: &str, text: &str) -> Self {
        let table = text
            .parse()
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        Self {
            path: path.to_owned(),
            table,
        }
    }

    pub(crate) fn name(&self) -> String {
        let name = self.at(&["package", "name"]).and_then(Value::as_str);
        name.unwrap_or_default().to_owned()
    }

    /// Folders of the workspace's members.
    pub(crate) fn members(&self) -> Vec<String> {
        let list = self.at(&["workspace", "members"]).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(|member| member.as_str().map(str::to_owned))
            .collect()
    }

    fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.table.get(*first)?, |value, name| value.get(name))
    }

    /// Every dependency of the crate, of every sort, with its value.
    fn dependencies(&self, sorts: &[&str]) -> Vec<(String, Value)> {
        let mut tables: Vec<&Value> = sorts
            .iter()
            .filter_map(|sort| self.table.get(*sort))
            .collect();
        for target in self
            .table
            .get("target")
            .and_then(Value::as_table)
            .into_iter()
            .flat_map(Table::values)
        {
            tables.extend(sorts.iter().filter_map(|sort| target.get(sort)));
        }
        tables
            .into_iter()
            .filter_map(Value::as_table)
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn all_dependencies(&self) -> Vec<(String, Value)> {
        self.dependencies(&["dependencies", "dev-dependencies", "build-dependencies"])
    }

    fn finding(&self, text: &str) -> String {
        format!("{}: {text}", self.path)
    }
}

/// A crate names only those that the architecture lets it name, in tests as well.
pub(crate) fn arrows(manifest: &Manifest) -> Vec<String> {
    let name = manifest.name();
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
        return vec![manifest.finding(
            "this crate has no place in the architecture; add it to ARROWS and to the docs",
        )];
    };
    manifest
        .all_dependencies()
        .iter()
        .filter(|(other, _)| ARROWS.iter().any(|(member, _)| member == other))
        .filter(|(other, _)| !allowed.contains(&other.as_str()))
        .map(|(other, _)| manifest.finding(&format!("{name} may not know {other}")))
        .collect()
}

/// `crypto` and `routing` depend only on crates known to do no IO.
pub(crate) fn pure(manifest: &Manifest) -> Vec<String> {
    if !["crypto", "routing"].contains(&manifest.name().as_str()) {
        return Vec::new();
    }
    manifest
        .dependencies(&["dependencies", "build-dependencies"])
        .iter()
        .filter(|(name, _)| !PURE.contains(&name.as_str()))
        .map(|(name, _)| {
            manifest.finding(&format!(
                "{name} is not known to do no IO (PURE in the tidy test)"
            ))
        })
        .collect()
}

/// A member takes versions, lints and licence from the workspace.
pub(crate) fn shared(manifest: &Manifest) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, value) in manifest.all_dependencies() {
        if value.get("workspace") != Some(&Value::Boolean(true)) {
            findings
                .push(manifest.finding(&format!("the version of {name} belongs in the workspace")));
        }
    }
    let inherited = [
        ["package", "version"],
        ["package", "edition"],
        ["package", "rust-version"],
        ["package", "license"],
        ["package", "publish"],
    ];
    for [table, key] in inherited {
        if manifest.at(&[table, key, "workspace"]) != Some(&Value::Boolean(true)) {
            findings.push(manifest.finding(&format!("{key} is not the workspace's")));
        }
    }
    if manifest.at(&["lints", "workspace"]) != Some(&Value::Boolean(true)) {
        findings.push(manifest.finding("lints are not the workspace's"));
    }
    findings
}

/// The workspace states the licence and replaces no crate behind the lock file's back.
pub(crate) fn root(manifest: &Manifest) -> Vec<String> {
    let mut findings = Vec::new();
    let licence = manifest
        .at(&["workspace", "package", "license"])
        .and_then(Value::as_str);
    if licence != Some("MIT OR Apache-2.0") {
        findings.push(manifest.finding("the licence is not MIT OR Apache-2.0"));
    }
    for table in ["patch", "replace"] {
        if manifest.table.contains_key(table) {
            findings.push(manifest.finding(&format!("[{table}] replaces crates of crates.io")));
        }
    }
    findings
}

/// Everything in the lock file is a member or comes from crates.io.
pub(crate) fn lock(text: &str, members: &[String]) -> Vec<String> {
    let manifest = Manifest::parse("Cargo.lock", text);
    let packages = manifest.at(&["package"]).and_then(Value::as_array);
    packages
        .into_iter()
        .flatten()
        .filter_map(|package| {
            let name = package
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            match package.get("source").and_then(Value::as_str) {
                Some(CRATES_IO) => None,
                None if members.iter().any(|member| member == name) => None,
                source => Some(manifest.finding(&format!(
                    "{name} comes from {}",
                    source.unwrap_or("a folder")
                ))),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> Manifest {
        Manifest::parse("x/Cargo.toml", text)
    }

    #[test]
    fn an_arrow_that_runs_back_is_found_wherever_it_stands() {
        let of = |dependencies: &str| {
            arrows(&manifest(&format!(
                "[package]\nname = \"routing\"\n{dependencies}"
            )))
        };
        assert!(of("[dependencies]\ncrypto.workspace = true\nserde.workspace = true").is_empty());
        assert_eq!(of("[dependencies]\nnode.workspace = true").len(), 1);
        assert_eq!(
            of("[dev-dependencies]\nsimulations = { path = \"../s\" }").len(),
            1
        );
        assert_eq!(
            of("[target.'cfg(unix)'.dependencies]\nfproxy.workspace = true").len(),
            1
        );
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        assert_eq!(arrows(&manifest("[package]\nname = \"extra\"")).len(), 1);
    }

    #[test]
    fn a_dependency_that_may_do_io_is_found() {
        let text = "[package]\nname = \"crypto\"\n[dependencies]\nblake3.workspace = true\ntokio.workspace = true";
        assert_eq!(pure(&manifest(text)).len(), 1);
        assert!(pure(&manifest(&text.replace("crypto", "node"))).is_empty());
    }

    #[test]
    fn a_version_lints_or_licence_of_its_own_is_found() {
        let good = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n\
            license.workspace = true\npublish.workspace = true\n[lints]\nworkspace = true\n[dependencies]\nb.workspace = true\n";
        assert!(shared(&manifest(good)).is_empty());
        assert_eq!(
            shared(&manifest(&good.replace("b.workspace = true", "b = \"1\""))).len(),
            1
        );
        assert_eq!(
            shared(&manifest(
                &good.replace("license.workspace = true", "license = \"MIT\"")
            ))
            .len(),
            1
        );
        assert_eq!(
            shared(&manifest(&good.replace("[lints]\nworkspace = true\n", ""))).len(),
            1
        );
    }

    #[test]
    fn a_patched_crate_or_another_licence_is_found() {
        let good = "[workspace.package]\nlicense = \"MIT OR Apache-2.0\"\n";
        assert!(root(&manifest(good)).is_empty());
        assert_eq!(
            root(&manifest(&format!(
                "{good}[patch.crates-io]\na = {{ path = \"b\" }}"
            )))
            .len(),
            1
        );
        assert_eq!(
            root(&manifest(&good.replace(" OR Apache-2.0", ""))).len(),
            1
        );
    }

    #[test]
    fn a_dependency_from_elsewhere_is_found() {
        let package = |name: &str, source: &str| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{source}\n")
        };
        let members = ["node".to_owned()];
        let good = package("node", "") + &package("serde", &format!("source = \"{CRATES_IO}\""));
        assert!(lock(&good, &members).is_empty());
        assert_eq!(lock(&package("other", ""), &members).len(), 1);
        assert_eq!(
            lock(
                &package("serde", "source = \"git+https://example.org/serde\""),
                &members
            )
            .len(),
            1
        );
    }
}
