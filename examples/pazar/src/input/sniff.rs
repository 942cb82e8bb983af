//! A file's bytes: packed or not is told by their first two, never by the file's name.

use super::InputError;
use hos_core::digest;
use std::io::Read;
use std::path::Path;

/// A text that was read whole.
#[derive(Debug)]
pub(crate) struct Text {
    /// The name to call it by in messages.
    pub(crate) name: String,
    /// The bytes, unpacked, without a byte order mark.
    pub(crate) bytes: Vec<u8>,
}

impl Text {
    /// The digest of the unpacked bytes, in hexadecimal: the same for a file and its gzipped copy. It is the RFC 6962 leaf
    /// hash, SHA-256 of a zero byte and the text.
    pub(crate) fn digest(&self) -> String {
        digest::tree_leaf(&self.bytes).to_string()
    }
}

/// Reads a file whole, unpacking it if it is gzipped.
pub(crate) fn read(path: &Path) -> Result<Text, InputError> {
    let name = path.display().to_string();
    let wrong = |what: String| InputError { file: name.clone(), line: 0, column: String::new(), what };
    let raw = std::fs::read(path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    let bytes = unpack(raw).map_err(wrong)?;
    Ok(Text { name, bytes })
}

fn unpack(raw: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut bytes = match raw.as_slice() {
        [0x1f, 0x8b, ..] => {
            let mut out = Vec::with_capacity(raw.len().saturating_mul(6));
            // Several packed pieces after one another are one text.
            flate2::read::MultiGzDecoder::new(raw.as_slice())
                .read_to_end(&mut out)
                .map_err(|e| format!("cannot be unpacked: {e}"))?;
            out
        }
        [b'P', b'K', 3 | 5, 4 | 6, ..] => {
            return Err("is a zip archive (or a spreadsheet); a CSV file, plain or gzipped, is wanted".into());
        }
        _ => raw,
    };
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    if bytes.is_empty() {
        return Err("is empty".into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn packed_and_plain_are_one_text() {
        let plain = b"a,b\n1,2\n".to_vec();
        let mut twice = gzip(b"a,b\n");
        twice.extend(gzip(b"1,2\n"));
        let marked = [b"\xef\xbb\xbf".as_slice(), &plain].concat();
        for raw in [plain.clone(), gzip(&plain), twice, gzip(&marked)] {
            assert_eq!(unpack(raw).unwrap(), plain);
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let mut cut = gzip(b"a,b\n1,2\n");
        cut.truncate(12);
        assert!(unpack(cut).unwrap_err().contains("unpacked"));
        assert!(unpack(b"PK\x03\x04rest".to_vec()).unwrap_err().contains("zip"));
        assert!(unpack(Vec::new()).unwrap_err().contains("empty"));
    }
}
