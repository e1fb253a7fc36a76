//! `srcset`: a list of pictures with the widths or densities they are made for.

use crate::filter::links::Links;

/// Pictures in one list; more is never written.
const CANDIDATES_MAX: usize = 64;

/// Rewrites every address of the list and leaves out those that lead away.
pub(super) fn filter(list: &str, links: &Links) -> Option<String> {
    let mut kept = Vec::new();
    let mut rest = list;
    for _ in 0..CANDIDATES_MAX {
        rest = rest.trim_start_matches(|start: char| start.is_ascii_whitespace() || start == ',');
        if rest.is_empty() {
            break;
        }
        let (address, descriptor) = candidate(&mut rest);
        // Commas are part of keys, but at the end of an address they would end it.
        let path = links
            .resource(address)
            .filter(|path| !path.ends_with(',') && is_descriptor(descriptor));
        kept.extend(path.map(|path| format!("{path} {descriptor}").trim_end().to_owned()));
    }
    (!kept.is_empty()).then(|| kept.join(", "))
}

/// Cuts the first address and what stands behind it off the list.
fn candidate<'a>(rest: &mut &'a str) -> (&'a str, &'a str) {
    let end = rest.find(|end: char| end.is_ascii_whitespace());
    let (address, behind) = rest.split_at(end.unwrap_or(rest.len()));
    let bare = address.trim_end_matches(',');
    if bare.len() < address.len() {
        *rest = behind;
        return (bare, "");
    }
    let (descriptor, behind) = behind.split_once(',').unwrap_or((behind, ""));
    *rest = behind;
    (bare, descriptor.trim_ascii())
}

/// Nothing, or a number with `w`, `x` or `h` behind it.
fn is_descriptor(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let number = text.strip_suffix(['w', 'x', 'h']);
    text.is_empty() || number.is_some_and(|number| !number.is_empty() && number.bytes().all(digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_rewritten_and_outside_ones_left_out() {
        let links = Links::new("/CHK@a,b,c/x.html", "/CHK@a,b,c/");
        let filtered = |list| filter(list, &links);
        assert_eq!(
            filtered("a.png 1x, http://evil.example/b.png 2x,c.png 300w").unwrap(),
            "/CHK@a,b,c/a.png 1x, /CHK@a,b,c/c.png 300w"
        );
        assert_eq!(
            filtered("a.png, b.png 2x").unwrap(),
            "/CHK@a,b,c/a.png, /CHK@a,b,c/b.png 2x"
        );
        assert_eq!(filtered("//evil.example/x"), None);
        assert_eq!(filtered("a.png 1x)url("), None);
    }
}
