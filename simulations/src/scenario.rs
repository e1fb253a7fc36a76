//! Scenarios: an experiment with its parameters, as a TOML file.
//!
//! ```toml
//! experiment = "greedy-limit"        # the experiment's name
//! title = "How far is it?"           # the heading in the report; may be left out
//! summary = "hops of greedy routing" # one line for `simulate list`
//! seed = 1                           # of everything random, unless the user gives another
//!
//! [parameters]                       # the same at each size; may be left out
//! pairs = 20_000
//! [small]                            # minutes at most
//! nodes = [1_000, 10_000]
//! [full]                             # as large as the published experiment
//! nodes = [1_000, 10_000, 100_000, 1_000_000]
//! [smoke]                            # seconds; may be left out, then the scenario takes no part in `smoke`
//! nodes = [200]
//! ```

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::experiment::{Experiment, Size};
use crate::experiments::experiment;

/// The scenarios that come with the program, in the order in which `all` runs them. A test compares the list with the folder.
const EMBEDDED: &[(&str, &str)] = &[
    (
        "greedy-limit",
        include_str!("../scenarios/greedy-limit.toml"),
    ),
    ("convergence", include_str!("../scenarios/convergence.toml")),
    ("growth", include_str!("../scenarios/growth.toml")),
    (
        "link-lengths",
        include_str!("../scenarios/link-lengths.toml"),
    ),
    ("folding", include_str!("../scenarios/folding.toml")),
    ("replacement", include_str!("../scenarios/replacement.toml")),
    ("million", include_str!("../scenarios/million.toml")),
    (
        "node-failure",
        include_str!("../scenarios/node-failure.toml"),
    ),
    ("churn", include_str!("../scenarios/churn.toml")),
    ("swapping", include_str!("../scenarios/swapping.toml")),
    ("pitch-black", include_str!("../scenarios/pitch-black.toml")),
    ("hybrid", include_str!("../scenarios/hybrid.toml")),
    ("durability", include_str!("../scenarios/durability.toml")),
    ("caching", include_str!("../scenarios/caching.toml")),
    ("storage", include_str!("../scenarios/storage.toml")),
    ("traceback", include_str!("../scenarios/traceback.toml")),
    ("overload", include_str!("../scenarios/overload.toml")),
    (
        "exit-inference",
        include_str!("../scenarios/exit-inference.toml"),
    ),
    ("guards", include_str!("../scenarios/guards.toml")),
    (
        "circuit-attacks",
        include_str!("../scenarios/circuit-attacks.toml"),
    ),
    ("requester", include_str!("../scenarios/requester.toml")),
];

/// An experiment with its parameters.
#[derive(Clone, Debug)]
pub struct Scenario {
    name: String,
    text: String,
    file: File,
}

/// What a scenario's file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    experiment: String,
    title: Option<String>,
    summary: String,
    seed: u64,
    #[serde(default)]
    parameters: toml::Table,
    smoke: Option<toml::Table>,
    small: toml::Table,
    full: toml::Table,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// If the text is no scenario: a key is missing, unknown or of the wrong type, or the experiment is unknown.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let file: File =
            toml::from_str(text).with_context(|| format!("scenario {name} cannot be read"))?;
        ensure!(
            experiment(&file.experiment).is_some(),
            "scenario {name} names an unknown experiment {:?}; `simulate list` shows the known ones",
            file.experiment
        );
        Ok(Self {
            name: name.to_owned(),
            text: text.to_owned(),
            file,
        })
    }

    /// Its name: the file's, without the ending.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The heading of its part of the report, if it has one of its own.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.file.title.as_deref()
    }

    /// The file, word for word.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// In one line.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.file.summary
    }

    /// Of everything random, unless the user gives another.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.file.seed
    }

    /// What it runs.
    ///
    /// # Panics
    /// Never: the experiment was looked up when the scenario was read.
    #[must_use]
    pub fn experiment(&self) -> &'static dyn Experiment {
        experiment(&self.file.experiment).expect("looked up when the scenario was read")
    }

    /// Whether it can be run at that size.
    #[must_use]
    pub const fn has(&self, size: Size) -> bool {
        !matches!(size, Size::Smoke) || self.file.smoke.is_some()
    }

    /// The parameters at that size: the common ones, with the size's own in place of them.
    ///
    /// # Errors
    /// If it has no such size.
    pub fn parameters(&self, size: Size) -> Result<toml::Table> {
        let own = match size {
            Size::Smoke => self.file.smoke.as_ref(),
            Size::Small => Some(&self.file.small),
            Size::Full => Some(&self.file.full),
        };
        let Some(own) = own else {
            bail!("scenario {} has no [{}]", self.name, size.name());
        };
        let mut parameters = self.file.parameters.clone();
        parameters.extend(own.clone());
        Ok(parameters)
    }
}

