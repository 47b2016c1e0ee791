//! `${stage.results.task.path}`: how results of earlier tasks reach later ones.
