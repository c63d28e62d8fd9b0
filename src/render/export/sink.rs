//! A buffer before a writer. Nothing that is put into it can fail; the writer's first error is kept for the end.

use std::io::{self, Write};

/// The buffer is written out when it holds this much.
const SPILL: usize = 64 * 1024;

/// Where an export goes.
pub(super) struct Sink<W> {
    out: W,
    buffer: Vec<u8>,
    error: Option<io::Error>,
}

impl<W: Write> Sink<W> {
    /// Nothing written yet.
    pub fn new(out: W) -> Self {
        Sink { out, buffer: Vec::with_capacity(SPILL + SPILL / 8), error: None }
    }

    /// Whether the writer has refused something; whatever follows is in vain.
    pub fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// What is appended to here goes out with the next [`settle`](Sink::settle).
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes out if there is enough. To be called between any two pieces that are small.
    pub fn settle(&mut self) {
        if self.buffer.len() >= SPILL {
            self.spill();
        }
    }

    fn spill(&mut self) {
        if self.error.is_none() {
            self.error = self.out.write_all(&self.buffer).err();
        }
        self.buffer.clear();
    }

    /// Writes out what is left and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.spill();
        if let Some(error) = self.error {
            return Err(error);
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

/// How text and numbers are appended to a buffer.
pub(super) trait Put {
    /// Appends text.
    fn text(&mut self, text: &str) -> &mut Self;
    /// Appends a number in decimal.
    fn number(&mut self, number: u64) -> &mut Self;
    /// Appends nanoseconds as microseconds with three decimals: exact.
    fn micros(&mut self, ns: u64) -> &mut Self;
}

/// `00` to `99`.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut number = 0;
    while number < 100 {
        pairs[number * 2] = b'0' + (number / 10) as u8;
        pairs[number * 2 + 1] = b'0' + (number % 10) as u8;
        number += 1;
    }
    pairs
};

impl Put for Vec<u8> {
    fn text(&mut self, text: &str) -> &mut Self {
        self.extend_from_slice(text.as_bytes());
        self
    }

    fn number(&mut self, mut number: u64) -> &mut Self {
        let mut digits = [0; 20];
        let mut first = digits.len();
        // Two digits for each division.
        while number >= 10 {
            let pair = (number % 100) as usize * 2;
            number /= 100;
            first -= 2;
            digits[first..first + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
        }
        if number > 0 || first == digits.len() {
            first -= 1;
            digits[first] = b'0' + number as u8;
        }
        self.extend_from_slice(&digits[first..]);
        self
    }

    fn micros(&mut self, ns: u64) -> &mut Self {
        let below = ns % 1000;
        let digit = |unit: u64| b'0' + (below / unit % 10) as u8;
        self.number(ns / 1000).extend_from_slice(&[b'.', digit(100), digit(10), digit(1)]);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        let mut out = Vec::new();
        for number in (0..1200).chain([9_999, 10_000, 99_999, 100_000, 1_000_000_007]) {
            out.clear();
            assert_eq!(out.number(number), number.to_string().as_bytes());
        }
        out.clear();
        out.number(0).text(" ").number(u64::MAX).text(" ").micros(0).text(" ").micros(1_002_030).text(" ").micros(7);
        assert_eq!(out, b"0 18446744073709551615 0.000 1002.030 0.007");
    }

    /// Accepts so many bytes, then nothing more.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::Error::other("full"));
            }
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_first_error_is_kept_for_the_end() {
        let mut sink = Sink::new(Full(10));
        sink.buffer().extend_from_slice(&[b'x'; SPILL]);
        assert!(!sink.has_failed());
        sink.settle();
        assert!(sink.has_failed());
        sink.buffer().text("more");
        assert_eq!(sink.finish().err().map(|error| error.to_string()).as_deref(), Some("full"));
    }
}