/// Scenarios that are run together and have a report together.
#[derive(Debug)]
pub struct Collection {
    /// What `simulate run` knows it by.
    pub name: &'static str,
    /// The heading of the report.
    pub title: &'static str,
    /// What the report is about, for everybody.
    pub lead: &'static str,
    scenarios: &'static [&'static str],
}

const COLLECTIONS: [Collection; 1] = [Collection {
    name: "anonymity",
    title: "How anonymous is it?",
    lead: "Somebody runs a part of all nodes of the network and wants to know who reads or publishes a file. What do his nodes see, and what can he conclude? \
           Each section puts one such question to networks of the program's own routers, or to graphs where routers add nothing. \"Level 0\" is a request in the open; \
           \"circuits\" is what a node does without being told, a chain of six other nodes before anybody can read what is asked for. \"must miss\" marks what is planted to be found: an \
           experiment that could not find it would prove nothing. What the figures mean for a user stands in docs/ANONYMITY.md.",
    scenarios: &[
        "requester",
        "exit-inference",
        "guards",
        "circuit-attacks",
        "traceback",
    ],
}];

impl Collection {
    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        COLLECTIONS
            .iter()
            .find(|collection| collection.name == name)
    }

    /// Its scenarios, in the order of the report.
    ///
    /// # Panics
    /// Never: a test looks for each of them.
    #[must_use]
    pub fn scenarios(&self) -> Vec<Scenario> {
        let named = |name: &&str| scenarios().into_iter().find(|one| one.name() == *name);
        let names = self.scenarios.iter();
        names
            .map(|name| named(name).expect("a test looks for each of them"))
            .collect()
    }
}

/// The scenarios that come with the program.
///
/// # Panics
/// Never: a test reads each of them.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    EMBEDDED
        .iter()
        .map(|(name, text)| Scenario::parse(name, text).expect("a test reads each of them"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_embedded_and_can_be_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let mut embedded: Vec<_> = EMBEDDED.iter().map(|&(name, _)| name.to_owned()).collect();
        files.sort();
        embedded.sort();
        assert_eq!(files, embedded);
        for (name, text) in EMBEDDED {
            Scenario::parse(name, text).unwrap_or_else(|error| panic!("{error:?}"));
        }
    }

    #[test]
    fn collections_have_names_of_their_own_and_scenarios_that_exist() {
        for collection in &COLLECTIONS {
            assert_eq!(
                collection.scenarios().len(),
                collection.scenarios.len(),
                "{}",
                collection.name
            );
            assert!(EMBEDDED.iter().all(|(name, _)| *name != collection.name));
        }
        assert!(Collection::named("all").is_none());
    }

    #[test]
    fn what_is_no_scenario_is_refused_with_a_reason() {
        for (text, reason) in [
            (
                "experiment = 'none'\nsummary = ''\nseed = 1\n[small]\n[full]",
                "unknown experiment",
            ),
            ("experiment = 'none'\nseeds = 1", "cannot be read"),
        ] {
            let error = Scenario::parse("wrong", text).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
