//! Runs the unit tests of policies, in a worker: a test can loop too.

use super::WorkerOptions;
use super::frame::{Kind, LoadedTests, frame_of};
use super::limits::LOADING;
use super::loading::{ReadPolicies, died_loading, load_error};
use super::worker::Worker;
use crate::check::policy::testing::{PolicyTest, PolicyTestOutcome, PolicyTestResult};
use crate::port::judge::PolicyLoadError;

/// Runs all `test_` rules of the policies, in the order of the files. A test over which the worker
/// dies is an error, and the others go on in a new one.
pub async fn run_policy_tests(options: &WorkerOptions) -> Result<Vec<PolicyTestResult>, PolicyLoadError> {
    let frame = ReadPolicies::read(options).await?.into_frame(Kind::Suite)?;
    let (first, tests) = start(options, &frame).await?;
    let mut worker = Some(first);
    let mut results = Vec::with_capacity(tests.len());
    for (position, test) in tests.iter().enumerate() {
        let mut current = match worker.take() {
            Some(worker) => worker,
            None => start(options, &frame).await?.0,
        };
        let question = frame_of(Kind::Test, &position).map_err(|error| PolicyLoadError(error.to_string()))?;
        match current.exchange::<Option<PolicyTestResult>>(Kind::Test, &question, options.timeout).await {
            Ok(result) => {
                results.push(
                    result.unwrap_or_else(|| test.ended(PolicyTestOutcome::Error, Some("it is gone".to_owned()))),
                );
                worker = Some(current);
            }
            Err(silence) => {
                let (death, _) = current.bury(silence).await;
                results.push(test.ended(PolicyTestOutcome::Error, Some(format!("the test {death}"))));
            }
        }
    }
    Ok(results)
}

async fn start(options: &WorkerOptions, frame: &[u8]) -> Result<(Worker, Vec<PolicyTest>), PolicyLoadError> {
    let mut worker = Worker::start(options).map_err(|death| died_loading(&death))?;
    match worker.exchange::<LoadedTests>(Kind::Suite, frame, LOADING).await {
        Ok(Ok(tests)) => Ok((worker, tests)),
        Ok(Err(problems)) => Err(load_error(&problems)),
        Err(silence) => Err(died_loading(&worker.bury(silence).await.0)),
    }
}
