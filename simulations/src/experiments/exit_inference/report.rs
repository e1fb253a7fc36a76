//! Tables, plots, bars and remarks.

use routing::Level;

use super::measure::{Case, Ends, Measured, Seen};
use super::{POOL_SEEN, Parameters, SECOND_HOPS, SEEN_MOST, published};
use crate::anonymity::{Degrees, Design, Links};
use crate::experiment::{Axis, Context, Figure, Kind, Outcome, Plot, Table};
use crate::statistics::{count, mean};

/// So few links count as few where degrees are uneven.
const FEW_LINKS: usize = 12;

const SOURCE: &str = "earlier calibration: 24 originators on one graph";

const fn watched(degree: usize, length: usize, seen: usize) -> Case {
    Case {
        degrees: Degrees::Even(degree),
        design: Design::Walks,
        length,
        seen: Seen::Circuits(seen),
        ends: Ends::Watched,
    }
}

const fn colluding(degrees: Degrees, design: Design, length: usize, seen: Seen) -> Case {
    Case {
        degrees,
        design,
        length,
        seen,
        ends: Ends::Collude,
    }
}

pub(super) fn name_of(degrees: Degrees) -> String {
    match degrees {
        Degrees::Even(degree) => format!("degree {degree}"),
        Degrees::Uneven => "uneven degrees".to_owned(),
        Degrees::Measured => "measured degrees".to_owned(),
    }
}

fn name_of_design(design: Design) -> String {
    match design {
        Design::Walks => "nothing".to_owned(),
        Design::Guard => "guard".to_owned(),
        Design::SecondHops(1) => "guard and second hop".to_owned(),
        Design::SecondHops(number) => format!("guard and {number} second hops"),
    }
}

/// Walks whose ends are seen, as in the published table.
pub(super) fn published(parameters: &Parameters, measured: &Measured, outcome: &mut Outcome) {
    let mut table = Table::new(
        "walks",
        "Nothing fixed, ends watched: median effective set",
        &[
            "degree",
            "hops",
            "circuits seen",
            "effective set",
            "published",
        ],
    );
    let comparable = parameters.nodes == published::NODES;
    for degree in published::DEGREES {
        for &length in &parameters.lengths {
            for &seen in &parameters.seen {
                let known = published::median(degree, length, seen).filter(|_| comparable);
                let median = measured.sets(watched(degree, length, seen)).median;
                table.row([
                    degree.into(),
                    length.into(),
                    seen.into(),
                    median.into(),
                    known.into(),
                ]);
            }
        }
    }
    outcome.table(table);
    for (degree, length, seen) in [(20, 4, 3), (20, 6, 1), (20, 6, 10), (10, 6, 1), (10, 8, 10)] {
        let case = watched(degree, length, seen);
        let known = published::median(degree, length, seen).filter(|_| comparable);
        if let Some(known) = known {
            let name =
                format!("walks, degree {degree}, {length} hops, {seen} seen: median effective set");
            outcome.figure(
                Figure::new(name, measured.sets(case).median, "nodes")
                    .near(known, 0.25 * known)
                    .source("earlier calibration: 24 originators on one graph; bar: a quarter off"),
            );
        }
    }
    outcome.plot(published_plot(parameters, measured, comparable));
}

fn published_plot(parameters: &Parameters, measured: &Measured, comparable: bool) -> Plot {
    let mut plot = Plot::new(
        "walks",
        "Effective set of circuits with nothing fixed, degree 20",
        Axis::linear("hops of a circuit"),
        Axis::log("effective set (nodes)"),
    );
    for &seen in &parameters.seen {
        let label = format!("{seen} circuits seen");
        let curve = |value: &dyn Fn(usize) -> Option<f64>| -> Vec<(f64, f64)> {
            let points = parameters.lengths.iter();
            points
                .filter_map(|&length| Some((count(length), value(length)?)))
                .collect()
        };
        let ours = curve(&|length| Some(measured.sets(watched(20, length, seen)).median));
        plot = plot.curve(Kind::Ours, &label, ours);
        if comparable {
            let known = curve(&|length| published::median(20, length, seen));
            plot = plot.curve(Kind::Published, &label, known);
        }
    }
    plot
}

