//! The page in a real browser: it opens from disk, asks for nothing, obeys its keys, and says what the records say.
//!
//! Pages and pictures stay below `target/pages/`. With `GILSIM_SHOTS=1` the pictures of the README are made anew; with
//! `GILSIM_BIG=1` the long timeline is one of a million events.

mod commands;
mod pages;
mod pointer;
pub mod webdriver;

use std::fs;
use std::path::Path;

use gilsim::render::PageInput;
use serde_json::Value;

use self::pages::Run;
use self::webdriver::{Browser, DOWN, END, ENTER, ESCAPE, LEFT, RIGHT, UP};

const CONVOY: &str = "models/gil/convoy.yaml";
const THREADS: &str = "models/threads-cpu-12.yaml";
const PROCESSES: &str = "models/processes-cpu-12.yaml";

/// Finds in the text of an element what must be there.
fn says(browser: &Browser, id: &str, words: &str) {
    // The page answers a key in its next frame, which on a busy machine is not at once.
    for _ in 0..20 {
        browser.settle();
        if browser.text(id).contains(words) {
            return;
        }
    }
    let text = browser.text(id);
    assert!(text.contains(words), "#{id} does not say {words:?} but {text:?}");
}

/// Looks for something with the find box: opens it, replaces what it holds, finds and closes.
fn find(browser: &Browser, words: &str) {
    browser.press(&["/"]);
    browser.settle();
    browser.run("const box = document.getElementById('find-text'); box.value = ''; box.focus()");
    browser.enter(words);
    browser.settle();
    browser.press(&[ENTER]);
    browser.settle();
    browser.press(&[ESCAPE]);
}

#[test]
fn it_opens_from_disk_and_asks_for_nothing() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let file = pages::of_model(CONVOY);
    browser.requests();
    browser.open(&file);
    browser.settle();
    says(&browser, "sentences", "Finished after 122ms. The work is 122ms, so four cores gave no speed-up at all.");
    says(&browser, "sentences", "server waits for the GIL each time it comes back");
    says(&browser, "metrics", "122ms");
    assert_eq!(browser.run("return document.title"), "convoy effect");
    assert_eq!(browser.console(), [""; 0], "the console is silent");
    let own = format!("file://{}", file.display());
    let asked = browser.requests();
    assert!(asked.contains(&own), "the log sees requests: {asked:?}");
    assert!(asked.iter().all(|address| *address == own), "the page asks for {asked:?}");
    // Nor could it: the policy of the page stops what a mistake in it would ask for.
    let stopped = browser.wait("fetch('http://127.0.0.1:9/').then(() => done('went out'), () => done('stopped'))");
    assert_eq!(stopped, "stopped");
    assert!(browser.console().iter().any(|line| line.contains("Content Security Policy")), "by the policy");
}

#[test]
fn keys_step_choose_and_explain() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    browser.open(&pages::of_model(CONVOY));
    browser.press(&[RIGHT; 6]);
    says(&browser, "where", "t = 6ms");
    says(&browser, "sentence", "server asked for the GIL: it had waited 5ms without a switch.");
    browser.press(&[RIGHT]);
    says(&browser, "sentence", "cruncher let go of the GIL: server had asked for it, and this was a check point.");
    browser.press(&[LEFT, LEFT]);
    says(&browser, "sentence", "server waits for the GIL: cruncher holds it; a timed wait of 5ms begins.");

    // The lane of the server is chosen at first; after its I/O come wait, run, I/O, wait.
    browser.press(&[".", ".", ".", "."]);
    says(&browser, "selected", "server, waits for the GIL, 7.1ms to 12.1ms (5ms), held by cruncher");
    assert_eq!(browser.run("return document.getElementById('segment').hidden"), false);
    let label = browser.run("return document.getElementById('segment').getAttribute('aria-label')");
    assert!(label.as_str().expect("a label").starts_with("server, waits for the GIL, 7.1ms to 12.1ms"));
    browser.press(&["y"]);
    says(&browser, "why", "server → GIL(main) → held by cruncher → its timer ends 12.1ms → over at 12.1ms");
    says(&browser, "why", "It is held by cruncher, which runs Python, from 6.1ms to 12.1ms.");
    says(&browser, "why", "12.1ms: cruncher let go of the GIL: server had asked for it");
    browser.press(&[",", ESCAPE]);
    says(&browser, "selected", "server, waits in a blocking call, 6.1ms to 7.1ms (1ms)");
    assert_eq!(browser.text("why"), "");

    browser.press(&[DOWN]);
    says(&browser, "selected", "cruncher");
    browser.press(&[UP, UP]);
    says(&browser, "selected", "GIL main: held by cruncher");
    browser.press(&[END]);
    says(&browser, "sentence", "the run ended: finished.");
}

