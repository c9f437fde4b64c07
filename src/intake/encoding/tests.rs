//! Streams in every encoding, cut at every place.

use super::*;
use proptest::prelude::*;

const CHINESE: &str = "customer,name\n1,王小明\n2,赵丽颖\n3,欧阳娜娜\n4,上海第一百货商店\n";
const KOREAN: &str = "customer,name\n1,김민수\n2,박서준\n3,이지은\n4,최은영과 함께하는 우리 동네 서점에서 책을 샀어요\n";

fn encode(text: &str, encoding: FileEncoding) -> Vec<u8> {
    encoding.codec().encode(text).0.into_owned()
}

fn read(bytes: &[u8], given: Option<FileEncoding>) -> Result<(String, FileEncoding), String> {
    let mut reader = Utf8Reader::open(bytes, given).map_err(|error| error.to_string())?;
    let mut text = String::new();
    reader
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    assert_eq!(reader.bytes_read(), bytes.len() as u64);
    Ok((text, reader.encoding()))
}

/// Gives one byte at a time.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = 1.min(buf.len());
        let mut slot = buf.get_mut(..count).unwrap();
        io::copy(&mut self.0.by_ref().take(count as u64), &mut slot)
            .map(|n| usize::try_from(n).unwrap())
    }
}

#[test]
fn each_encoding_is_read_and_recognized() {
    for (text, encoding) in [
        (CHINESE, FileEncoding::Utf8),
        (CHINESE, FileEncoding::Gb18030),
        (KOREAN, FileEncoding::EucKr),
        (KOREAN, FileEncoding::Utf8),
    ] {
        let bytes = encode(text, encoding);
        for given in [None, Some(encoding)] {
            assert_eq!(
                read(&bytes, given),
                Ok((text.to_owned(), encoding)),
                "{encoding} {given:?}"
            );
        }
    }
    assert_eq!(
        read(b"a,b\n", None),
        Ok(("a,b\n".into(), FileEncoding::Utf8))
    );
    assert_eq!(read(b"", None), Ok((String::new(), FileEncoding::Utf8)));
    assert_eq!(
        read("\u{FEFF}a,王\n".as_bytes(), None),
        Ok(("a,王\n".into(), FileEncoding::Utf8))
    );
}

#[test]
fn contradictions_are_refused() {
    use FileEncoding::{EucKr, Gb18030, Utf8};
    for (text, real, given) in [
        (CHINESE, Utf8, Gb18030),
        (CHINESE, Utf8, EucKr),
        (KOREAN, Utf8, Gb18030),
        (CHINESE, Gb18030, Utf8),
        (CHINESE, Gb18030, EucKr),
        (KOREAN, EucKr, Utf8),
        (KOREAN, EucKr, Gb18030),
        ("\u{FEFF}a,b\n", Utf8, Gb18030),
        ("1,王小明\n", Utf8, Gb18030),
        ("1,王小明\n", Gb18030, Utf8),
    ] {
        let error = read(&encode(text, real), Some(given)).unwrap_err();
        assert_eq!(
            error,
            EncodingError::Contradicted { given, found: real }.to_string()
        );
    }
    // Too little to tell.
    assert_eq!(
        read(&encode("1,김민수\n", EucKr), None).unwrap_err(),
        EncodingError::Ambiguous.to_string()
    );
    assert_eq!(
        read(&encode("1,김민수\n", EucKr), Some(EucKr)).unwrap().0,
        "1,김민수\n"
    );
    assert_eq!(
        read(&encode("1,李\n", Gb18030), Some(Gb18030)).unwrap().0,
        "1,李\n"
    );
}

#[test]
fn what_is_no_text_is_refused() {
    let wide: Vec<u8> = "customer,date\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for bytes in [
        b"\xFF\xFEa\0".as_slice(),
        b"\xFE\xFF\0a",
        b"\xFF\xFE\0\0a\0\0\0",
        &wide,
    ] {
        assert_eq!(
            read(bytes, None).unwrap_err(),
            EncodingError::Wide.to_string()
        );
        assert_eq!(
            read(bytes, Some(FileEncoding::Gb18030)).unwrap_err(),
            EncodingError::Wide.to_string()
        );
    }
    assert_eq!(
        read(b"PK\x03\x04xl", None).unwrap_err(),
        EncodingError::NotText.to_string()
    );
    // Packed files are unpacked; of this one there is nothing but the beginning.
    let cut_off = read(b"\x1F\x8B\x08", None).unwrap_err();
    assert!(cut_off.contains("cut off in the middle"), "{cut_off}");
    assert!(read(b"a,b\0\nc,d\ne,f\n", None).is_ok());
}

#[test]
fn malformed_bytes_are_marked() {
    let text = CHINESE.as_bytes();
    let mut spoiled = text.to_vec();
    spoiled.extend_from_slice(b"5,\xFF\xC0\n6,\xE7\x8E\n7,ok\n8,\xE7");
    let (read_back, encoding) = read(&spoiled, None).unwrap();
    assert_eq!(encoding, FileEncoding::Utf8);
    let lines: Vec<&str> = read_back.lines().skip(5).collect();
    assert_eq!(
        lines,
        ["5,\u{FFFD}\u{FFFD}", "6,\u{FFFD}", "7,ok", "8,\u{FFFD}"]
    );
    let mut spoiled = encode(CHINESE, FileEncoding::Gb18030);
    spoiled.extend_from_slice(b"5,\xFF\n6,\x81\"\n");
    let (read_back, _) = read(&spoiled, None).unwrap();
    let lines: Vec<&str> = read_back.lines().skip(5).collect();
    assert_eq!(lines, ["5,\u{FFFD}", "6,\u{FFFD}\""]);
}

#[test]
fn chunk_borders_do_not_matter() {
    for (text, encoding) in [
        (CHINESE, FileEncoding::Utf8),
        (CHINESE, FileEncoding::Gb18030),
        (KOREAN, FileEncoding::EucKr),
    ] {
        for shift in 0..4 {
            let long = format!("{}{}", "x".repeat(shift), text.repeat(4000));
            let bytes = encode(&long, encoding);
            assert!(bytes.len() > CHUNK * 2);
            let mut reader = Utf8Reader::open(Drip(&bytes), Some(encoding)).unwrap();
            let mut back = String::new();
            reader.read_to_string(&mut back).unwrap();
            assert!(back == long, "{encoding} {shift}");
        }
    }
}

#[test]
fn names_of_encodings() {
    for encoding in FileEncoding::ALL {
        assert_eq!(FileEncoding::parse(&encoding.to_string()), Ok(encoding));
    }
    assert_eq!(FileEncoding::parse("GBK"), Ok(FileEncoding::Gb18030));
    assert_eq!(FileEncoding::parse("latin1"), Err(EncodingError::Unknown));
}

proptest! {
    #[test]
    fn any_bytes_give_text(bytes in prop::collection::vec(any::<u8>(), 0..300), small in 1usize..20) {
        for given in [None, Some(FileEncoding::Gb18030), Some(FileEncoding::EucKr), Some(FileEncoding::Utf8)] {
            if let Ok(mut reader) = Utf8Reader::open(bytes.as_slice(), given) {
                let mut out = Vec::new();
                let mut buffer = vec![0; small];
                loop {
                    let count = reader.read(&mut buffer).unwrap();
                    if count == 0 { break; }
                    out.extend_from_slice(&buffer[..count]);
                }
                prop_assert!(String::from_utf8(out).is_ok());
            }
        }
    }
}
