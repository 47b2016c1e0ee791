//! The model as a process, for whoever wants to live the story by hand: with a daemon of one's own, a clone,
//! and a terminal. It does what it is told on its standard input, and ends with it.
//!
//! ```sh
//! cargo test --test it github::by_hand -- --ignored --nocapture
//! ```

use std::io::BufRead as _;
use std::path::Path;

use crate::support::github::{Hub, Merge, PullHandle, RepositoryHandle};

use super::team;

const HELP: &str = "app URL SECRET KEYFILE | clone LOGIN | pull BRANCH | merge N | comment N LOGIN TEXT… | comments N | \
                    press COMMIT LOGIN ACTION CHECK… | rerun COMMIT LOGIN CHECK… | show COMMIT | lose on|off | deliveries";

#[test]
#[ignore = "serves the model until its standard input ends"]
fn the_model_does_what_it_is_told() {
    let hub = Hub::start();
    let retail = team::retail(&hub);
    println!("url {}\nrepository {}\n{HELP}", hub.url(), retail.clone_url());
    let mut pulls: Vec<PullHandle<'_>> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let rest = |from: usize| words.get(from..).unwrap_or_default().join(" ");
        let pull = |number: &str| pulls.iter().find(|pull| pull.number.to_string() == number);
        match words.as_slice() {
            ["app", url, secret, key] => {
                let app = hub.app("Meshwright").hook(url, secret);
                std::fs::write(Path::new(key), app.private_key()).unwrap();
                app.install_on("acme");
                println!("app_id {}", app.id);
            }
            ["clone", login] => println!("{}", retail.clone_url_as(login)),
            ["pull", branch] => {
                let pull = retail.open_pull_request_from(retail, branch);
                println!("pull {}", pull.number);
                pulls.push(pull);
            }
            ["merge", number] if pull(number).is_some() => {
                println!("merged as {}", pull(number).unwrap().merge(Merge::Commit));
            }
            ["comment", number, login, ..] if pull(number).is_some() => {
                println!("comment {}", pull(number).unwrap().comment(login, &rest(3).replace("\\n", "\n")));
            }
            ["comments", number] if pull(number).is_some() => {
                for comment in pull(number).unwrap().comments() {
                    let reactions = pull(number).unwrap().reactions(comment.id);
                    println!("--- {} {reactions:?}\n{}", comment.author, comment.body);
                }
            }
            ["press" | "rerun", commit, login, ..] => press(retail, &words, commit, login, &rest),
            ["show", commit] => {
                for (context, (state, description)) in retail.shown(commit) {
                    println!("{context}: {state}: {description}");
                }
                for run in retail.check_runs().into_iter().filter(|run| run.sha == *commit) {
                    println!("check {}: {} {:?}: {:?}", run.name, run.status, run.conclusion, run.actions);
                    run.annotations.iter().for_each(|annotation| println!("  {annotation}"));
                }
            }
            ["lose", how] => hub.lose_deliveries(*how == "on"),
            ["deliveries"] => println!("{}", hub.deliveries().len()),
            _ => println!("{HELP}"),
        }
        println!(".");
    }
}

fn press(retail: RepositoryHandle<'_>, words: &[&str], commit: &str, login: &str, rest: &dyn Fn(usize) -> String) {
    let is_press = words.first() == Some(&"press");
    let Some(run) = retail.check_run(commit, &rest(if is_press { 4 } else { 3 })) else {
        return println!("there is no such check run");
    };
    match words.get(3) {
        Some(action) if is_press => retail.press(&run, action, login),
        _ => retail.rerun(&run, login),
    }
}
