//! Rules about text of every kind.

use crate::tree::resolve;

/// Homes of people and of build machines.
const HOMES: &[&str] = &["/home/", "/Users/", "/root/", "C:\\Users\\"];

/// Nothing names a folder that exists on somebody's machine only.
pub(crate) fn paths(path: &str, text: &str) -> Vec<String> {
    // The rule's own file has to name them.
    if path.ends_with("tidy/prose.rs") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(home) = HOMES.iter().find(|home| line.contains(**home)) {
            findings.push(format!("{path}:{}: a path below {home}", number + 1));
        }
    }
    findings
}

/// Relative links of a Markdown file lead to files.
pub(crate) fn links(path: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    let text = without_code(text);
    for (at, _) in text.match_indices("](") {
        let Some((target, _)) = text[at + 2..].split_once(')') else {
            continue;
        };
        check(path, target, &exists, &mut findings);
    }
    findings
}

/// A Markdown text without its code, in blocks and in lines.
fn without_code(text: &str) -> String {
    let prose = |part: &str| -> String { part.split('`').step_by(2).collect() };
    text.split("```").step_by(2).map(prose).collect()
}

/// Relative links of a page lead to files, and it loads nothing from elsewhere.
pub(crate) fn page_links(path: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for attribute in ["href=\"", "src=\""] {
        for (at, _) in text.match_indices(attribute) {
            let Some((target, _)) = text[at + attribute.len()..].split_once('"') else {
                continue;
            };
            if is_absolute(target) {
                findings.push(format!("{path}: {target} leads out of the site"));
            } else {
                check(path, target, &exists, &mut findings);
            }
        }
    }
    findings
}

fn is_absolute(target: &str) -> bool {
    target.contains("://") || target.starts_with('/') || target.starts_with("mailto:")
}

fn check(path: &str, target: &str, exists: &impl Fn(&str) -> bool, findings: &mut Vec<String>) {
    let file = target.split('#').next().unwrap_or_default();
    if file.is_empty() || is_absolute(target) {
        return;
    }
    if !resolve(path, file).is_some_and(|file| exists(&file)) {
        findings.push(format!("{path}: the link {target} leads nowhere"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_somebody_is_found() {
        assert_eq!(paths("a.rs", "x\nlet p = \"/home/eve/a\";").len(), 1);
        assert!(paths("a.rs", "let p = \"~/.cache\";").is_empty());
    }

    #[test]
    fn dead_links_are_found() {
        let exists = |path: &str| path == "docs/A.md";
        assert!(
            links(
                "README.md",
                "[a](docs/A.md#part) [b](https://example.org/) [c](#d)",
                exists
            )
            .is_empty()
        );
        assert_eq!(links("README.md", "[a](docs/B.md)", exists).len(), 1);
        assert_eq!(links("README.md", "[a](../A.md)", exists).len(), 1);
    }

    #[test]
    fn pages_that_lead_out_or_nowhere_are_found() {
        let exists = |path: &str| path == "site/a.html";
        assert!(page_links("site/b.html", "<a href=\"a.html\">", exists).is_empty());
        assert_eq!(
            page_links(
                "site/b.html",
                "<img src=\"https://example.org/a.png\">",
                exists
            )
            .len(),
            1
        );
        assert_eq!(
            page_links("site/b.html", "<a href=\"c.html\">", exists).len(),
            1
        );
    }
}
