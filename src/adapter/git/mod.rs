//! Git repositories: transport by the `git` program, objects by git2.
