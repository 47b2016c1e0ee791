//! Processes that left their group. They are found by an environment variable that they inherited.
//!
//! Only Linux can be asked for another process's environment; elsewhere nothing is found.

/// The variable that names the run.
#[cfg(target_os = "linux")]
const VARIABLE: &str = "MESHWRIGHT_RUN";

/// Kills all processes that carry the run's name, however far they have gone; answers how many.
#[cfg(target_os = "linux")]
pub(super) fn kill(run: &str) -> usize {
    // A process may fork between our look and our kill, so we look until there is nothing to be
    // seen. One that forks faster than that is for the platform's cgroup.
    let mut killed = 0;
    for _ in 0..10 {
        let found = kill_once(run);
        if found == 0 {
            break;
        }
        killed += found;
    }
    killed
}

#[cfg(target_os = "linux")]
fn kill_once(run: &str) -> usize {
    use rustix::process::{PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

    let wanted = format!("{VARIABLE}={run}");
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let mut killed = 0;
    for id in ids {
        let Some(pid) = rustix::process::Pid::from_raw(id) else { continue };
        if pid == getpid() {
            continue;
        }
        // The descriptor is taken first: when the process ends and its number is given to another
        // one, either the environment is the other's and does not match, or the kill finds nobody.
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
        let Ok(environment) = read_environment(id) else { continue };
        let carries = environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes());
        if carries && pidfd_send_signal(&process, Signal::KILL).is_ok() {
            killed += 1;
        }
    }
    killed
}

/// A zombie's environment is empty, so what is dead is not found again.
#[cfg(target_os = "linux")]
fn read_environment(id: i32) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::OpenOptions::new().read(true).open(format!("/proc/{id}/environ"))?;
    file.take(4 * 1024 * 1024).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn kill(_run: &str) -> usize {
    0
}