/// The producer puts its first item at 1 ms and its second one at 2 ms; nobody has the GIL to take one before 5 ms.
#[test]
fn queues_have_lanes() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    browser.open(&pages::of_model("models/sync/producer-consumer.yaml"));
    browser.press(&[DOWN, DOWN, DOWN, DOWN, "."]);
    says(&browser, "selected", "queue jobs: 1 inside since producer changed it, 1ms to 2ms (1ms)");
    browser.press(&["."]);
    says(&browser, "selected", "queue jobs: 2 inside since producer changed it, 2ms to 3ms (1ms)");
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn keys_zoom_mark_find_and_open() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    browser.open(&pages::of_model(CONVOY));
    let axis = || {
        browser.settle();
        browser.run("return document.getElementById('axis').toDataURL()")
    };
    let whole = axis();
    browser.press(&["w", "w"]);
    let near = axis();
    assert_ne!(near, whole, "w zooms in");
    browser.press(&["d"]);
    let later = axis();
    assert_ne!(later, near, "d goes later");
    browser.press(&["a"]);
    assert_eq!(axis(), near, "a goes back");
    browser.press(&[".", ".", "f"]);
    assert_ne!(axis(), near, "f fits the selection");
    browser.press(&["0"]);
    assert_eq!(axis(), whole, "0 shows everything");

    browser.press(&["1", ".", ".", "2"]);
    says(&browser, "distance", "A 1ms   B 6.1ms   distance 5.1ms".split("   ").nth(2).expect("the distance"));

    find(&browser, "12.2ms");
    says(&browser, "where", "t = 12.2ms");
    find(&browser, "asked for");
    says(&browser, "sentence", "server asked for the GIL");
    says(&browser, "where", "t = 18.2ms");

    browser.press(&["?"]);
    says(&browser, "help", "why is it waiting?");
    browser.press(&[ESCAPE]);
    assert_eq!(browser.run("return document.getElementById('help').open"), false);
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}

#[test]
fn a_prediction_comes_before_the_result() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    browser.open_at(&pages::of_model(CONVOY), "#predict-first");
    let visible = browser.run("return document.body.innerText").to_string();
    assert!(visible.contains("After how long is everything done?"), "{visible}");
    for secret in ["122ms", "100ms", "waits for the GIL", "22ms"] {
        assert!(!visible.contains(secret), "{secret} is shown before an answer");
    }
    browser.enter("24");
    browser.press(&[ENTER]);
    says(&browser, "predict", "A time needs a number and a unit");
    browser.run(
        "document.querySelectorAll('#predict input').forEach((input, i) => input.value = ['24ms', '0.1 s', '1'][i])",
    );
    browser.press(&[ENTER]);
    says(&browser, "predict", "✗ After how long is everything done? You said 24ms; it is 122ms, 5.08 times as long.");
    says(&browser, "predict", "✓ How long does server wait for the GIL, all waits together? 100ms: you said 100ms.");
    says(&browser, "sentences", "Finished after 122ms");
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}

