//! What `gilsim help` promises.

use gilsim::model;

/// Everything that the format knows and that is refused with E110. Whoever makes one of them work takes its line away here,
/// and whoever forgets to say that something is missing is reminded.
const NOT_SIMULATED: [&str; 3] = ["pools", "submit, pools", "gather, pools"];

#[test]
fn the_table_of_what_is_not_simulated_yet() {
    let page = model::help_format();
    let (_, table) = page.split_once("NOT SIMULATED YET").expect("the table");
    let found: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(found, NOT_SIMULATED);
}
