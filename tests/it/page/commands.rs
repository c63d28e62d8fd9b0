//! Pages that other commands than `run` write, made by the command itself and opened in the browser.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use super::pages::{self, folder};
use super::webdriver::{Browser, DOWN, RIGHT, UP};
use super::{CONVOY, save, says};

fn gilsim(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gilsim"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().expect("our program runs")
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A sleeper and a thread that computes: threads of this process can run it in a tenth of a second.
const SLEEPER: &str = "
name: a sleeper beside a hog
machine: {cores: 2}
threads:
  sleeper: {do: [{repeat: 12, do: [{sleep: 3ms}, {cpu: 50us}]}]}
  hog: {daemon: true, do: [{repeat: forever, do: [{cpu: 10ms}]}]}
run: {until: 5s}
validate: {runs: 5, tolerance: 400%, metrics: [each_wait_gil(sleeper)]}
what_if: {alone: {set: {threads.hog.count: 0}}}
";

/// `validate --format html` of a model with workers of this process.
fn validate(model: &str, more: &[&str]) -> (Output, PathBuf) {
    let _alone = crate::common::alone();
    let file = folder().join("validate.html");
    let _ = fs::remove_file(&file);
    let to = file.to_string_lossy().into_owned();
    let common = ["validate", model, "--backend", "native", "--profile", "ideal", "--quiet", "--despite-noise"];
    (gilsim(&[&common[..], &["--format", "html", "-o", &to], more].concat()), file)
}

/// How many pixels of a strip of the lanes' canvas have another colour than its ground: `below` pixels below the top of the
/// lane with this label, six of them high.
fn painted(browser: &Browser, label: &str, below: u32) -> u64 {
    browser.settle();
    let script = "
        const lane = [...document.querySelectorAll('#labels .lane')].find((one) => one.textContent === LABEL);
        const canvas = document.getElementById('lanes');
        const copy = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height })
          .getContext('2d', { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, lane.offsetTop + BELOW, canvas.width, 6);
        const ground = getComputedStyle(document.getElementById('stage')).backgroundColor.match(/\\d+/g).map(Number);
        let painted = 0;
        for (let i = 0; i < data.length; i += 4) if (ground.some((part, k) => Math.abs(part - data[i + k]) > 40)) painted++;
        return painted";
    let script = script.replace("LABEL", &format!("{label:?}")).replace("BELOW", &below.to_string());
    browser.run(&script).as_u64().expect("a number")
}

#[test]
fn a_validation_lays_its_measurements_over_the_prediction() {
    let Some(browser) = Browser::start(1280, 1400) else { return };
    let (output, file) = validate(&pages::model_file("sleeper", SLEEPER), &[]);
    // A busy machine may leave it undecided; the page shows what there is.
    assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{}", words(&output.stderr));
    browser.open(&file);
    says(&browser, "sentences", "on 5 trials");
    says(&browser, "sentences", "Measured with native threads");
    // 12 x (3 ms of sleep + 5 ms of waiting + 0.05 ms of work) where nothing costs anything.
    says(&browser, "sentences", "Predicted: Finished after 96.6ms");
    says(&browser, "legend", "measured, 5 runs");
    let rows = browser.run(
        "return [...document.querySelectorAll('#validation tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))",
    );
    let first = &rows[0];
    assert_eq!((first[0].as_str(), first[1].as_str()), (Some("each_wait_gil(sleeper)"), Some("5ms")), "{rows}");
    assert!(first[5].as_str().is_some_and(|verdict| verdict.ends_with("(400%, widened)")), "{rows}");
    says(&browser, "validation", "5 trials of at most 5");

    // The strip of measurements is 8 pixels high and lies 26 below the top of its lane.
    let strip = painted(&browser, "sleeper", 26);
    assert!(strip > 1000, "only {strip} pixels of the sleeper's measurements are painted");
    hover_says_what_was_measured(&browser);
    save(&browser, "validate");
    let height = || browser.run("return document.getElementById('tall').offsetHeight").as_i64().expect("pixels");
    let with = height();
    browser.press(&["m"]);
    browser.settle();
    assert_eq!(with - height(), 2 * 14, "m takes both strips away");
    browser.press(&["m"]);

    table_has_it(&browser);
    let checks = browser.run(include_str!("checks.js"));
    assert_eq!(checks, Value::from([""; 0].to_vec()), "for people who see badly");
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}

fn hover_says_what_was_measured(browser: &Browser) {
    let place = browser.run(
        "const lane = [...document.querySelectorAll('#labels .lane')].find((one) => one.textContent === 'sleeper');
         document.getElementById('stage').scrollIntoView();
         const box = lane.getBoundingClientRect();
         return [box.right + 12, box.top + 30].map(Math.round)",
    );
    let at = |i: usize| place[i].as_i64().expect("pixels");
    browser.mouse(&[("move", at(0), at(1))]);
    browser.settle();
    // The bubble is out of reach for screen readers, who have the table; its text is read as it stands.
    let text = browser.run("return document.getElementById('hover').textContent").to_string();
    assert!(text.contains("measured: sleeper, "), "{text}");
    assert!(text.contains("finished in 5 runs at "), "{text}");
}