#[test]
fn table_lanes_and_metrics_say_the_same() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let models = [CONVOY, THREADS, PROCESSES, "models/sync/deadlock.yaml", "models/gil/sleeper-linux.yaml"];
    for model in models {
        browser.open(&pages::of_model(model));
        let result = pages::result_of(model);
        // The cells of the totals are sums of the segments that the lanes draw.
        let drawn = browser.run(
            "return [...document.querySelectorAll('#totals tbody tr')].map((row) =>
               Object.fromEntries([...row.querySelectorAll('td[data-state]')].filter((cell) => cell.dataset.ns !== '0')
                 .map((cell) => [cell.dataset.state, Number(cell.dataset.ns)])))",
        );
        let threads = result["threads"].as_array().expect("threads");
        let computed: Vec<Value> = threads.iter().map(|thread| thread["states_ns"].clone()).collect();
        assert_eq!(drawn, Value::from(computed), "{model}: lanes against metrics");

        let records = pages::records_of(model);
        let told = records.iter().filter(|record| match record["kind"].as_str() {
            Some("account") => false,
            Some("dispatch") => !record["preempted"].is_null(),
            _ => true,
        });
        let told: Vec<u64> = told.map(|record| record["i"].as_u64().expect("a number")).collect();
        browser.press(&["t"]);
        let rows = browser.run(
            "const all = [];
             for (;;) {
               all.push(...[...document.querySelectorAll('#events tbody tr')].map((row) => Number(row.dataset.record)));
               if (document.getElementById('table-next').disabled) return all;
               document.getElementById('table-next').click();
             }",
        );
        assert_eq!(rows, Value::from(told), "{model}: the table has every record once");
        assert_eq!(browser.console(), [""; 0], "{model}: the console is silent");
    }
}

#[test]
fn hostile_names_stay_text() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let evil = "</script><script>window.caught = 1; alert(1)</script><img src=x onerror=alert(2)><!--<script>";
    // A model may say such things in its texts; names of threads come from measured timelines, too.
    let yaml = format!(
        "name: \"{evil}\"\nabout: \"{evil}\"\nthreads:\n  one:\n    do: [{{print: \"{evil}\"}}, {{cpu: 1ms}}]\n"
    );
    let from_model = pages::of_model(&pages::model_file("hostile", &yaml));
    browser.open(&from_model);
    browser.settle();
    says(&browser, "printed", evil);
    let mut run = Run::of("models/sync/lock.yaml", &[], 10_000);
    run.rename(&[evil, "turned \u{202e} round"]);
    let input = PageInput { primary: run.view(), secondary: None, measured: None, remarks: &[evil.to_string()] };
    let file = pages::write("hostile-names", &input);
    for file in [&from_model, &file] {
        let text = fs::read_to_string(file).expect("a page");
        assert_eq!(text.matches("<script").count(), 2, "the names do not enter the markup");
    }
    browser.open(&file);
    browser.press(&["t", RIGHT, RIGHT, ".", "y", "/"]);
    browser.enter("caught");
    browser.press(&[ENTER]);
    assert_eq!(browser.run("return window.caught === undefined && document.images.length === 0"), true);
    says(&browser, "sentences", evil);
    let labels = browser.run("return [...document.querySelectorAll('#labels button')].map((one) => one.textContent)");
    assert!(labels.as_array().expect("a list").contains(&Value::from(evil)), "{labels}");
    assert!(labels.to_string().contains(r"turned \\u{202e} round"), "{labels}");
    assert!(!browser.has_dialog());
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}

#[test]
fn names_labels_and_contrast() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let checks = include_str!("page/checks.js");
    for model in [CONVOY, PROCESSES, "models/sync/deadlock.yaml"] {
        let file = pages::of_model(model);
        for scheme in ["light", "dark"] {
            browser.media("screen", scheme);
            browser.open(&file);
            browser.settle();
            assert_eq!(browser.run(checks), Value::from([""; 0].to_vec()), "{model}, {scheme}");
            browser.press(&[".", "y", "t", "/"]);
            browser.settle();
            assert_eq!(browser.run(checks), Value::from([""; 0].to_vec()), "{model}, {scheme}, everything open");
            browser.press(&[ESCAPE, "?"]);
            assert_eq!(browser.run(checks), Value::from([""; 0].to_vec()), "{model}, {scheme}, keys");
            browser.press(&[ESCAPE, "p"]);
            assert_eq!(
                browser.run(&checks.replace("looked < 20", "looked < 8")),
                Value::from([""; 0].to_vec()),
                "{model}, {scheme}, predict"
            );
        }
    }
}

