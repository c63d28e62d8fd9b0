//! The timeline digest: FNV-1a with 128 bits over a fixed binary form of the records.
//!
//! Each record is written as little-endian integers: `at` in nanoseconds (8 bytes), the kind (1 byte), its fields in
//! declaration order (ids 4 bytes, spans 8 bytes, words as their place in `ALL` 1 byte, flags 1 byte, absent values as
//! all ones, text as its length in 4 bytes and its bytes), and the cause (8 bytes, all ones for none).
//! Equal digests mean equal timelines; nothing about text layout enters.

use crate::ids::{CoreId, Id, ThreadId};
use crate::trace::{Ending, GilAct, Observer, Record, What};

/// A running FNV-1a hash of 128 bits (offset basis and prime as published by Fowler, Noll and Vo).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u128);

const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

impl Default for Digest {
    fn default() -> Self {
        Digest(OFFSET_BASIS)
    }
}

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        let mut digest = Digest::default();
        digest.bytes(bytes);
        digest
    }

    /// 32 hexadecimal digits.
    pub fn hex(self) -> String {
        format!("{:032x}", self.0)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.bytes(&[byte]);
    }

    fn word(&mut self, word: u64) {
        self.bytes(&word.to_le_bytes());
    }

    fn id(&mut self, id: impl Id) {
        self.bytes(&(id.index() as u32).to_le_bytes());
    }

    fn core(&mut self, core: Option<CoreId>) {
        self.id(core.unwrap_or(CoreId(u32::MAX)));
    }

    fn thread(&mut self, thread: Option<ThreadId>) {
        self.id(thread.unwrap_or(ThreadId(u32::MAX)));
    }

    fn text(&mut self, text: &str) {
        self.bytes(&(text.len() as u32).to_le_bytes());
        self.bytes(text.as_bytes());
    }

    fn what(&mut self, what: &What) {
        match what {
            What::State { thread, from, to, core, why } => {
                self.byte(0);
                self.id(*thread);
                self.byte(from.map_or(u8::MAX, |state| state as u8));
                self.byte(*to as u8);
                self.core(*core);
                self.byte(*why as u8);
            }
            What::Dispatch { core, thread, switched, migrated, preempted } => {
                self.byte(1);
                self.id(*core);
                self.id(*thread);
                self.byte(u8::from(*switched) | u8::from(*migrated) << 1);
                self.thread(*preempted);
            }
            What::Gil { gil, thread, act } => {
                self.byte(2);
                self.id(*gil);
                self.id(*thread);
                self.byte(match act {
                    GilAct::Request => 0,
                    GilAct::Grant { switched } => 2 | u8::from(*switched),
                    GilAct::Drop { forced } => 4 | u8::from(*forced),
                });
            }
            What::Lock { lock, thread, act } => {
                self.byte(3);
                self.id(*lock);
                self.id(*thread);
                self.byte(*act as u8);
            }
            What::Object { object, thread, act, value } => {
                self.byte(8);
                self.id(*object);
                self.id(*thread);
                self.byte(*act as u8);
                self.bytes(&value.to_le_bytes());
            }
            What::Job { thread, number, released, act } => {
                self.byte(9);
                self.id(*thread);
                self.word(*number);
                self.word(released.ns());
                self.byte(*act as u8);
            }
            What::Span { span, thread, act } => {
                self.byte(10);
                self.id(*span);
                self.id(*thread);
                self.byte(*act as u8);
            }
            other => self.seldom(other),
        }
    }

    /// What each thread, process or run does once or seldom.
    fn seldom(&mut self, what: &What) {
        match what {
            What::Output { thread, text } => {
                self.byte(4);
                self.id(*thread);
                self.text(text);
            }
            What::Account { thread, python_work, native_work, demanded, finished } => {
                self.byte(5);
                self.id(*thread);
                self.word(python_work.ns());
                self.word(native_work.ns());
                self.word(demanded.ns());
                self.byte(u8::from(*finished));
            }
            What::Exit { process, code } => {
                self.byte(6);
                self.id(*process);
                self.bytes(&code.to_le_bytes());
            }
            What::End { ending } => {
                self.byte(7);
                self.ending(ending);
            }
            What::Quota { process, throttled } => {
                self.byte(11);
                self.id(*process);
                self.byte((*throttled).into());
            }
            _ => unreachable!("the rest is frequent"),
        }
    }

    fn ending(&mut self, ending: &Ending) {
        self.text(ending.word());
        match ending {
            Ending::Finished | Ending::Horizon => {}
            Ending::Deadlock { cycle } => {
                for wait in cycle {
                    self.id(wait.thread);
                    self.text(&wait.what);
                    self.thread(wait.holder);
                }
            }
            Ending::Livelock { threads } | Ending::EventCap { threads } => {
                threads.iter().for_each(|thread| self.id(*thread));
            }
            Ending::ModelError { code, thread, detail } => {
                self.text(code);
                self.id(*thread);
                self.text(detail);
            }
        }
    }
}

impl Observer for Digest {
    fn record(&mut self, _: u64, record: &Record) {
        self.word(record.at.ns());
        self.what(&record.what);
        self.word(record.cause.unwrap_or(u64::MAX));
    }
}

impl std::fmt::Write for Digest {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    /// Published FNV-1a 128 test vectors: the empty string and "a".
    #[test]
    fn known_answers() {
        assert_eq!(Digest::of(b"").hex(), "6c62272e07bb014262b821756295c58d");
        assert_eq!(Digest::of(b"a").hex(), "d228cb696f1a8caf78912b704e4a8964");
    }
}