fn table_has_it(browser: &Browser) {
    browser.press(&["t"]);
    let choose = |run: &str| {
        let script = format!(
            "const runs = document.getElementById('table-run'); runs.value = '{run}'; runs.dispatchEvent(new Event('change'));
             return [...document.querySelectorAll('#events tbody tr')].map((row) => row.innerText)"
        );
        browser.run(&script).as_array().expect("rows").clone()
    };
    let (measured, predicted) = (choose("measured"), choose("0"));
    assert!(measured.len() > 50 && measured != predicted, "{} rows", measured.len());
    let asked = measured.iter().any(|row| row.to_string().contains("it had waited 5ms without a switch"));
    assert!(asked, "the sleeper asks for the GIL after its interval: {measured:?}");
}

#[test]
fn a_page_shows_one_validation() {
    let model = pages::model_file("sleeper-2", SLEEPER);
    for (more, why) in [
        (vec![CONVOY], "there are several models: name one"),
        (vec!["--what-if", "all"], "--what-if all asks for several variants: name one"),
    ] {
        let (output, file) = validate(&model, &more);
        assert_eq!(output.status.code(), Some(2));
        assert!(words(&output.stderr).contains(why), "{}", words(&output.stderr));
        assert!(!file.exists());
    }
    let fifo = pages::model_file("fifo", "name: x\nmachine: {scheduler: fifo}\nthreads: {a: {do: [{cpu: 1ms}]}}\n");
    let (output, file) = validate(&fifo, &[]);
    assert_eq!(output.status.code(), Some(3), "nobody can tell");
    assert!(words(&output.stderr).contains("no page was written: W504"), "{}", words(&output.stderr));
    assert!(!file.exists());
}

#[test]
fn a_diff_shows_two_runs_on_one_scale() {
    let Some(browser) = Browser::start(1280, 1400) else { return };
    let file = folder().join("diff.html");
    let to = file.to_string_lossy().into_owned();
    let both = ["diff", CONVOY, "--what-if", "short-interval"];
    let output = gilsim(&[&both[..], &["--format", "html", "-o", &to]].concat());
    assert_eq!(output.status.code(), Some(1), "they differ: {}", words(&output.stderr));
    browser.open(&file);
    let text = words(&gilsim(&[&both[..], &["--width", "200"]].concat()).stdout);
    says(&browser, "sentences", text.lines().next().expect("a verdict"));
    // 20 x (1 ms + 5 ms + 0.1 ms) = 122 ms against 20 x (1 ms + 0.5 ms + 0.1 ms) = 32 ms.
    says(&browser, "compare-table", "122ms");
    says(&browser, "compare-table", "32ms");
    says(&browser, "compare-table", "3.81 times shorter");

    // The first segment of the server is its I/O of 1 ms in both: it lies at the same place, and is as wide.
    let place = || {
        browser.settle();
        let script =
            "const { left, width } = document.getElementById('segment').style; return [left, width].map(parseFloat)";
        let place = browser.run(script);
        (place[0].as_f64().expect("pixels"), place[1].as_f64().expect("pixels"))
    };
    browser.press(&["."]);
    says(&browser, "selected", "server, waits in a blocking call, 0ms to 1ms");
    let of_a = place();
    // Down over cruncher, and in B over four cores and the GIL.
    let lanes = browser.run("return document.querySelectorAll('#labels button.lane').length").as_u64();
    assert_eq!(lanes, Some(14), "twice four cores, a GIL and two threads");
    browser.press(&[DOWN; 7]);
    says(&browser, "selected", "server, waits in a blocking call, 0ms to 1ms");
    says(&browser, "where", "B · event");
    assert_eq!(place(), of_a, "both lie on one scale");

    // The last segment of each ends where the server finishes: 122 ms and 32 ms on one axis.
    let end = |presses: usize| {
        browser.press(&vec!["."; presses]);
        let (left, width) = place();
        left + width - of_a.0
    };
    let of_b = end(80);
    says(&browser, "selected", "to 32ms");
    browser.press(&[UP; 7]);
    let of_a = end(80);
    says(&browser, "selected", "to 122ms");
    assert!((of_b / of_a - 32.0 / 122.0).abs() < 0.005, "{of_b} and {of_a} pixels");

    browser.press(&["0", RIGHT, "y", "t"]);
    says(&browser, "table-place", "1 to ");
    save(&browser, "diff");
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}
