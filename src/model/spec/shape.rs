//! One declaration per shape: it yields the struct, its reader and its section of the reference page.

use crate::model::report::Report;
use crate::model::schema::Json;
use crate::model::tree::{Entry, Node};

/// A map with fixed fields.
pub trait Shape: Sized {
    /// Its word in the reference page and in the table of what is not simulated.
    const WORD: &'static str;
    /// What it is.
    const ABOUT: &'static str;
    /// Its fields.
    fn fields() -> Vec<Field>;
    /// Reads one line of the map; false if there is no such field.
    fn set(&mut self, entry: &Entry, report: &mut Report) -> bool;
}

/// A field as the reference page shows it.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its key.
    pub key: &'static str,
    /// What it takes.
    pub kind: String,
    /// What holds without it.
    pub default: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Whether the map must have it.
    pub required: bool,
    /// What JSON Schema calls it.
    pub schema: Json,
}

/// A section of the reference page.
#[derive(Clone, Debug)]
pub struct Section {
    /// The shape's word.
    pub word: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// The section of a shape.
pub fn section<S: Shape>() -> Section {
    Section { word: S::WORD, about: S::ABOUT.trim(), fields: S::fields() }
}

/// The fields that a shape takes in from another one, which it may do without.
pub fn part<S: Shape>() -> impl Iterator<Item = Field> {
    S::fields().into_iter().map(|field| Field { required: false, ..field })
}

/// Reads a map with fixed fields; unknown keys are reported.
pub fn read<S: Shape + Default>(node: &Node, report: &mut Report) -> Option<S> {
    let entries = crate::model::decode::map(node, "a map", report)?;
    let mut shape = S::default();
    for entry in entries {
        if !shape.set(entry, report) {
            crate::model::decode::unknown_key(entry, S::fields().iter().map(|field| field.key), report);
        }
    }
    Some(shape)
}

/// Reports a field that is not simulated yet, unless its value says that it is not used: a duration of zero.
pub fn unless_simulated(shape: &str, entry: &Entry, report: &mut Report) {
    let zero = |text: &str| crate::model::quantity::duration(text).is_ok_and(crate::time::Span::is_zero);
    if !entry.value.scalar().is_some_and(|scalar| zero(&scalar.text)) {
        report.not_simulated(&format!("{shape}.{}", entry.key.text), entry.key.spot);
    }
}

/// Declares shapes. `field ["key"]: Type = "default";` with `["key"]` only where the key is not the field's name;
/// `+ part: Shape;` takes in the fields of another shape; `then function` checks the map as a whole.
macro_rules! shape {
    (
        $(#[doc = $about:literal])+
        $name:ident $word:literal {
            $($(#[doc = $doc:literal])+ $field:ident $([$key:literal])? : $type:ty = $default:literal;)*
            $(+ $part:ident : $part_type:ty;)?
        } $(then $check:path)?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: Option<$crate::model::decode::At<$type>>,)*
            $(#[doc = "The fields that it shares with another shape."] pub $part: $part_type,)?
        }

        impl $crate::model::spec::shape::Shape for $name {
            const WORD: &'static str = $word;
            const ABOUT: &'static str = concat!($($about, "\n"),+);

            fn fields() -> Vec<$crate::model::spec::shape::Field> {
                #[allow(unused_mut)]
                let mut fields = vec![$($crate::model::spec::shape::Field {
                    key: $crate::model::spec::shape::key!($field $([$key])?),
                    kind: <$type as $crate::model::decode::Decode>::kind(),
                    default: $default,
                    doc: concat!($($doc),+).trim_ascii(),
                    required: $default == "required",
                    schema: <$type as $crate::model::decode::Decode>::schema(),
                }),*];
                $(fields.extend($crate::model::spec::shape::part::<$part_type>());)?
                fields
            }

            fn set(&mut self, entry: &$crate::model::tree::Entry, report: &mut $crate::model::report::Report) -> bool {
                $(if entry.key.text == $crate::model::spec::shape::key!($field $([$key])?) {
                    $crate::model::spec::shape::unless_simulated($word, entry, report);
                    self.$field = $crate::model::decode::At::entry(entry, report);
                    return true;
                })*
                $(if self.$part.set(entry, report) {
                    return true;
                })?
                false
            }
        }

        impl $crate::model::decode::Decode for $name {
            fn kind() -> String {
                concat!("<", $word, ">").to_owned()
            }
            fn schema() -> $crate::model::schema::Json {
                $crate::model::schema::shape($word)
            }
            fn decode(node: &$crate::model::tree::Node, report: &mut $crate::model::report::Report) -> Option<Self> {
                let shape = $crate::model::spec::shape::read(node, report)?;
                $($check(&shape, node, report);)?
                Some(shape)
            }
        }
    };
}

/// The key of a field: its own name, or the one in brackets.
macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident [$key:literal]) => {
        $key
    };
}

/// Declares a closed set of words.
macro_rules! words {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $name {
            /// All words with their values.
            pub const WORDS: &'static [(&'static str, $name)] = &[$(($word, $name::$variant)),+];
        }

        impl $crate::model::decode::Decode for $name {
            fn kind() -> String {
                [$($word),+].join(" | ")
            }
            fn schema() -> $crate::model::schema::Json {
                $crate::model::schema::one_word([$($word),+])
            }
            fn decode(node: &$crate::model::tree::Node, report: &mut $crate::model::report::Report) -> Option<Self> {
                $crate::model::spec::shape::word(node, $name::WORDS, report)
            }
        }
    };
}

/// The value of a word out of a closed set.
pub fn word<T: Copy>(node: &Node, words: &[(&'static str, T)], report: &mut Report) -> Option<T> {
    let known = || words.iter().map(|(word, _)| *word);
    let allowed = known().collect::<Vec<_>>().join(" | ");
    let scalar = crate::model::decode::scalar(node, &allowed, report)?;
    let found = words.iter().find(|(word, _)| *word == scalar.text).map(|(_, value)| *value);
    if found.is_none() {
        let message = format!("expected {allowed}, found {}", node.found());
        report.error(crate::model::code::Code::E108, node.spot, message).suggest(&scalar.text, known());
    }
    found
}

pub(in crate::model) use {key, shape, words};
