//! The page under a mouse, a wheel and fingers, on the convoy: the server's second wait is that from 7.1 to 12.1 ms.

use super::pages::{self, Run};
use super::webdriver::{Browser, CONTROL, SHIFT};
use super::{CONVOY, says};
use gilsim::render::PageInput;

/// All of the convoy, 122 ms, with a hundredth of room at its end.
const FULL_MS: f64 = 122.0 * 1.01;

/// Where the lanes are in the window, in pixels.
struct Lanes {
    left: f64,
    width: f64,
    /// The middle of the server's lane.
    server: i64,
}

impl Lanes {
    fn of(browser: &Browser) -> Lanes {
        browser.run("document.getElementById('stage').scrollIntoView()");
        browser.settle();
        let found = browser.run(
            "const canvas = document.getElementById('lanes').getBoundingClientRect();
             const lane = [...document.querySelectorAll('#labels button')].find((one) => one.textContent === 'server');
             const row = lane.getBoundingClientRect();
             return [canvas.left, canvas.width, row.top + row.height / 2]",
        );
        let pixels = |i: usize| found[i].as_f64().expect("pixels");
        Lanes { left: pixels(0), width: pixels(1), server: pixels(2) as i64 }
    }

    /// The pixel of a part of the width.
    fn part(&self, part: f64) -> i64 {
        (self.left + part * self.width).round() as i64
    }

    /// The pixel of an instant while everything is in view.
    fn at_ms(&self, time: f64) -> i64 {
        self.part(time / FULL_MS)
    }
}

fn click(browser: &Browser, (x, y): (i64, i64)) {
    browser.mouse(&[("move", x, y), ("down", 0, 0), ("up", 0, 0)]);
    browser.settle();
}

/// The middle of an element, brought into view.
fn middle(browser: &Browser, id: &str) -> (i64, i64) {
    let place = browser.run(&format!(
        "const it = document.getElementById({id:?});
         it.scrollIntoView({{ block: 'center' }});
         const box = it.getBoundingClientRect();
         return [box.left + box.width / 2, box.top + box.height / 2].map(Math.round)"
    ));
    (place[0].as_i64().expect("pixels"), place[1].as_i64().expect("pixels"))
}

fn push(browser: &Browser, id: &str) {
    click(browser, middle(browser, id));
}

/// Where the selected segment lies: left and width in pixels.
fn segment(browser: &Browser) -> (f64, f64) {
    browser.settle();
    let place = browser
        .run("const { left, width } = document.getElementById('segment').style; return [left, width].map(parseFloat)");
    (place[0].as_f64().expect("pixels"), place[1].as_f64().expect("pixels"))
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 2.0
}

/// The convoy with its eleventh wait selected and well in view: 1 ms + 10 rounds of 6.1 ms = 62 ms.
fn zoomed(browser: &Browser) -> Lanes {
    browser.open(&pages::of_model(CONVOY));
    let lanes = Lanes::of(browser);
    click(browser, (lanes.at_ms(64.5), lanes.server));
    browser.press(&["f", "s", "s", "s", "s", "a", "a"]);
    lanes
}

#[test]
fn a_click_chooses_and_marks_measure() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    browser.open(&pages::of_model(CONVOY));
    let lanes = Lanes::of(&browser);
    browser.mouse(&[("move", lanes.at_ms(9.6), lanes.server)]);
    browser.settle();
    let hover = browser.run("return document.getElementById('hover').textContent");
    assert_eq!(hover, "server, waits for the GIL, 7.1ms to 12.1ms (5ms), held by cruncher");
    click(&browser, (lanes.at_ms(9.6), lanes.server));
    says(&browser, "selected", "server, waits for the GIL, 7.1ms to 12.1ms (5ms), held by cruncher");
    says(&browser, "where", "t = 7.1ms");
    push(&browser, "mark-a");
    says(&browser, "distance", "A 7.1ms");
    // One round later, 1 ms of I/O, 5 ms of waiting and 0.1 ms of work: the next wait begins at 13.2 ms.
    let lanes = Lanes::of(&browser);
    click(&browser, (lanes.at_ms(15.0), lanes.server));
    push(&browser, "mark-b");
    says(&browser, "distance", "distance 6.1ms");
    push(&browser, "mark-b");
    assert_eq!(browser.text("distance"), "A 7.1ms", "once more takes it away");

    push(&browser, "tool-why");
    says(&browser, "why", "server → GIL(main) → held by cruncher");
    push(&browser, "step-next");
    says(&browser, "sentence", "server asked for the GIL");
    push(&browser, "step-last");
    says(&browser, "sentence", "the run ended: finished.");
    push(&browser, "step-first");
    says(&browser, "where", "event 1 of");
    let (x, y) = (Lanes::of(&browser).left as i64 - 60, Lanes::of(&browser).server + 28);
    click(&browser, (x, y));
    says(&browser, "selected", "cruncher");
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}

