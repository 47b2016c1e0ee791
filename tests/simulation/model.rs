//! A model of leases, fencing tokens and wakes, small enough for all of its states to be looked at.
//!
//! One target is looked at by two replicas. Anything may happen in any order: commits, wakes that arrive late,
//! leases that lapse though their holder lives, holders that stop and go on with what they know, crashes,
//! and effects that reach the executor at any later time. What holds in each state, and what can still be
//! reached from each, is checked over all of them; and rules that are left out are missed.

use std::collections::{BTreeMap, VecDeque};

/// So many replicas.
const REPLICAS: usize = 2;
/// So many commits come, so many times a lease lapses, and so many crashes there are, at most.
const MOST: u8 = 2;
/// More than all states that there can be.
const MOST_STATES: usize = 4_000_000;

/// The rules of the game; the product has all of them.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// Record and executor refuse a token that is smaller than one they have seen.
    fences: bool,
    /// Settling compares the edition that was taken with the one that is there.
    compares: bool,
    /// A lease that has lapsed may be taken by another.
    takes_over: bool,
}

const ALL: Rules = Rules { fences: true, compares: true, takes_over: true };

/// What a replica knows while it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    token: u8,
    edition: u8,
    /// The commit that was fetched, when it was.
    seen: Option<u8>,
    recorded: bool,
}

/// The wake of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    edition: u8,
    /// Whether somebody has it, and whether the time of that is over.
    held: bool,
    lapsed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    head: u8,
    /// Wakes that are on their way.
    knocks: u8,
    entry: Option<Entry>,
    /// The token that was given out last.
    token: u8,
    looks: [Option<Look>; REPLICAS],
    /// Effects on their way, by their tokens.
    effects: Vec<u8>,
    /// The commit that is recorded, and the greatest token under which something was.
    recorded: u8,
    written: u8,
    /// The greatest token that the executor has seen.
    done: u8,
    /// Whether something was accepted under a smaller token after a greater one.
    overrun: bool,
    lapses: u8,
    crashes: u8,
}

impl State {
    fn beginning() -> Self {
        Self {
            head: 0,
            knocks: 0,
            entry: None,
            token: 0,
            looks: [None; REPLICAS],
            effects: Vec::new(),
            recorded: 0,
            written: 0,
            done: 0,
            overrun: false,
            lapses: 0,
            crashes: 0,
        }
    }

    /// Whether nothing is left to be done or under way.
    fn is_quiet(&self) -> bool {
        self.knocks == 0 && self.entry.is_none() && self.effects.is_empty() && self.looks.iter().all(Option::is_none)
    }

