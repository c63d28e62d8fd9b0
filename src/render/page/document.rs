//! The fixed part of the page: markup, style and script, put together from the files beside this one.

use crate::render::page::sha256;

const MARKUP: &str = include_str!("page.html");

/// The style, in the order in which rules override each other.
const STYLES: &[&str] =
    &[include_str!("css/base.css"), include_str!("css/timeline.css"), include_str!("css/print.css")];

/// The script: one closure around all of these. Later files use what earlier ones declare; `main.js` starts them.
const SCRIPTS: &[&str] = &[
    include_str!("js/format.js"),
    include_str!("js/dom.js"),
    include_str!("js/model.js"),
    include_str!("js/lanes.js"),
    include_str!("js/scale.js"),
    include_str!("js/patterns.js"),
    include_str!("js/draw-canvas.js"),
    include_str!("js/overlays.js"),
    include_str!("js/overview.js"),
    include_str!("js/app.js"),
    include_str!("js/timeline.js"),
    include_str!("js/pointer.js"),
    include_str!("js/tell.js"),
    include_str!("js/why.js"),
    include_str!("js/select.js"),
    include_str!("js/marks.js"),
    include_str!("js/summary.js"),
    include_str!("js/table.js"),
    include_str!("js/find.js"),
    include_str!("js/predict.js"),
    include_str!("js/paper.js"),
    include_str!("js/keys.js"),
    include_str!("js/main.js"),
];

/// What stands before and after the data.
pub(super) fn around_the_data() -> (String, &'static str) {
    let style = STYLES.concat();
    let script = format!("\"use strict\";\n(() => {{\n{}}})();\n", SCRIPTS.concat());
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'",
        sha256::source(&script),
        sha256::source(&style)
    );
    let (before, after) = MARKUP.split_once("{{data}}").expect("the markup has a place for the data");
    // The script stands before the data, so that the only text that comes from outside is the last thing of the page.
    let before = before.replace("{{policy}}", &policy).replace("{{style}}", &style).replace("{{script}}", &script);
    (before, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_part_is_small_and_asks_for_nothing() {
        let (before, after) = around_the_data();
        let whole = before + after;
        assert!(whole.len() <= 300 * 1024, "{} bytes", whole.len());
        for word in ["http:", "https:", "@import", "url(", "innerHTML", "outerHTML", "insertAdjacentHTML", "eval("] {
            assert!(!whole.contains(word), "{word}");
        }
        assert!(!whole.contains("{{"), "every place is filled");
        assert_eq!(whole.matches("<script").count(), 2);
        assert_eq!(whole.matches("</script>").count(), 2, "the script does not end itself");
    }
}
