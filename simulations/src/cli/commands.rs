//! One function a command.

use std::path::Path;

use anyhow::{Context as _, Error, bail, ensure};

use super::Ended;
use super::arguments::{Command, Run};
use super::print;
use super::progress_bar::ProgressBar;
use crate::experiment::Size;
use crate::replay::replay;
use crate::results::{Folder, Options, Results, compare, run};
use crate::scenario::{Collection, Scenario, scenarios};

/// Why a command could not be carried out, and what the program's end says of it.
pub(super) struct Failure {
    pub(super) ended: Ended,
    pub(super) error: Error,
}

pub(super) fn carry_out(command: Command) -> Result<Ended, Failure> {
    match command {
        Command::List => {
            print::table(&print::list(&scenarios())).map_err(unwritten)?;
            Ok(Ended::Well)
        }
        Command::Run(arguments) => run_all(&arguments),
        Command::Compare { a, b } => {
            let (a, b) = (open(&a)?, open(&b)?);
            print::table(&compare(a.results(), b.results())).map_err(unwritten)?;
            Ok(Ended::Well)
        }
        Command::Report { folder } => {
            let folder = open(&folder)?;
            folder.write_report().map_err(unwritten)?;
            print::line(&folder.report_path().display().to_string()).map_err(unwritten)?;
            Ok(Ended::Well)
        }
        Command::Replay { seed, weather } => {
            print::replay(&replay(seed, weather.into())).map_err(unwritten)?;
            Ok(Ended::Well)
        }
    }
}

fn run_all(arguments: &Run) -> Result<Ended, Failure> {
    let (chosen, size) = choose(&arguments.what, arguments.small).map_err(usage)?;
    ensure_nodes(arguments.nodes).map_err(usage)?;
    let options = Options {
        size,
        seed: arguments.seed,
        nodes: arguments.nodes,
    };
    let mut folder = match &arguments.out {
        Some(path) if arguments.resume => Some(Folder::resume(path).map_err(usage)?),
        Some(path) => Some(Folder::create(path).map_err(unwritten)?),
        None => None,
    };
    if let (Some(folder), Some(collection)) = (&mut folder, Collection::named(&arguments.what)) {
        folder.head(collection);
    }
    let mut results = Results::default();
    let progress = ProgressBar::new(chosen.len());
    for scenario in &chosen {
        progress.next(scenario.name());
        let done = folder
            .as_ref()
            .and_then(|folder| folder.done(scenario, options));
        let record = match done {
            Some(record) => record.clone(),
            None => {
                let record = run(scenario, options, &progress);
                if let Some(folder) = &mut folder {
                    folder.add(record.clone()).map_err(unwritten)?;
                }
                record
            }
        };
        if !arguments.json {
            progress
                .aside(|| print::record(&record))
                .map_err(unwritten)?;
        }
        results.records.push(record);
    }
    progress.finish();
    if arguments.json {
        print::line(&results.to_json().to_string()).map_err(unwritten)?;
    } else {
        print::totals(&results, folder.as_ref().map(Folder::report_path)).map_err(unwritten)?;
    }
    Ok(if results.passed() {
        Ended::Well
    } else {
        Ended::Failed
    })
}

/// The scenarios of that name, and the size to run them at.
fn choose(what: &str, small: bool) -> anyhow::Result<(Vec<Scenario>, Size)> {
    let size = if small { Size::Small } else { Size::Full };
    match what {
        "all" => Ok((scenarios(), size)),
        "smoke" => {
            let all = scenarios().into_iter();
            Ok((
                all.filter(|scenario| scenario.has(Size::Smoke)).collect(),
                Size::Smoke,
            ))
        }
        _ if Path::new(what)
            .extension()
            .is_some_and(|ending| ending == "toml") =>
        {
            Ok((vec![read(Path::new(what))?], size))
        }
        _ => {
            if let Some(collection) = Collection::named(what) {
                return Ok((collection.scenarios(), size));
            }
            let found = scenarios()
                .into_iter()
                .find(|scenario| scenario.name() == what);
            let Some(scenario) = found else {
                bail!(
                    "there is no scenario {what:?}; `simulate list` shows all; a file must end in .toml"
                );
            };
            Ok((vec![scenario], size))
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Scenario> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let name = path
        .file_stem()
        .and_then(|name| name.to_str())
        .unwrap_or("scenario");
    Scenario::parse(name, &text)
}

fn ensure_nodes(nodes: Option<usize>) -> anyhow::Result<()> {
    ensure!(
        nodes.is_none_or(|nodes| nodes >= 10),
        "a network has at least 10 nodes"
    );
    Ok(())
}

fn open(path: &Path) -> Result<Folder, Failure> {
    Folder::open(path).map_err(usage)
}

const fn usage(error: Error) -> Failure {
    Failure {
        ended: Ended::Usage,
        error,
    }
}

const fn unwritten(error: Error) -> Failure {
    Failure {
        ended: Ended::Unwritten,
        error,
    }
}
