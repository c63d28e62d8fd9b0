//! Numbers of fields and values that Perfetto's schema (`perfetto_trace.proto`) gives to what we write.

/// `Trace.packet`, the only field of a file.
pub(super) const PACKET: u32 = 1;

/// Fields of `TracePacket`.
pub(super) mod packet {
    pub const CLOCK_SNAPSHOT: u32 = 6;
    pub const TIMESTAMP: u32 = 8;
    pub const SEQUENCE: u32 = 10;
    pub const TRACK_EVENT: u32 = 11;
    pub const INTERNED_DATA: u32 = 12;
    pub const SEQUENCE_FLAGS: u32 = 13;
    pub const TIMESTAMP_CLOCK: u32 = 58;
    pub const DEFAULTS: u32 = 59;
    pub const TRACK: u32 = 60;
    pub const FIRST_ON_SEQUENCE: u32 = 87;
}

/// Fields of `TrackDescriptor`, and of the descriptors in it.
pub(super) mod track {
    pub const UUID: u32 = 1;
    pub const NAME: u32 = 2;
    pub const PROCESS: u32 = 3;
    pub const THREAD: u32 = 4;
    pub const PARENT: u32 = 5;
    pub const COUNTER: u32 = 8;
    pub const CHILD_ORDER: u32 = 11;
    pub const RANK: u32 = 12;
    pub const MERGE: u32 = 15;
    pub const PROCESS_ORDER: u32 = 19;
    pub const THREAD_ORDER: u32 = 20;
    /// In `ProcessDescriptor` and `ThreadDescriptor`.
    pub const PID: u32 = 1;
    pub const TID: u32 = 2;
    pub const THREAD_NAME: u32 = 5;
    pub const PROCESS_NAME: u32 = 6;
    /// In `CounterDescriptor`.
    pub const UNIT: u32 = 3;
}

/// Fields of `TrackEvent`, and of the `DebugAnnotation`s in it.
pub(super) mod event {
    pub const CATEGORY: u32 = 3;
    pub const ANNOTATION: u32 = 4;
    pub const TYPE: u32 = 9;
    pub const NAME: u32 = 10;
    pub const TRACK: u32 = 11;
    pub const NAME_IN_FULL: u32 = 23;
    pub const COUNT: u32 = 30;
    pub const FLOW: u32 = 47;
    pub const LAST_OF_FLOW: u32 = 48;
    /// In `DebugAnnotation`.
    pub const ANNOTATION_NAME: u32 = 1;
    pub const UINT: u32 = 3;
    pub const TEXT: u32 = 6;
    pub const INTERNED_TEXT: u32 = 17;
}

/// `TrackEvent.Type`
#[derive(Clone, Copy)]
pub(super) enum Type {
    Begin = 1,
    End = 2,
    Instant = 3,
    Counter = 4,
}

/// The packet sequence that everything belongs to.
pub(super) const SEQUENCE: u64 = 1;
/// `SEQ_INCREMENTAL_STATE_CLEARED` and `SEQ_NEEDS_INCREMENTAL_STATE`.
pub(super) const BEGINS_SEQUENCE: u64 = 1;
pub(super) const CONTINUES_SEQUENCE: u64 = 2;
/// `BUILTIN_CLOCK_BOOTTIME`, which viewers count in, and our own clock, valid within the sequence.
pub(super) const BOOT_CLOCK: u64 = 6;
pub(super) const OUR_CLOCK: u64 = 64;
/// `CounterDescriptor.Unit.UNIT_COUNT`
pub(super) const UNIT_COUNT: u64 = 2;
/// `ChildTracksOrdering.EXPLICIT`, `SIBLING_MERGE_BEHAVIOR_NONE`
pub(super) const BY_RANK: u64 = 3;
pub(super) const NEVER_MERGE: u64 = 2;

/// Fields of `InternedData`.
pub(super) const EVENT_CATEGORIES: u32 = 1;
pub(super) const EVENT_NAMES: u32 = 2;
pub(super) const ANNOTATION_NAMES: u32 = 3;
pub(super) const ANNOTATION_TEXTS: u32 = 29;