#[test]
fn a_drag_pans_and_the_wheel_zooms() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let lanes = zoomed(&browser);
    let (left, width) = segment(&browser);
    let from = lanes.part(0.6);
    browser.mouse(&[("move", from, lanes.server), ("down", 0, 0), ("move", from - 60, lanes.server)]);
    browser.mouse(&[("move", from - 120, lanes.server), ("up", 0, 0)]);
    let moved = segment(&browser);
    assert!(near(moved.0, left - 120.0) && near(moved.1, width), "120 pixels to the left: {left} to {moved:?}");
    says(&browser, "selected", "62ms to 67ms");

    // The wheel alone scrolls. With Ctrl it zooms by a quarter, and the instant under the pointer stays there.
    browser.wheel((from, lanes.server), (0, 1), None);
    assert_eq!(segment(&browser), moved, "the wheel alone changes no scale");
    let lanes = Lanes::of(&browser);
    let (x, under) = (moved.0 + moved.1 / 4.0, (lanes.left - gutter(&browser)) as i64);
    browser.wheel((under + x as i64, lanes.server), (0, -1), Some(CONTROL));
    let nearer = segment(&browser);
    assert!((nearer.1 / moved.1 - 1.25).abs() < 0.02, "{} to {} pixels", moved.1, nearer.1);
    let part = (x - nearer.0) / nearer.1;
    assert!((part - 0.25).abs() < 0.01, "the instant under the pointer went from 0.25 to {part} of the segment");
    browser.wheel((under + x as i64, lanes.server), (0, 1), Some(SHIFT));
    let later = segment(&browser);
    assert!(near(later.0, nearer.0 - 0.08 * lanes.width), "with Shift it pans: {nearer:?} to {later:?}");

    push(&browser, "fit-all");
    let whole = segment(&browser);
    assert!(near(whole.1, lanes.width * 5.0 / FULL_MS), "5 of {FULL_MS} ms: {whole:?}");
    push(&browser, "zoom-in");
    assert!(near(segment(&browser).1, whole.1 / 0.7), "the button zooms");
    push(&browser, "zoom-out");
    push(&browser, "pan-right");
    push(&browser, "pan-left");
    assert!(near(segment(&browser).1, whole.1), "and back");
    push(&browser, "fit-selection");
    assert!(near(segment(&browser).1, lanes.width / 1.2), "with a tenth of room on either side");
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}

/// How far right of the pane the canvas begins.
fn gutter(browser: &Browser) -> f64 {
    browser.run("return document.getElementById('labels').offsetWidth").as_f64().expect("pixels")
}

#[test]
fn the_overview_chooses_and_moves_a_window() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    browser.open(&pages::of_model(CONVOY));
    let lanes = Lanes::of(&browser);
    click(&browser, (lanes.at_ms(15.0), lanes.server));
    let whole = segment(&browser);
    let y = middle(&browser, "overview").1;
    let drag = |from: f64, to: f64| {
        let half = lanes.part((from + to) / 2.0);
        browser.mouse(&[("move", lanes.part(from), y), ("down", 0, 0), ("move", half, y), ("move", lanes.part(to), y)]);
        browser.mouse(&[("up", 0, 0)]);
        browser.settle();
    };
    drag(0.05, 0.25);
    let fifth = segment(&browser);
    assert!((fifth.1 / whole.1 - 5.0).abs() < 0.1, "a fifth of it is in view: {whole:?} to {fifth:?}");
    click(&browser, (lanes.part(0.8), y));
    assert_eq!(browser.run("return document.getElementById('segment').hidden"), true, "a click looks elsewhere");
    drag(0.8, 0.15);
    let back = segment(&browser);
    assert!((back.0 - fifth.0).abs() < 10.0 && near(back.1, fifth.1), "a drag brings it back: {fifth:?}, {back:?}");
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}

#[test]
fn one_finger_pans_and_two_zoom() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let lanes = zoomed(&browser);
    let (left, width) = segment(&browser);
    let (x, y) = (lanes.part(0.5), lanes.server);
    browser.fingers(&[&[("move", x, y), ("down", 0, 0), ("move", x + 40, y), ("move", x + 90, y), ("up", 0, 0)]]);
    let moved = segment(&browser);
    assert!(near(moved.0, left + 90.0) && near(moved.1, width), "90 pixels to the right: {left} to {moved:?}");

    // From 100 to 200 pixels apart: everything is twice as wide.
    let finger = |from: i64, to: i64| {
        [("move", from, y), ("down", 0, 0), ("move", (from + to) / 2, y), ("move", to, y), ("up", 0, 0)]
    };
    browser.fingers(&[&finger(x - 50, x - 100), &finger(x + 50, x + 100)]);
    let wide = segment(&browser);
    assert!((wide.1 / moved.1 - 2.0).abs() < 0.05, "{} to {} pixels", moved.1, wide.1);
    says(&browser, "selected", "62ms to 67ms");

    browser.fingers(&[&[("move", x, y + 28), ("down", 0, 0), ("up", 0, 0)]]);
    says(&browser, "selected", "cruncher, runs Python");
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}

#[test]
fn buttons_show_and_hide_what_is_compared() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let (a, b) = (Run::of(CONVOY, &[], 10_000), Run::of(CONVOY, &["python.switch_interval=500us"], 10_000));
    let spreads = a.spreads();
    let input = PageInput {
        primary: a.view(),
        secondary: Some(b.view()),
        measured: Some(a.measured(&spreads)),
        remarks: &["two runs".to_string()],
    };
    browser.open(&pages::write("buttons", &input));
    let height = || {
        browser.settle();
        browser.run("return document.getElementById('tall').offsetHeight").as_i64().expect("pixels")
    };
    let all = height();
    push(&browser, "tool-measured");
    assert_eq!(all - height(), 2 * 14, "the strips of two threads");
    push(&browser, "tool-compare");
    assert!(height() < all / 2 + 60, "only A is left");
    push(&browser, "tool-compare");
    push(&browser, "tool-measured");
    assert_eq!(height(), all, "everything is back");
    for (button, shown) in [("tool-table", "table-view"), ("tool-find", "find"), ("tool-help", "help")] {
        assert_eq!(browser.text(shown), "");
        push(&browser, button);
        assert_ne!(browser.text(shown), "", "{button} shows {shown}");
    }
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}
