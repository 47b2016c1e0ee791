//! Rego: loading, checking and evaluating policies. It runs in the worker process.