    /// The same state, changed.
    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        change(&mut next);
        next
    }

    /// Whether this token is the newest, and what is held under it is there.
    fn holds(&self, token: u8) -> bool {
        self.token == token && self.entry.is_some_and(|entry| entry.held)
    }

    /// All that can happen next.
    fn next(&self, rules: Rules) -> Vec<Self> {
        let mut next = Vec::new();
        if self.head < MOST {
            next.push(self.with(|it| {
                it.head += 1;
                it.knocks += 1;
            }));
        }
        if self.knocks > 0 {
            next.push(self.with(|it| {
                it.knocks -= 1;
                let entry = it.entry.get_or_insert(Entry { edition: 0, held: false, lapsed: false });
                entry.edition += 1;
            }));
        }
        if self.entry.is_some_and(|entry| entry.held && !entry.lapsed) && self.lapses < MOST {
            next.push(self.with(|it| {
                it.lapses += 1;
                it.entry.as_mut().unwrap().lapsed = true;
            }));
        }
        for (place, effect) in self.effects.iter().enumerate() {
            next.push(self.with(|it| {
                it.effects.remove(place);
                if *effect >= it.done || !rules.fences {
                    it.overrun |= *effect < it.done;
                    it.done = it.done.max(*effect);
                }
            }));
        }
        for (replica, look) in self.looks.iter().enumerate() {
            match look {
                None => next.extend(self.take(rules, replica)),
                Some(look) => next.extend(self.go_on(rules, replica, *look)),
            }
        }
        next
    }

    fn take(&self, rules: Rules, replica: usize) -> Option<Self> {
        let entry = self.entry?;
        if entry.held && !(entry.lapsed && rules.takes_over) {
            return None;
        }
        Some(self.with(|it| {
            it.token += 1;
            it.entry = Some(Entry { held: true, lapsed: false, ..entry });
            let look = Look { token: it.token, edition: entry.edition, seen: None, recorded: false };
            it.looks[replica] = Some(look);
        }))
    }

    fn go_on(&self, rules: Rules, replica: usize, look: Look) -> Vec<Self> {
        let mut next = Vec::new();
        // It is killed. Its lease lapses by itself, however often others have.
        if self.crashes < MOST {
            next.push(self.with(|it| {
                it.crashes += 1;
                it.looks[replica] = None;
                if it.holds(look.token) {
                    it.entry.as_mut().unwrap().lapsed = true;
                }
            }));
        }
        if self.holds(look.token) && self.entry.is_some_and(|entry| entry.lapsed) {
            next.push(self.with(|it| it.entry.as_mut().unwrap().lapsed = false));
        }
        match look {
            Look { seen: None, .. } => next.push(self.with(|it| {
                it.looks[replica] = Some(Look { seen: Some(it.head), ..look });
            })),
            Look { seen: Some(seen), recorded: false, .. } => {
                let accepted = self.holds(look.token) || !rules.fences;
                next.push(self.with(|it| {
                    if !accepted {
                        // It was fenced: it knows now that another has it.
                        it.looks[replica] = None;
                        return;
                    }
                    it.overrun |= look.token < it.written;
                    it.written = it.written.max(look.token);
                    it.recorded = seen;
                    it.effects.push(look.token);
                    it.effects.sort_unstable();
                    it.looks[replica] = Some(Look { recorded: true, ..look });
                }));
            }
            Look { recorded: true, .. } => next.push(self.with(|it| {
                it.looks[replica] = None;
                if !it.holds(look.token) {
                    return;
                }
                let entry = it.entry.unwrap();
                let is_answered = entry.edition == look.edition || !rules.compares;
                it.entry = (!is_answered).then_some(Entry { held: false, lapsed: false, ..entry });
            })),
        }
        next
    }
}

/// What is wrong somewhere.
#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    /// Something was accepted under a smaller token after a greater one.
    Overrun,
    /// All is quiet, and the last commit was never looked at.
    WakeLost,
    /// From here nothing ever becomes quiet again.
    Stuck,
}

/// Looks at all states; says how many there are, or what is wrong with one of them.
fn explore(rules: Rules) -> Result<usize, Wrong> {
    let mut known: BTreeMap<State, usize> = BTreeMap::from([(State::beginning(), 0)]);
    let mut before: Vec<Vec<usize>> = vec![Vec::new()];
    let (mut open, mut quiet) = (VecDeque::from([(State::beginning(), 0)]), Vec::new());
    while let Some((state, number)) = open.pop_front() {
        if state.overrun {
            return Err(Wrong::Overrun);
        }
        if state.is_quiet() {
            if state.recorded != state.head {
                return Err(Wrong::WakeLost);
            }
            quiet.push(number);
        }
        for next in state.next(rules) {
            let fresh = known.len();
            let to = *known.entry(next.clone()).or_insert(fresh);
            if to == fresh {
                assert!(fresh < MOST_STATES, "there is no end to it");
                before.push(Vec::new());
                open.push_back((next, to));
            }
            before[to].push(number);
        }
    }
    // Backwards from all that is quiet.
    let mut comes_to_rest = vec![false; before.len()];
    while let Some(number) = quiet.pop() {
        if !std::mem::replace(&mut comes_to_rest[number], true) {
            quiet.extend(before[number].iter().copied());
        }
    }
    if comes_to_rest.contains(&false) { Err(Wrong::Stuck) } else { Ok(before.len()) }
}

#[test]
fn with_all_rules_nothing_is_overrun_or_lost_and_all_comes_to_rest() {
    let states = explore(ALL).unwrap();
    println!("{states} states");
    assert!(states > 10_000, "{states} states are too few to tell anything");
}

#[test]
fn without_fencing_a_late_effect_is_accepted() {
    assert_eq!(explore(Rules { fences: false, ..ALL }), Err(Wrong::Overrun));
}

#[test]
fn without_comparing_editions_a_wake_is_lost() {
    assert_eq!(explore(Rules { compares: false, ..ALL }), Err(Wrong::WakeLost));
}

#[test]
fn without_takeover_a_crash_leaves_the_target_for_ever() {
    assert_eq!(explore(Rules { takes_over: false, ..ALL }), Err(Wrong::Stuck));
}