#[test]
fn zoomed_to_twice_its_size_nothing_is_cut_off() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    browser.open(&pages::of_model(CONVOY));
    // 200 % on a window of 1280 pixels is a page of 640.
    let size = serde_json::json!({"width": 640, "height": 450, "deviceScaleFactor": 2, "mobile": false});
    browser.devtools("Emulation.setDeviceMetricsOverride", size);
    browser.press(&["t"]);
    browser.settle();
    let wide = browser.run("return document.documentElement.scrollWidth - innerWidth");
    assert!(wide.as_i64().expect("a number") <= 0, "{wide} pixels are beside the window");
    // A busy browser tells the page of its new size a few frames later.
    let sharp = (0..20).map(|_| {
        browser.settle();
        browser.run("const c = document.getElementById('lanes'); return c.width / c.clientWidth").as_f64()
    });
    assert!(sharp.into_iter().any(|sharp| sharp == Some(2.0)), "lanes are as sharp as the screen");
    save(&browser, "convoy-200-percent");
}

#[test]
fn two_runs_and_measurements_share_a_scale() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let (a, b) = (Run::of(CONVOY, &[], 10_000), Run::of(CONVOY, &["python.switch_interval=500us"], 10_000));
    let remarks = ["B ends 3.81 times earlier: the server waits 0.5ms instead of 5ms each time.".to_string()];
    let spreads = a.spreads();
    let input = PageInput {
        primary: a.view(),
        secondary: Some(b.view()),
        measured: Some(a.measured(&spreads)),
        remarks: &remarks,
    };
    let file = pages::write("compare", &input);
    browser.open(&file);
    browser.settle();
    says(&browser, "sentences", &remarks[0]);
    says(&browser, "compare-table", "3.81 times shorter");
    says(&browser, "legend", "measured, 5 runs");
    let labels = || browser.run("return document.getElementById('labels').innerText").to_string();
    let height = || browser.run("return document.getElementById('tall').offsetHeight").as_i64().expect("pixels");
    assert!(labels().contains("A · threads") || labels().contains("A · THREADS"), "{}", labels());
    let (both, measured) = (height(), 2 * 14);
    save(&browser, "compare");
    browser.press(&["m"]);
    browser.settle();
    assert_eq!(both - height(), measured, "two threads had a strip of measurements");
    browser.press(&["c"]);
    browser.settle();
    assert!(height() < both / 2 + 60, "only A is left");
    assert_eq!(browser.text("compare-table"), "");
    browser.press(&["c", DOWN, DOWN, DOWN, DOWN, DOWN]);
    says(&browser, "where", "B · event");
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}

#[test]
fn a_page_says_where_it_ends() {
    let run = Run::of(CONVOY, &[], 100);
    let input = PageInput { primary: run.view(), secondary: None, measured: None, remarks: &[] };
    let file = pages::write("cropped", &input);
    let Some(browser) = Browser::start(1280, 900) else { return };
    browser.open(&file);
    browser.settle();
    says(&browser, "cropped", "Only the first 100 records are drawn, up to ");
    says(&browser, "sentences", "Finished after 122ms");
    browser.press(&[END]);
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}

