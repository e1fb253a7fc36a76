//! From bytes in whatever encoding to text.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// An encoding that a publisher declared and that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charset(&'static Encoding);

/// Bytes of a document that are searched for a declaration, as the HTML standard has it.
const PRESCAN_LEN: usize = 1024;

impl Charset {
    /// Finds `charset=` in a media type.
    pub(crate) fn of_media_type(media_type: &str) -> Option<Self> {
        let parameters = media_type.split(';').skip(1);
        let mut pairs = parameters.filter_map(|parameter| parameter.split_once('='));
        let (_, label) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
        Self::of_label(label.trim().trim_matches('"'))
    }

    /// The name to declare to a browser.
    pub(crate) fn name(self) -> &'static str {
        self.0.name()
    }

    fn of_label(label: &str) -> Option<Self> {
        Encoding::for_label(label.as_bytes()).map(Charset)
    }
}

/// Decodes a page: by its byte order mark, else the declared encoding, else the one it names, else UTF-8, and where that
/// does not fit, the old default of browsers. Bytes that mean nothing become U+FFFD.
pub(crate) fn decode_html(bytes: &[u8], declared: Option<Charset>) -> String {
    let named = || {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(PRESCAN_LEN)]).into_owned();
        let label = named_in_meta(&head)?;
        // A page that could name UTF-16 in ASCII letters is not UTF-16.
        let wide = |charset: &Charset| charset.0 == UTF_16BE || charset.0 == UTF_16LE;
        Charset::of_label(&label).filter(|charset| !wide(charset))
    };
    decode(bytes, declared.or_else(named))
}

/// Decodes a style sheet: by its byte order mark, else the declared encoding, else `@charset`, else as for pages.
pub(crate) fn decode_css(bytes: &[u8], declared: Option<Charset>) -> String {
    let named = || {
        let rest = bytes.strip_prefix(b"@charset \"")?;
        let end = rest.iter().take(64).position(|byte| *byte == b'"')?;
        Encoding::for_label(&rest[..end]).map(Charset)
    };
    decode(bytes, declared.or_else(named))
}

fn decode(bytes: &[u8], charset: Option<Charset>) -> String {
    let fallback = || {
        if std::str::from_utf8(bytes).is_ok() {
            UTF_8
        } else {
            WINDOWS_1252
        }
    };
    let encoding = charset.map_or_else(fallback, |charset| charset.0);
    let (text, _, _) = encoding.decode(bytes);
    text.into_owned()
}

/// The value of the first `charset=` behind a `<meta`.
fn named_in_meta(head: &str) -> Option<String> {
    let head = head.to_ascii_lowercase();
    head.match_indices("<meta").find_map(|(start, _)| {
        let tag = &head[start..];
        let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
        let (_, value) = tag.split_once("charset")?;
        let value = value.trim_start().strip_prefix('=')?.trim_start();
        let value = value.trim_start_matches(['"', '\'']);
        let end = value.find(|end: char| {
            end == '"' || end == '\'' || end == ';' || end.is_whitespace() || end == '/'
        });
        Some(value[..end.unwrap_or(value.len())].to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_decoded_by_what_they_declare() {
        let latin1 = b"<meta charset=iso-8859-1><p>\xe9</p>";
        assert!(decode_html(latin1, None).contains("<p>é</p>"));
        let old = b"<meta http-equiv='content-type' content='text/html; charset=koi8-r'>\xc1";
        assert!(decode_html(old, None).ends_with('а'));
        assert!(decode_html("\u{feff}é".as_bytes(), Charset::of_label("latin1")).ends_with('é'));
        assert!(decode_html(b"\xff\xfea\0b\0", None).ends_with("ab"));
        assert!(decode_html(b"caf\xe9", None).ends_with("café"));
    }

    #[test]
    fn sheets_are_decoded_by_what_they_declare() {
        assert!(decode_css(b"@charset \"latin1\";\xe9", None).ends_with('é'));
        assert_eq!(
            Charset::of_media_type("text/css; Charset=\"UTF-8\"")
                .unwrap()
                .name(),
            "UTF-8"
        );
        assert_eq!(Charset::of_media_type("text/css; charset=utf-7"), None);
    }
}
