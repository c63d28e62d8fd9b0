//! `gilsim help TOPIC`.

use clap::CommandFactory;

use crate::cli::Exit;
use crate::cli::args::Cli;
use crate::cli::output::{Failure, Screen};
use crate::{model, render};

/// The topics, with the line that the list of topics shows.
const TOPICS: [(&str, &str); 6] = [
    ("format", "the fields of a model file, and what is not simulated yet"),
    ("steps", "the steps of a program"),
    ("states", "the states of a thread and the reasons for changing them"),
    ("metrics", "the metrics of a run, for expectations"),
    ("policies", "the scheduling policies"),
    ("errors", "the error codes"),
];

/// Prints a topic, the help of a command, or the list of both.
pub fn help(topic: Option<&str>, screen: &Screen) -> Result<Exit, Failure> {
    let text = match topic {
        None => overview(),
        Some("format") => model::help_format(),
        Some("steps") => model::help_steps(),
        Some("states") => page(|text| render::states_help(text, screen.style(false, true))),
        Some("metrics") => page(|text| render::metrics_help(text, screen.style(false, true))),
        Some("policies") => page(|text| render::policies_help(text, screen.style(false, true))),
        Some("errors") => model::help_errors(),
        Some(command) => command_help(command)?,
    };
    screen.print(&text)?;
    Ok(Exit::Holds)
}

fn page(write: impl FnOnce(&mut String) -> std::fmt::Result) -> String {
    let mut text = String::new();
    write(&mut text).expect("a string takes everything");
    text
}

fn overview() -> String {
    let mut text = Cli::command().render_long_help().to_string();
    text.push_str("\nTopics of gilsim help:\n");
    for (topic, line) in TOPICS {
        text.push_str(&format!("  {topic:<10}  {line}\n"));
    }
    text
}

fn command_help(name: &str) -> Result<String, Failure> {
    let mut cli = Cli::command();
    let Some(command) = cli.find_subcommand_mut(name) else {
        let topics: Vec<&str> = TOPICS.iter().map(|(topic, _)| *topic).collect();
        return Err(Failure::usage(format!("no topic or command {name:?}; topics are {}", topics.join(", "))));
    };
    Ok(command.clone().bin_name(format!("gilsim {name}")).render_long_help().to_string())
}
