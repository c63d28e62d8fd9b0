//! Profiles: costs that somebody measured. Two are built in; others are files that the caller reads.

use crate::model::Limits;
use crate::model::code::Code;
use crate::model::decode::Decode;
use crate::model::diagnostic::Source;
use crate::model::report::Report;
use crate::model::spec::profile::{Profile, Scaling};
use crate::model::tree::{Spot, crop};
use crate::model::yaml;
use crate::time::Span;

/// The built-in profiles.
pub const BUILT_IN: &[(&str, &str)] =
    &[("ideal", include_str!("profiles/ideal.yaml")), ("linux", include_str!("profiles/linux.yaml"))];

/// The slice of a profile that gives none.
const DEFAULT_SLICE: Span = Span::from_ms(3);

/// Loads a profile by name or path. `spot` is where the model names it.
pub fn load(
    name: &str,
    spot: Spot,
    read: &dyn Fn(&str) -> Result<String, String>,
    limits: &Limits,
    report: &mut Report,
) -> Option<Profile> {
    let built_in = BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    let text = match built_in.map_or_else(|| read(name), Ok) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("no profile \"{}\": {error}", crop(name));
            let finding =
                report.error(Code::E203, spot, message).suggest(name, BUILT_IN.iter().map(|(known, _)| *known));
            finding.help("built in are ideal and linux; anything else is the path of a calibration file");
            return None;
        }
    };
    let source = report.add_text(Source { name: name.to_owned(), text });
    let tree = yaml::read(source, 0, limits, report)?;
    Profile::decode(&tree, report)
}

impl Profile {
    /// The fair scheduler's slice on a machine with so many cores.
    pub fn slice(&self, cores: usize) -> Span {
        let fair = self.fair.as_ref().map(|fair| &fair.value);
        let base = fair.and_then(|fair| fair.base).map_or(DEFAULT_SLICE, |base| base.value);
        match fair.and_then(|fair| fair.scaling).map(|scaling| scaling.value) {
            // An hour times four is still far below the end of the clock.
            Some(Scaling::Logarithmic) => base * (1 + u64::from(cores.clamp(1, 8).ilog2())),
            _ => base,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in(name: &str) -> Profile {
        let mut report = Report::default();
        report.add_text(Source { name: String::new(), text: String::new() });
        let read = |_: &str| Err("not read".to_owned());
        let profile = load(name, Spot::default(), &read, &Limits::default(), &mut report);
        assert_eq!(report.finish(), []);
        profile.expect("a profile")
    }

    #[test]
    fn the_built_in_profiles_are_valid() {
        for (name, _) in BUILT_IN {
            assert_eq!(built_in(name).name.map(|name| name.value).as_deref(), Some(*name));
        }
    }

    #[test]
    fn the_slice_grows_as_linux_scales_it() {
        let linux = built_in("linux");
        let slices = [(1, 700), (2, 1_400), (3, 1_400), (4, 2_100), (8, 2_800), (64, 2_800)];
        for (cores, us) in slices {
            assert_eq!(linux.slice(cores), Span::from_us(us), "{cores} cores");
        }
        assert_eq!(built_in("ideal").slice(64), Span::from_ms(3));
    }
}
