//! The page with what the user may choose.

use maud::{Markup, html};

use super::layout::{Here, Page, framed};
use crate::app::App;
use crate::network::{AnonymityStatus, HOPS};
use crate::origin::Origin;

/// What to say about the last choice.
pub(crate) enum Notice {
    Saved,
    /// Nothing was changed: the tick was missing.
    NotConfirmed,
    /// It is not as it was wanted.
    Failed(String),
}

/// Writes the page.
pub(crate) fn page(app: &App, now: &AnonymityStatus, notice: Option<&Notice>) -> Markup {
    let wanted = match notice {
        Some(Notice::NotConfirmed) => 0,
        _ => now.hops_promised,
    };
    let content = html! {
        h1 { "How hidden you are" }
        p.lead {
            "What you ask for and publish can travel sealed through other people’s nodes before it begins for others to see. "
            "Each of them knows only the one before it and the one behind it. More of them hide you better and take longer."
        }
        @match notice {
            Some(Notice::Saved) => p.badge.good role="status" { "Saved. It holds from now on, and after a restart." },
            Some(Notice::NotConfirmed) => p.mistake role="alert" {
                "Nothing was changed. To be seen by your neighbours, set the tick below that choice."
            },
            Some(Notice::Failed(why)) => p.mistake role="alert" { "There is a problem: " (why) "." },
            None => {}
        }
        form.stack action="/settings" method="post" {
            input type="hidden" name="token" value=(app.form_token.text());
            @for hops in HOPS {
                (choice(hops, hops == wanted, now))
            }
            p.actions { button.primary type="submit" { "Save" } }
        }
        p.quiet {
            "It holds for everything that does not say otherwise, such as " code { "fcp get --anonymity 4" } ". With few peers the way is "
            "longer than chosen, in a tiny network shorter; " a href="/status" { "This node" } " shows how long it is. "
            "Prices: a test network of 12 nodes on one computer. Over real lines each node on the way adds the line’s own delay: by "
            "that, a page through 6 nodes takes about two and a half times as long as with none where ten thousand nodes are, "
            "and three times where a thousand are."
        }
    };
    framed(
        app,
        &Origin::Node,
        &Page {
            title: "Settings",
            here: Here::Settings,
            refresh_s: None,
            content,
        },
    )
}

fn choice(hops: u8, checked: bool, now: &AnonymityStatus) -> Markup {
    let Words {
        title,
        hides,
        price,
    } = words(hops);
    html! {
        div.card {
            label.choice {
                input type="radio" name="hops" value=(hops) checked[checked];
                span {
                    strong { (title) }
                    @if hops == now.hops_promised { " " span.badge.good { "in use" } }
                    @else if hops == now.hops_configured { " " span.badge { "from the configuration" } }
                }
            }
            p { (hides) }
            p.quiet { "Price: " (price) }
            @if hops == 0 {
                label.choice {
                    input type="checkbox" name="confirm" value="yes";
                    "Yes, the nodes next to mine may see what I ask for and publish."
                }
            }
        }
    }
}

/// A level in the words of somebody who has never heard of circuits.
struct Words {
    title: &'static str,
    hides: &'static str,
    price: &'static str,
}

/// Prices as docs/MEASURING.md has them.
const fn words(hops: u8) -> Words {
    match hops {
        0 => Words {
            title: "Off",
            hides: "Every node next to yours sees the keys you ask for, and can count that they come from you. One in ten \
                    nodes, working together, recognise who downloads a large file in four of five cases.",
            price: "none.",
        },
        2 => Words {
            title: "2 nodes",
            hides: "No single node can tell what you ask for. The two on your way can if they work together, and they are \
                    next to each other.",
            price: "on a test network a page took half as long again as with none.",
        },
        4 => Words {
            title: "4 nodes",
            hides: "The first and the last node on your way would have to work together and compare times. Others on the \
                    way learn nothing; but so short a way still says something about the part of the network you are in.",
            price: "on a test network a page took one and a half times to twice as long as with none.",
        },
        8 => Words {
            title: "8 nodes",
            hides: "As 6, and the last node on your way can say next to nothing about where it began even in a network \
                    with few links.",
            price: "on a test network a page took two to three times as long as with none.",
        },
        _ => Words {
            title: "6 nodes (usual)",
            hides: "The first and the last node on your way would have to work together and compare times. The first stays \
                    the same for two months, so that this does not happen to everybody sooner or later. The last one can \
                    say next to nothing about where the way began.",
            price: "on a test network a page took twice as long as with none (4 ms instead of 2), a large file came at half the \
                    speed, and publishing one took up to twice as long.",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of prices and what follows from it.
    const MEASURED: &str = include_str!("../../../docs/MEASURING.md");

    #[test]
    fn every_level_names_its_own_price() {
        let prices: Vec<&str> = HOPS.iter().map(|hops| words(*hops).price).collect();
        for (place, price) in prices.iter().enumerate() {
            assert!(!prices[..place].contains(price), "{price}");
            let free = *price == "none.";
            assert_eq!(free, HOPS[place] == 0, "{price}");
            assert_eq!(!free, price.contains("on a test network"), "{price}");
        }
    }

    #[test]
    fn the_usual_price_is_the_one_that_was_measured() {
        let price = words(6).price;
        assert!(price.contains("(4 ms instead of 2)"), "{price}");
        let row = MEASURED
            .lines()
            .find(|line| line.contains("each page opened"));
        let row = row.expect("the table has pages");
        let columns: Vec<&str> = row.split('|').collect();
        // Level 0 and level 6, of three runs
        for (column, millis) in [(2, 2.0), (3, 4.0)] {
            let medians = columns[column].split(')').filter_map(|run| {
                let text = run.trim_start_matches([',', ' ']);
                text.split([' ', '(']).next()?.parse::<f64>().ok()
            });
            let medians: Vec<f64> = medians.collect();
            assert_eq!(medians.len(), 3, "{row}");
            let mean = medians.iter().sum::<f64>() / 3.0;
            assert!((mean - millis).abs() < 0.5, "{mean} is not {millis}");
        }
    }
}