/// How evenly walks end.
pub(super) fn spread(context: &Context<'_>, sizes: &[usize], outcome: &mut Outcome) {
    let mut table = Table::new(
        "spread",
        "Entropy of a walk's end, degree 20, mean over four originators (bits)",
        &["nodes", "most possible", "hops", "entropy", "published"],
    );
    let found = context.parallel("spread of ends", sizes, |&nodes| {
        let links = Links::draw(nodes, Degrees::Even(20), context.seed());
        [3, 4, 5, 6, 8, 10].map(|hops| {
            let ends: Vec<f64> = (0..4)
                .map(|part| entropy_of_end(&links, part * nodes / 4, hops))
                .collect();
            (hops, mean(&ends))
        })
    });
    for (&nodes, entropies) in sizes.iter().zip(found) {
        for (hops, entropy) in entropies {
            let known = published::SPREAD
                .iter()
                .find(|known| (known.0, known.1) == (nodes, hops));
            let known = known.map(|known| known.2);
            table.row([
                nodes.into(),
                count(nodes).log2().into(),
                hops.into(),
                entropy.into(),
                known.into(),
            ]);
            if let Some(known) = known.filter(|_| hops == 6) {
                outcome.figure(
                    Figure::new(
                        format!("entropy of the end after 6 hops, degree 20, {nodes} nodes"),
                        entropy,
                        "bits",
                    )
                    .near(known, 0.25)
                    .source("earlier calibration, one graph"),
                );
            }
        }
    }
    outcome.table(table);
}

fn entropy_of_end(links: &Links, from: usize, hops: usize) -> f64 {
    // A walk there is as likely as one back, but for the degrees of its ends
    let back = links.arrivals(from, hops).into_iter().enumerate();
    let there = back.map(|(end, part)| part * count(links.degree(end)) / count(links.degree(from)));
    -there
        .filter(|part| *part > 0.0)
        .map(|part| part * part.log2())
        .sum::<f64>()
}

/// What to keep from circuit to circuit.
pub(super) fn designs(parameters: &Parameters, measured: &Measured, outcome: &mut Outcome) {
    let mut table = Table::new(
        "designs",
        "Ends collude and tell the relay before them: effective set by what stays from circuit to circuit",
        &[
            "degree",
            "stays",
            "hops",
            "circuits seen",
            "median effective set",
            "a tenth have less than",
            "median of those with few links",
        ],
    );
    for degrees in parameters.design_kinds() {
        let mut designs = vec![Design::Walks, Design::Guard];
        designs.extend(SECOND_HOPS.map(Design::SecondHops));
        for design in designs {
            for &length in &parameters.lengths {
                for seen in seens(parameters, design) {
                    let case = colluding(degrees, design, length, seen);
                    let few = measured.sets_of_few_links(case, FEW_LINKS).median;
                    table.row([
                        name_of(degrees).into(),
                        name_of_design(design).into(),
                        length.into(),
                        match seen {
                            Seen::Circuits(seen) => seen.into(),
                            Seen::All => "second hops known".into(),
                        },
                        measured.sets(case).median.into(),
                        measured.tenth(case).into(),
                        few.into(),
                    ]);
                }
            }
        }
        outcome.plot(design_plot(parameters, measured, degrees));
    }
    outcome.table(table);
}

fn seens(parameters: &Parameters, design: Design) -> Vec<Seen> {
    let few = parameters.seen.iter().filter(|seen| **seen <= SEEN_MOST);
    let all = matches!(design, Design::SecondHops(_)).then_some(Seen::All);
    few.map(|&seen| Seen::Circuits(seen)).chain(all).collect()
}

fn design_plot(parameters: &Parameters, measured: &Measured, degrees: Degrees) -> Plot {
    let name = format!("designs-{}", name_of(degrees).replace(' ', "-"));
    let title = format!(
        "Circuits of 6 hops whose ends collude, {}",
        name_of(degrees)
    );
    let mut plot = Plot::new(
        &name,
        &title,
        Axis::log("circuits of one originator that end at colluders"),
        Axis::log("effective set (nodes)"),
    );
    let mut designs = vec![Design::Walks, Design::Guard];
    designs.extend(SECOND_HOPS.map(Design::SecondHops));
    for design in designs {
        let seen = parameters.seen.iter().filter(|seen| **seen <= SEEN_MOST);
        let points = seen.map(|&seen| {
            let case = colluding(degrees, design, 6, Seen::Circuits(seen));
            (count(seen), measured.sets(case).median)
        });
        let label = format!("{} fixed", name_of_design(design));
        plot = plot.curve(Kind::Ours, &label, points.collect());
    }
    plot
}

