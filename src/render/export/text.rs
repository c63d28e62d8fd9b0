//! Names in foreign formats: whatever is in a name, it stays a name.
//!
//! A model's names are plain, but its title is free text, and a measured trace may hold anything.

use crate::render::layout::acts;

use super::sink::Put;

/// What acts on a terminal or hides, and what XML forbids.
fn is_unprintable(c: char) -> bool {
    acts(c) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// A JSON string with its quotes. Also safe inside a `<script>` element, and free of anything that a terminal obeys.
pub(super) fn json(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    json_inside(out, text);
    out.push(b'"');
}

/// As [`json`], without the quotes, for strings of several parts.
pub(super) fn json_inside(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\' | b'<' | b'>' | b'&')) {
        out.text(text);
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.text("\\\""),
            '\\' => out.text("\\\\"),
            '\n' => out.text("\\n"),
            '<' | '>' | '&' => out.text(&format!("\\u{:04x}", u32::from(c))),
            c if is_unprintable(c) => {
                // Beyond 16 bits JSON wants a surrogate pair.
                let mut units = [0; 2];
                let escapes = c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}"));
                out.text(&escapes.collect::<String>())
            }
            c => out.text(c.encode_utf8(&mut [0; 4])),
        };
    }
}

/// Text of an XML element or attribute; what XML cannot hold, or no reader would see, becomes U+FFFD.
pub(super) fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if is_unprintable(c) => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// A field of a CSV row (RFC 4180): quoted where it must be.
///
/// A field that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage return) is
/// quoted and gets an apostrophe in front, inside the quotes. Control characters and marks of direction other than tab,
/// line feed and carriage return become U+FFFD.
pub(super) fn csv(out: &mut Vec<u8>, field: &str) {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let plain = |b: u8| matches!(b, b'!'..=b'~') && !matches!(b, b'"' | b',');
    if !formula && field.bytes().all(plain) {
        out.text(field);
        return;
    }
    out.text(if formula { "\"'" } else { "\"" });
    for c in field.chars() {
        match c {
            '"' => out.text("\"\""),
            '\t' | '\n' | '\r' => out.text(c.encode_utf8(&mut [0; 4])),
            c if is_unprintable(c) => out.text("\u{fffd}"),
            c => out.text(c.encode_utf8(&mut [0; 4])),
        };
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(write: fn(&mut Vec<u8>, &str), text: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, text);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn each_format_escapes_what_it_must() {
        let table = [
            ("worker-1", "\"worker-1\"", "worker-1", "worker-1"),
            ("a\"b", r#""a\"b""#, "a&quot;b", "\"a\"\"b\""),
            ("</script>", r#""\u003c/script\u003e""#, "&lt;/script&gt;", "</script>"),
            ("]]>", r#""]]\u003e""#, "]]&gt;", "]]>"),
            ("a\nb", r#""a\nb""#, "a\u{fffd}b", "\"a\nb\""),
            ("\u{1b}[2J", r#""\u001b[2J""#, "\u{fffd}[2J", "\"\u{fffd}[2J\""),
            ("a\u{202e}b", r#""a\u202eb""#, "a\u{fffd}b", "\"a\u{fffd}b\""),
            ("\u{e0001}", r#""\udb40\udc01""#, "\u{fffd}", "\"\u{fffd}\""),
            ("=1+1", r#""=1+1""#, "=1+1", "\"'=1+1\""),
            ("-3", r#""-3""#, "-3", "\"'-3\""),
            ("\tx", r#""\u0009x""#, "\u{fffd}x", "\"'\tx\""),
            ("a,b", r#""a,b""#, "a,b", "\"a,b\""),
            ("Grüße", "\"Grüße\"", "Grüße", "\"Grüße\""),
            ("", "\"\"", "", ""),
        ];
        for (text, as_json, as_xml, as_csv) in table {
            assert_eq!(put(json, text), as_json);
            assert_eq!(xml(text), as_xml);
            assert_eq!(put(csv, text), as_csv);
        }
    }
}
