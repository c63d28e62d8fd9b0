//! What we export, opened in the viewers themselves: Perfetto's, asked in its own SQL, and speedscope.
//!
//! The convoy: in each of 20 rounds the server waits 1 ms for I/O and 5 ms for the GIL, and computes for 0.1 ms; meanwhile the
//! cruncher computes for 6 ms and waits for the GIL for 0.1 ms. Pictures stay below `target/pages/`, to be looked at.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::tools;
use crate::page::webdriver::Browser;

/// A web server of one folder on this machine; the viewer of Perfetto does not start from a file. It ends with this value.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn of(folder: &Path) -> Server {
        let mut child = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("its first line");
        let mut words = line.split_whitespace().skip_while(|word| *word != "port").skip(1);
        let port = words.next().and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("a port in {line:?}"));
        Server { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The convoy in a format.
fn convoy(format: &str) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_gilsim"))
        .args(["run", "models/gil/convoy.yaml", "--quiet", "--format", format])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("our program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn picture(browser: &Browser, name: &str) -> u64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    fs::create_dir_all(&folder).expect("a folder");
    let picture = browser.picture();
    fs::write(folder.join(format!("{name}.png")), &picture).expect("written");
    picture.len() as u64
}

/// Opens a trace in Perfetto's viewer, and waits until its trace processor has read it.
fn open_in_perfetto(browser: &Browser, server: &Server, trace: &str) {
    let own = format!("http://127.0.0.1:{}", server.port);
    browser.go(&format!("{own}/index.html#!/?url={own}/{trace}"));
    let ready = browser.wait(
        "const since = Date.now();
         (function look() {
           const trace = window.app && !window.app.isLoadingTrace && window.app.trace;
           if (trace) done('read'); else if (Date.now() - since > 90000) done('not read'); else setTimeout(look, 100);
         })()",
    );
    assert_eq!(ready, "read", "{trace}");
}

/// What its trace processor answers; each row is one text, its columns apart by ` | `.
fn ask(browser: &Browser, columns: &[&str], rest: &str) -> Vec<String> {
    let row = columns.iter().map(|column| format!("ifnull({column}, '')")).collect::<Vec<_>>().join(" || ' | ' || ");
    let script = format!(
        "app.trace.engine.query({}).then((result) => {{
           const rows = [];
           for (const at = result.iter({{ row: 'str' }}); at.valid(); at.next()) rows.push(at.row);
           done(rows);
         }}, (error) => done([String(error)]))",
        json!(format!("select {row} as row {rest}"))
    );
    let rows = browser.wait(&script);
    rows.as_array().expect("rows").iter().map(|row| row.as_str().expect("a text").to_owned()).collect()
}

const STATES: [&str; 5] = [
    "main/cruncher | python | 20 | 120000000",
    "main/cruncher | wants-gil | 20 | 2000000",
    "main/server | io | 20 | 20000000",
    "main/server | python | 20 | 2000000",
    "main/server | wants-gil | 20 | 100000000",
];

/// Each of the server's 20 asks is answered by the cruncher's drop, and that by the server's take. The server drops 20 times
/// of its own accord before it waits for I/O, and once when it ends: then the cruncher takes the GIL for no time at all. Of
/// such a hold only the protobuf has a slice; in JSON the arrow ends at what the taker did at that instant, a drop.
const ARROWS: [(&str, &[&str]); 2] = [
    (
        "perfetto",
        &[
            "asks for the GIL | drops the GIL on request | 20",
            "drops the GIL on request | main/server | 20",
            "drops the GIL | main/cruncher | 21",
        ],
    ),
    (
        "chrome",
        &[
            "asks for the GIL | drops the GIL on request | 20",
            "drops the GIL on request | main/server | 20",
            "drops the GIL | drops the GIL | 1",
            "drops the GIL | main/cruncher | 20",
        ],
    ),
];

#[test]
fn perfetto_shows_the_lanes_and_the_arrows() {
    let Some(tools) = tools() else { return };
    let Some(browser) = Browser::start(1280, 800) else { return };
    let folder = tools.join("perfetto");
    let server = Server::of(&folder);
    for (format, arrows) in ARROWS {
        let trace = format!("convoy-{}.{format}", std::process::id());
        fs::write(folder.join(&trace), convoy(format)).expect("written");
        open_in_perfetto(&browser, &server, &trace);
        let wrong = ask(&browser, &["name", "value"], "from stats where severity = 'error' and value > 0");
        assert_eq!(wrong, [""; 0], "{format}: the trace processor complains");
        let of_threads = "from slice join thread_track on slice.track_id = thread_track.id join thread using (utid)
             where thread.name like 'main/%' and dur > 0 group by thread.name, slice.name order by 1";
        let states = ask(&browser, &["thread.name", "slice.name", "count(*)", "sum(dur)"], of_threads);
        assert_eq!(states, STATES, "{format}");
        let of_acts = "from flow join slice a on slice_out = a.id join slice b on slice_in = b.id
             where a.name like '%the GIL%' group by a.name, b.name order by 1";
        assert_eq!(ask(&browser, &["a.name", "b.name", "count(*)"], of_acts), *arrows, "{format}");
        let lanes = browser.wait(
            "const space = app.trace.currentWorkspace || app.trace.workspace;
             space.flatTracks.forEach((track) => track.expand());
             app.raf.scheduleFullRedraw();
             setTimeout(() => done(space.flatTracks.map((track) => track.name || track.title)), 1500)",
        );
        let lanes = lanes.to_string();
        for lane in ["main/server", "main/cruncher", "GIL of main", "core 0", "core 1", "threads that want a core"] {
            assert!(lanes.contains(lane), "{format}: {lane} in {lanes}");
        }
        picture(&browser, &format!("viewer-{format}"));
        fs::remove_file(folder.join(trace)).expect("it was there");
    }
}

#[test]
fn speedscope_shows_a_profile_for_each_thread() {
    let Some(tools) = tools() else { return };
    let Some(browser) = Browser::start(1280, 800) else { return };
    let profile: Value = serde_json::from_slice(&convoy("speedscope")).expect("JSON");
    // The way in which the program `speedscope` hands a file to the page: a script that the page is told to load.
    let script = tempfile::NamedTempFile::with_suffix(".js").expect("a scratch file");
    let text = json!(profile.to_string());
    fs::write(&script, format!("speedscope.loadFileFromBase64('convoy.json', btoa({text}))")).expect("written");
    let place = format!("#localProfilePath={}", script.path().display());
    browser.open_at(&tools.join("speedscope/index.html"), &place);
    let says = |words: &str| {
        let found = browser.wait(&format!(
            "const since = Date.now();
             (function look() {{
               if (document.body.innerText.includes({words:?})) done(true);
               else if (Date.now() - since > 30000) done(document.body.innerText); else setTimeout(look, 100);
             }})()"
        ));
        assert_eq!(found, true, "{words:?} is not shown");
    };
    says("main/server (1/2)");
    assert_eq!(browser.run("return document.title"), "convoy effect - speedscope");
    picture(&browser, "viewer-speedscope");
    browser.press(&["n"]);
    says("main/cruncher (2/2)");
}