/// The least length at which a pool leaves a third of the network suspect.
pub(super) fn least_lengths(parameters: &Parameters, measured: &Measured, outcome: &mut Outcome) {
    let mut table = Table::new(
        "least-lengths",
        "Guard and one second hop fixed, 4 circuits end at colluders: median effective set as a part of all nodes",
        &[
            "degree",
            "hops",
            "effective set / N",
            "a tenth have less than",
        ],
    );
    let mut points = Vec::new();
    for degrees in parameters.length_kinds() {
        let mut least = None;
        for &length in &parameters.lengths {
            let case = pool(degrees, length);
            let part = measured.sets(case).median / count(parameters.nodes);
            let tenth = measured.tenth(case) / count(parameters.nodes);
            table.row([
                name_of(degrees).into(),
                length.into(),
                part.into(),
                tenth.into(),
            ]);
            if part >= 1.0 / 3.0 && least.is_none() {
                least = Some(length);
            }
        }
        if let (Degrees::Even(degree), Some(least)) = (degrees, least) {
            points.push((count(degree), count(least)));
        }
    }
    outcome.table(table);
    let steps = parameters
        .degrees
        .iter()
        .map(|&degree| (count(degree), count(hops_for(degree))));
    outcome.plot(
        Plot::new(
            "least-lengths",
            "Hops that leave a third of the network suspect",
            Axis::linear("links of a node"),
            Axis::linear("hops of a circuit"),
        )
        .curve(Kind::Ours, "least that do", points)
        .curve(Kind::Theory, "asked for", steps.collect()),
    );
}

const fn pool(degrees: Degrees, length: usize) -> Case {
    colluding(
        degrees,
        Design::SecondHops(1),
        length,
        Seen::Circuits(POOL_SEEN),
    )
}

/// The hops that an originator asks for, by the links it has.
fn hops_for(degree: usize) -> usize {
    usize::from(Level::Six.hops_at(degree))
}

/// What is held against bars.
pub(super) fn bars(parameters: &Parameters, measured: &Measured, outcome: &mut Outcome) {
    let part = |case| measured.sets(case).median / count(parameters.nodes);
    for degrees in parameters.length_kinds() {
        let hops = match degrees {
            Degrees::Even(degree) => hops_for(degree),
            Degrees::Uneven => hops_for(20),
            // Most nodes are at the lowest peak
            Degrees::Measured => hops_for(13),
        };
        let name = format!(
            "{}, {hops} hops, guard and second hop fixed: effective set / N",
            name_of(degrees)
        );
        outcome.figure(
            Figure::new(name, part(pool(degrees, hops)), "")
                .at_least(1.0 / 3.0)
                .source("bar: a third of all nodes where 4 of a pool's 32 circuits end at colluders (3.2 if every tenth node colludes)"),
        );
    }
    let short = colluding(Degrees::Even(20), Design::Walks, 4, Seen::Circuits(10));
    outcome.figure(
        Figure::new(
            "fault: circuits of 4 hops, nothing fixed, 10 seen: effective set / N",
            part(short),
            "",
        )
        .at_least(1.0 / 3.0)
        .with_fault()
        .source("the same bar"),
    );
    let name = "bits by which the adversary was wrong about its doubt";
    let surplus = mean(&measured.surpluses(Design::SecondHops(1)));
    outcome.figure(
        Figure::new(
            format!("guard and second hop fixed: {name}"),
            surplus,
            "bits",
        )
        .near(0.0, 0.5)
        .source("a rational belief is neither too sure nor too doubtful; bar: half a bit"),
    );
    let surplus = mean(&measured.surpluses(Design::Walks));
    outcome.figure(
        Figure::new(format!("nothing fixed: {name}"), surplus, "bits").source(
            "no bar: not what we do; that relays are visited once is left out of the reckoning",
        ),
    );
}

pub(super) fn notes(parameters: &Parameters, outcome: &mut Outcome) {
    outcome.note(format!(
        "{} graphs of {} nodes of each kind, {} originators on each. Ideal small worlds; uneven degrees are 10 to 85, 20 in the middle, measured ones those of Freenet's opennet in 2013 (13, 50, 75 and 100). No routers \
         are needed: nothing but links decides where a circuit can go.",
        parameters.graphs, parameters.nodes, parameters.originators
    ));
    outcome.note(format!(
        "The adversary knows every link, that circuits have so many hops, that they are of one originator, and, where several second hops are \
         kept, which circuits share one. A colluding end also names the relay before it, so it sees as much as the end of a circuit one hop shorter \
         ({SOURCE} only knew the ends). It has no timing: relays in the middle of a circuit do not recognise it. See `guards` for those."
    ));
    outcome.note(
        "One second hop is best. The more are kept, the better the ends point to the guard, as the node that is next to all of them, and then to \
         its neighbours. With one, the ends point to it in the long run, and who built the circuits may be any node two steps away.",
    );
}
