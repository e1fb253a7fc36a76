//! Things to publish: the same in every run.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// Bytes that no compression makes smaller, told by a seed.
#[must_use]
pub fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut content = vec![0; length];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut content);
    content
}

/// SHA-256, to compare large contents without printing them.
#[must_use]
pub fn digest(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// A PNG image of one colour, `side` pixels square.
#[must_use]
pub fn picture(side: u16, colour: [u8; 3]) -> Vec<u8> {
    // Each row begins with the number of its filter: none.
    let row = [vec![0], colour.repeat(usize::from(side))].concat();
    let rows = row.repeat(usize::from(side));
    let mut header = Vec::new();
    header.extend(u32::from(side).to_be_bytes());
    header.extend(u32::from(side).to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut image, *b"IHDR", &header);
    chunk(&mut image, *b"IDAT", &stored_zlib(&rows));
    chunk(&mut image, *b"IEND", &[]);
    image
}

fn chunk(image: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    let length = u32::try_from(body.len()).expect("a picture of the tests is small");
    image.extend(length.to_be_bytes());
    let begin = image.len();
    image.extend(kind);
    image.extend(body);
    let sum = crc32(&image[begin..]);
    image.extend(sum.to_be_bytes());
}

/// The zlib format with blocks that are stored, not compressed.
fn stored_zlib(content: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = content.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        stream.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).expect("cut to fit");
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (mut low, mut high) = (1u32, 0u32);
    for byte in content {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    stream.extend((high << 16 | low).to_be_bytes());
    stream
}

fn crc32(content: &[u8]) -> u32 {
    let table_free = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                sum >> 1 ^ 0xedb8_8320
            } else {
                sum >> 1
            }
        })
    };
    !content.iter().fold(u32::MAX, table_free)
}

/// Writes a site: an index, one style sheet, and `pages` pages in nested folders, each with an image of its own and links
/// to the index and to the next page. Ten pages each share a part of the site, with a style sheet of its own that puts a
/// picture behind headings and gives them the colour `rgb(part, 99, 99)`. Returns how many files there are.
///
/// # Panics
/// If the folder cannot be written.
pub fn write_site(folder: &Path, pages: usize) -> usize {
    let write = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        let parent = path.parent().expect("a file lies in a folder");
        fs::create_dir_all(parent).expect("the folder can be made");
        fs::write(path, content).expect("the file can be written");
    };
    write(
        "style.css",
        b"body { background-color: rgb(12, 34, 56); color: white }\nimg { width: 40px }\n",
    );
    let mut index = String::from(
        "<!DOCTYPE html><html><head><title>The index</title>\n<link rel=\"stylesheet\" href=\"style.css\"></head><body>\n",
    );
    let parts = pages.div_ceil(PAGES_PER_PART);
    for part in 0..parts {
        let sheet = format!(
            "h1 {{ color: rgb({part}, 99, 99); background-image: url(\"../heading.png\") }}\n"
        );
        write(&format!("part-{part}/look/part.css"), sheet.as_bytes());
        let shade = u8::try_from(part % 256).expect("taken modulo 256");
        write(
            &format!("part-{part}/heading.png"),
            &picture(8, [128, shade, shade]),
        );
    }
    for page in 0..pages {
        let (name, next) = (page_name(page), page_name((page + 1) % pages));
        let _ = writeln!(index, "<a href=\"{name}.html\">page {page}</a>");
        let text = format!(
            "<!DOCTYPE html><html><head><title>Page {page}</title>\n\
             <link rel=\"stylesheet\" href=\"../../style.css\"><link rel=\"stylesheet\" href=\"../look/part.css\"></head>\n\
             <body><h1>Page {page}</h1><img src=\"../../{name}.png\" alt=\"\">\n\
             <a id=\"up\" href=\"../../index.html\">index</a> <a id=\"next\" href=\"../../{next}.html\">next</a></body></html>\n"
        );
        write(&format!("{name}.html"), text.as_bytes());
        let shade = u8::try_from(page % 256).expect("taken modulo 256");
        write(
            &format!("{name}.png"),
            &picture(16, [shade, 255 - shade, 128]),
        );
    }
    index.push_str("</body></html>\n");
    write("index.html", index.as_bytes());
    2 * pages + 2 * parts + 2
}

const PAGES_PER_PART: usize = 10;

/// Page 7 lies two folders deep, as `part-0/7/page`.
fn page_name(page: usize) -> String {
    format!("part-{}/{page}/page", site_part(page))
}

/// The part of the site of [`write_site`] that a page belongs to.
#[must_use]
pub const fn site_part(page: usize) -> usize {
    page / PAGES_PER_PART
}

/// Names, relative and with `/`, and contents of all files below a folder.
///
/// # Panics
/// If the folder cannot be read.
#[must_use]
pub fn folder_files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    crate::disk::files_below(folder)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(folder).expect("it lies below the folder");
            let name = name
                .to_str()
                .expect("the tests' names are text")
                .replace('\\', "/");
            let content = fs::read(&path).expect("a file of the test can be read");
            (name, content)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_known_ones() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert!(stored_zlib(b"Wikipedia").ends_with(&0x11e6_0398u32.to_be_bytes()));
    }

    #[test]
    fn one_seed_gives_one_content() {
        assert_eq!(bytes(7, 100), bytes(7, 100));
        assert_ne!(bytes(7, 100), bytes(8, 100));
    }
}