#[test]
fn a_long_timeline_stays_usable() {
    let big = std::env::var_os("GILSIM_BIG").is_some();
    let model = pages::model_file(
        "long",
        "name: a long timeline\nmachine: {cores: 4}\npython: {version: '3.13', switch_interval: 200us}\nthreads:\n  \
         server:\n    count: 16\n    do: [{repeat: forever, do: [{io: {exponential: 400us}}, {cpu: {exponential: 40us}}]}]\n  \
         cruncher: {count: 2, do: [{repeat: forever, do: [{cpu: 10ms}]}]}\nrun: {until: 500ms, seed: 1}\n",
    );
    let file = pages::of_model_with(&model, &["--until", if big { "10600ms" } else { "500ms" }]);
    let Some(browser) = Browser::start(1280, 900) else { return };
    // The machine may be busy with other things: the best of three loads is what the page can do.
    let paints = (0..3).map(|_| {
        browser.open(&file);
        let paint = "return Math.round(performance.getEntriesByName('gilsim:first-paint')[0].startTime)";
        browser.run(paint).as_u64().expect("milliseconds")
    });
    let paint = paints.min().expect("three");
    let draws = |key: &str| {
        let script = "const times = [];
            const next = () => {
              document.body.dispatchEvent(new KeyboardEvent('keydown', {key: KEY, bubbles: true}));
              requestAnimationFrame(() => setTimeout(() => {
                times.push(performance.getEntriesByName('gilsim:draw')[0].duration);
                if (times.length < 25) next(); else done(Math.round(10 * times.sort((a, b) => a - b)[12]) / 10);
              }));
            };
            next();";
        browser.wait(&script.replace("KEY", &format!("{key:?}"))).as_f64().expect("milliseconds")
    };
    let all = draws("0");
    browser.press(&["w", "w"]);
    let pan = draws("d");
    let records = browser.text("source");
    println!("{records}: lanes after {paint}ms, all of it drawn in {all}ms, panned at half of it in {pan}ms");
    assert!(paint < 2000, "first paint after {paint}ms");
    assert!(all < 50.0 && pan < 50.0, "drawn in {all}ms, {pan}ms");
    assert_eq!(browser.console(), [""; 0], "the console is silent");
    save(&browser, "long");
}

#[test]
fn pictures() {
    let Some(browser) = Browser::start(1280, 1170) else { return };
    browser.media("screen", "light");
    browser.open(&pages::of_model(CONVOY));
    browser.press(&["w", "w", "w", "w", ".", ".", ".", "."]);
    shot(&browser, "convoy-light");
    browser.press(&["y"]);
    browser.run("document.getElementById('timeline-title').scrollIntoView()");
    save(&browser, "convoy-why");
    browser.media("screen", "dark");
    browser.open(&pages::of_model(PROCESSES));
    browser.press(&["w", "w", ".", "."]);
    shot(&browser, "processes-dark");
    browser.open(&pages::of_model(THREADS));
    save(&browser, "threads-dark");
    browser.media("print", "light");
    save(&browser, "threads-print");
    let pieces = "return [...document.querySelectorAll('#paper canvas')].filter((one) => one.checkVisibility()).length";
    assert_eq!(browser.run(pieces), 2, "on paper the lanes are drawn anew, in pieces that fit a page");
    browser.media("", "light");
    assert_eq!(browser.run(pieces), 0);
    let paper = browser.paper();
    assert!(paper.starts_with(b"%PDF") && paper.len() > 20_000, "{} bytes", paper.len());
    fs::write(pages::folder().join("threads.pdf"), paper).expect("written");
    assert_eq!(browser.console(), [""; 0], "the console is silent");
}

/// Keeps a picture to be looked at.
fn save(browser: &Browser, name: &str) -> Vec<u8> {
    let picture = browser.picture();
    fs::write(pages::folder().join(format!("{name}.png")), &picture).expect("written");
    picture
}

/// A picture of the README, made anew only on request: its bytes depend on the fonts of the machine.
fn shot(browser: &Browser, name: &str) {
    let picture = save(browser, name);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/page/shots/{name}.png"));
    if std::env::var_os("GILSIM_SHOTS").is_some() {
        fs::write(&kept, picture).expect("written");
    }
    let size = fs::metadata(&kept).expect("the README's picture").len();
    assert!((1_000..200_000).contains(&size), "{name}: {size} bytes");
}
