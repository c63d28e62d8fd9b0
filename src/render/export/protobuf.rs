//! The four wire forms of protocol buffers that we need, appended to a buffer.

/// How fields are appended to a message that is being written.
pub(super) trait Fields {
    /// A bare number, seven bits a byte, the lowest first.
    fn varint(&mut self, number: u64);
    /// A number, a flag or an enum.
    fn uint(&mut self, field: u32, number: u64);
    /// A number of eight bytes.
    fn fixed64(&mut self, field: u32, number: u64);
    /// Text.
    fn string(&mut self, field: u32, text: &str);
    /// A message within.
    fn message(&mut self, field: u32, write: impl FnOnce(&mut Self));
}

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const LENGTH: u32 = 2;

impl Fields for Vec<u8> {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.push(number as u8);
    }

    #[inline]
    fn uint(&mut self, field: u32, number: u64) {
        // Most numbers and most fields take one byte.
        if field < 16 && number < 0x80 {
            self.extend_from_slice(&[(field << 3 | VARINT) as u8, number as u8]);
            return;
        }
        self.varint((field << 3 | VARINT).into());
        self.varint(number);
    }

    fn fixed64(&mut self, field: u32, number: u64) {
        self.varint((field << 3 | FIXED64).into());
        self.extend_from_slice(&number.to_le_bytes());
    }

    fn string(&mut self, field: u32, text: &str) {
        self.varint((field << 3 | LENGTH).into());
        self.varint(text.len() as u64);
        self.extend_from_slice(text.as_bytes());
    }

    fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.varint((field << 3 | LENGTH).into());
        let place = self.len();
        // Most messages are shorter than 128 bytes: their length takes one byte.
        self.push(0);
        write(self);
        let length = self.len() - place - 1;
        if length < 0x80 {
            self[place] = length as u8;
        } else {
            let mut long = Vec::with_capacity(10);
            long.varint(length as u64);
            self.splice(place..=place, long);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    /// The examples of the encoding's published description: 150 in field 1; "testing" in field 2; a message within.
    #[test]
    fn known_answers() {
        let mut out = Vec::new();
        out.uint(1, 150);
        assert_eq!(out, [0x08, 0x96, 0x01]);
        out.clear();
        out.string(2, "testing");
        assert_eq!(out, [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
        out.clear();
        out.message(3, |inner: &mut Vec<u8>| inner.uint(1, 150));
        assert_eq!(out, [0x1a, 0x03, 0x08, 0x96, 0x01]);
    }

    #[test]
    fn long_messages_get_a_long_length() {
        let mut out = Vec::new();
        out.message(1, |inner: &mut Vec<u8>| inner.string(1, &"x".repeat(298)));
        assert_eq!(out[..6], [0x0a, 0xad, 0x02, 0x0a, 0xaa, 0x02]);
        assert_eq!(out.len(), 3 + 301);
    }
}
