//! Where an HTTP answer ends: by its Content-Length, or by the last chunk.

/// How an answer is delimited, once its head is whole.
#[derive(Debug, Clone, Copy)]
pub enum Framing {
    /// The whole answer has this many bytes, its head included.
    Length(usize),
    Chunked,
}

/// The framing of an answer that begins with `bytes`; none while its head is incomplete.
pub fn framing(bytes: &[u8]) -> Option<Framing> {
    let head = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
    for line in bytes[..head].split(|byte| *byte == b'\n') {
        if let Some(value) = value_of(line, b"content-length:") {
            let length: usize = std::str::from_utf8(value).unwrap().trim().parse().unwrap();
            return Some(Framing::Length(head + 4 + length));
        }
        if value_of(line, b"transfer-encoding:").is_some() {
            return Some(Framing::Chunked);
        }
    }
    panic!("an answer without a length: {}", String::from_utf8_lossy(bytes));
}

fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(value)
}

impl Framing {
    /// Whether these are all the bytes of the answer.
    pub fn is_whole(self, bytes: &[u8]) -> bool {
        match self {
            Self::Length(length) => bytes.len() >= length,
            Self::Chunked => bytes.ends_with(b"\r\n0\r\n\r\n"),
        }
    }
}
