//! The program `simulate` as a user runs it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use simulations::scenario::scenarios;
use tempfile::TempDir;

fn simulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulate"))
        .args(arguments)
        .env_remove("SIMULATE_OUT")
        .output()
        .expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}

/// A scenario whose file says that each block is kept by so many nodes. With one, a bar is missed.
fn durability(folder: &TempDir, copies: u32) -> String {
    let path = folder.path().join("mine.toml");
    let scenario = format!(
        "experiment = 'durability'\nsummary = ''\nseed = 1\n[parameters]\ncopies = {copies}\ntrials = 100\n[small]\n[full]\n"
    );
    std::fs::write(&path, scenario).expect("a file in a temporary folder");
    text(&path).to_owned()
}

#[test]
fn smoke_meets_every_bar_and_leaves_every_file() {
    let folder = TempDir::new().unwrap();
    let out = folder.path();
    let output = simulate(&["run", "smoke", "--json", "--out", text(out)]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{told:#}", stderr(&output));
    assert_eq!((&told["passed"], &told["fail"]), (&true.into(), &0.into()));
    for run in told["runs"].as_array().unwrap() {
        assert_eq!(run["size"], "smoke");
        assert!(
            run["figures"]
                .as_array()
                .unwrap()
                .iter()
                .any(|figure| figure["bar"].as_str().unwrap().contains("must miss")),
            "no planted fault: {run:#}"
        );
    }

    let results: Value =
        serde_json::from_str(&std::fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    let report = std::fs::read_to_string(out.join("report.html")).unwrap();
    for record in results["records"].as_array().unwrap() {
        let scenario = record["scenario"].as_str().unwrap();
        let files = |list: &str, ending: &str| {
            for item in record["outcome"][list].as_array().unwrap() {
                let file = out
                    .join(scenario)
                    .join(format!("{}.{ending}", item["name"].as_str().unwrap()));
                assert!(
                    std::fs::metadata(&file).unwrap().len() > 50,
                    "{}",
                    file.display()
                );
            }
        };
        files("tables", "csv");
        files("plots", "svg");
        files("plots", "png");
        assert!(report.contains(&format!("<section id=\"{scenario}\">")));
    }
    assert!(!report.contains("<script") && !report.contains("src=") && !report.contains("@import"));
}

#[test]
fn a_missed_bar_ends_with_1_and_wrong_usage_with_2() {
    let folder = TempDir::new().unwrap();
    let weak = simulate(&["run", &durability(&folder, 1)]);
    assert_eq!(weak.status.code(), Some(1), "{}", stderr(&weak));
    assert!(stdout(&weak).contains("FAIL"));

    let strong = simulate(&["run", &durability(&folder, 4)]);
    assert_eq!(strong.status.code(), Some(0), "{}", stderr(&strong));

    for (wrong, reason) in [
        (vec!["run", "nothing-like-it"], "there is no scenario"),
        (vec!["run", "nowhere.toml"], "cannot be read"),
        (vec!["run", "durability", "--nodes", "3"], "at least 10"),
        (vec!["compare", "nowhere", "nowhere"], "cannot be read"),
        (vec!["walk"], "unrecognized"),
    ] {
        let output = simulate(&wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
}

#[test]
fn an_unknown_parameter_is_named_and_does_not_pass() {
    let folder = TempDir::new().unwrap();
    let path = durability(&folder, 4);
    let scenario = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, scenario.replace("[small]", "colour = 1\n[small]")).unwrap();
    let output = simulate(&["run", &path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("`colour`"), "{}", stdout(&output));
}

#[test]
fn a_run_that_was_broken_off_goes_on_and_keeps_what_it_had() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let seeds = || {
        let file = std::fs::read(out.join("results.json")).unwrap();
        let results: Value = serde_json::from_slice(&file).unwrap();
        let records = results["records"].as_array().unwrap().clone();
        records
            .iter()
            .map(|record| format!("{} {}", record["scenario"], record["seed"]))
            .collect::<Vec<_>>()
    };
    let mine = durability(&folder, 4);
    let other = folder.path().join("other.toml");
    std::fs::copy(&mine, &other).unwrap();
    simulate(&["run", &mine, "--out", text(&out)]);

    // Written by every run
    let tables = out.join("mine");
    std::fs::remove_dir_all(&tables).unwrap();
    for scenario in [text(&other), &mine] {
        let output = simulate(&["run", scenario, "--out", text(&out), "--resume"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    assert!(!tables.exists(), "it ran again");
    assert_eq!(seeds(), ["\"mine\" 1", "\"other\" 1"]);

    simulate(&["run", &mine, "--seed", "2", "--out", text(&out), "--resume"]);
    assert!(tables.exists(), "another seed's results were taken");
    assert_eq!(seeds(), ["\"mine\" 2", "\"other\" 1"]);
}

#[test]
fn two_runs_are_compared_and_a_lost_report_is_written_anew() {
    let folder = TempDir::new().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    for (copies, out) in [(4, &a), (3, &b)] {
        simulate(&["run", &durability(&folder, copies), "--out", text(out)]);
    }
    let compared = stdout(&simulate(&["compare", text(&a), text(&b)]));
    assert!(
        compared.contains("formula against published table"),
        "{compared}"
    );
    assert!(
        compared.contains("at 3 nodes each") && compared.contains('='),
        "{compared}"
    );

    let report = a.join("report.html");
    let before = std::fs::read_to_string(&report).unwrap();
    std::fs::remove_file(&report).unwrap();
    assert_eq!(simulate(&["report", text(&a)]).status.code(), Some(0));
    assert_eq!(before, std::fs::read_to_string(&report).unwrap());
}

#[test]
fn the_list_names_every_scenario_and_a_seed_replays_one_trace() {
    let list = stdout(&simulate(&["list"]));
    assert!(!scenarios().is_empty());
    for scenario in scenarios() {
        assert!(list.contains(scenario.name()), "{list}");
    }
    let replay = |seed: &str| stdout(&simulate(&["replay", seed, "--weather", "lossy"]));
    assert_eq!(replay("5"), replay("5"));
    assert_ne!(replay("5"), replay("6"));
}
