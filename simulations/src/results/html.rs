//! The report: one HTML file that needs nothing else.

use std::fmt::{Arguments, Write as _};

use super::{Record, Results, bar, number};
use crate::chart::{escape, svg};
use crate::experiment::{Cell, Figure, Table, Verdict};

/// Longer tables are cut in the report; the CSV file has them whole.
const ROWS_MAX: usize = 60;

const STYLE: &str = include_str!("report.css");

/// Everything for a reader. It holds no script and names no other file.
pub(super) fn report(results: &Results) -> String {
    let mut page = Page::default();
    let title = results.heading.as_ref().map(|(title, _)| title.as_str());
    let title = escape(title.unwrap_or("Warren simulations"));
    page.put(format_args!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title>\n<style>{STYLE}</style></head>\n<body><main>\n\
         <h1>{title}</h1>\n"
    ));
    page.overview(results);
    for record in &results.records {
        page.record(record);
    }
    page.put(format_args!(
        "<footer>simulate {}. The same seed gives the same figures.</footer>\n</main></body></html>\n",
        escape(&results.version)
    ));
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn put(&mut self, text: Arguments<'_>) {
        self.0
            .write_fmt(text)
            .expect("writing to a string cannot fail");
    }

    fn overview(&mut self, results: &Results) {
        if let Some((_, lead)) = &results.heading {
            self.put(format_args!("<p>{}</p>\n", escape(lead)));
        }
        let broken = results
            .records
            .iter()
            .filter(|record| record.error.is_some())
            .count();
        self.put(format_args!(
            "<p class=\"lead\">{} figures meet their bar, {} miss it, {} have none.{}</p>\n",
            results.count(Verdict::Pass),
            results.count(Verdict::Fail),
            results.count(Verdict::Reported),
            if broken == 0 {
                String::new()
            } else {
                format!(" {broken} scenarios could not be run.")
            }
        ));
        self.put(format_args!(
            "<div class=\"wide\"><table><thead><tr><th>Scenario</th><th>What is measured</th><th>Size</th>\
             <th class=\"n\">Pass</th><th class=\"n\">Fail</th><th class=\"n\">Time</th></tr></thead><tbody>\n"
        ));
        for record in &results.records {
            let verdict = if record.passed() { "pass" } else { "fail" };
            self.put(format_args!(
                "<tr class=\"{verdict}\"><td><a href=\"#{id}\">{id}</a></td><td>{} {}</td><td>{}</td>\
                 <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{} s</td></tr>\n",
                escape(&record.number),
                escape(&record.summary),
                record.size.name(),
                record.count(Verdict::Pass),
                if record.error.is_some() { "error".to_owned() } else { record.count(Verdict::Fail).to_string() },
                number((record.seconds * 10.0).round() / 10.0),
                id = escape(&record.scenario),
            ));
        }
        self.put(format_args!("</tbody></table></div>\n"));
    }

    fn record(&mut self, record: &Record) {
        self.put(format_args!(
            "<section id=\"{id}\">\n<h2>{heading}</h2>\n<p class=\"lead\">{}</p>\n",
            escape(&record.summary),
            id = escape(&record.scenario),
            heading = heading(record),
        ));
        if let Some(error) = &record.error {
            self.put(format_args!(
                "<p class=\"error\">It could not be run: {}</p>\n",
                escape(error)
            ));
        }
        self.figures(&record.outcome.figures);
        if !record.outcome.notes.is_empty() {
            self.put(format_args!("<h3>Notes</h3>\n<ul>\n"));
            for note in &record.outcome.notes {
                self.put(format_args!("<li>{}</li>\n", escape(note)));
            }
            self.put(format_args!("</ul>\n"));
        }
        for plot in &record.outcome.plots {
            self.put(format_args!(
                "<figure class=\"wide\">{}</figure>\n",
                svg(plot)
            ));
        }
        for table in &record.outcome.tables {
            self.table(table);
        }
        self.set_up(record);
        self.put(format_args!("</section>\n"));
    }

    fn figures(&mut self, figures: &[Figure]) {
        if figures.is_empty() {
            return;
        }
        self.put(format_args!(
            "<div class=\"wide\"><table class=\"figures\"><thead><tr><th>Figure</th><th class=\"n\">Ours</th>\
             <th class=\"n\">Bar</th><th class=\"n\">Published or theory</th><th>Verdict</th><th>Source</th></tr></thead><tbody>\n"
        ));
        for figure in figures {
            let verdict = figure.verdict();
            let unit = if figure.unit.is_empty() {
                String::new()
            } else {
                format!(" {}", figure.unit)
            };
            self.put(format_args!(
                "<tr class=\"{}\"><td>{}</td><td class=\"n\">{}{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
                 <td><span class=\"verdict\">{}</span></td><td class=\"source\">{}</td></tr>\n",
                class(verdict),
                escape(&figure.name),
                number(figure.value),
                escape(&unit),
                escape(&bar(figure)),
                figure.published.map(number).unwrap_or_default(),
                verdict.word(),
                escape(&figure.source),
            ));
        }
        self.put(format_args!("</tbody></table></div>\n"));
    }

    fn table(&mut self, table: &Table) {
        self.put(format_args!(
            "<details{}><summary>{}</summary><div class=\"wide\"><table><thead><tr>",
            if table.rows.len() <= 16 { " open" } else { "" },
            escape(&table.title)
        ));
        let numeric: Vec<bool> = (0..table.columns.len())
            .map(|column| {
                table
                    .rows
                    .iter()
                    .any(|row| matches!(row[column], Cell::Number(_)))
            })
            .collect();
        let class = |column: usize| if numeric[column] { " class=\"n\"" } else { "" };
        for (column, name) in table.columns.iter().enumerate() {
            self.put(format_args!("<th{}>{}</th>", class(column), escape(name)));
        }
        self.put(format_args!("</tr></thead><tbody>\n"));
        for row in table.rows.iter().take(ROWS_MAX) {
            self.put(format_args!("<tr>"));
            for (column, cell) in row.iter().enumerate() {
                let text = match cell {
                    Cell::Number(value) => number(*value),
                    Cell::Text(text) => escape(text),
                };
                self.put(format_args!("<td{}>{text}</td>", class(column)));
            }
            self.put(format_args!("</tr>\n"));
        }
        self.put(format_args!("</tbody></table></div>"));
        if table.rows.len() > ROWS_MAX {
            self.put(format_args!(
                "<p>{} further rows are in {}.csv.</p>",
                table.rows.len() - ROWS_MAX,
                escape(&table.name)
            ));
        }
        self.put(format_args!("</details>\n"));
    }

    fn set_up(&mut self, record: &Record) {
        let nodes = record
            .nodes
            .map(|nodes| format!(", {nodes} nodes as the user asked"))
            .unwrap_or_default();
        self.put(format_args!(
            "<details><summary>Scenario, size {}, seed {}{nodes}</summary><pre>{}</pre></details>\n",
            record.size.name(),
            record.seed,
            escape(&record.text),
        ));
    }
}

/// Of a scenario's part: its own words, or its number and name.
fn heading(record: &Record) -> String {
    let named = format!("{} {}", escape(&record.number), escape(&record.scenario));
    match &record.title {
        Some(title) => format!("{} <small>{named}</small>", escape(title)),
        None => named,
    }
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Reported => "told",
    }
}
