//! Test vectors: `vectors/*.json` must be what this crate computes, intermediate values included.
//!
//! With the environment variable `WRITE_VECTORS=1` the files are written instead of compared.

mod content;
mod identity;
mod signed;
mod uri;

use std::path::Path;

use data_encoding::HEXLOWER;
use serde_json::Value;

/// Compares the file `vectors/{name}.json` with `computed`.
pub(crate) fn check(name: &str, computed: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(format!("{name}.json"));
    if std::env::var_os("WRITE_VECTORS").is_some() {
        std::fs::write(&path, format!("{computed:#}\n")).unwrap();
    }
    let recorded: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let (recorded, computed) = (recorded.as_array().unwrap(), computed.as_array().unwrap());
    assert_eq!(
        recorded.len(),
        computed.len(),
        "number of vectors in {name}.json"
    );
    for (index, (recorded, computed)) in recorded.iter().zip(computed).enumerate() {
        assert_eq!(recorded, computed, "vector {index} of {name}.json");
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

/// `len` bytes that count up from zero modulo 251.
pub(crate) fn counting_bytes(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}
