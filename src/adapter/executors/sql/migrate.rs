//! What has to be done so that what exists becomes what is wanted. Pure: no database here.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::Digest;

use super::super::names::limited;
use super::definition::{Column, TableSpec, ViewSpec};
use super::types::ColumnType;

/// What the names of our unique indexes begin with; others are not ours.
pub(super) const UNIQUE_PREFIX: &str = "mw_uq_";

/// A column, as the database tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExistingColumn {
    pub(super) name: String,
    /// As the database names it.
    pub(super) declared: String,
    /// `None` for a type that no descriptor can name.
    pub(super) kind: Option<ColumnType>,
    pub(super) not_null: bool,
}

/// A table, as the database tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ExistingTable {
    pub(super) columns: Vec<ExistingColumn>,
    pub(super) primary_key: Vec<String>,
    /// The names of our unique indexes.
    pub(super) uniques: BTreeSet<String>,
    pub(super) empty: bool,
}

/// What the book of a schema says of a table or view that Meshwright made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    /// The output port that wanted it.
    pub(super) port: String,
    /// Of a view, the digest of its query.
    pub(super) digest: String,
}

/// A schema, as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Existing {
    pub(super) tables: BTreeMap<String, ExistingTable>,
    pub(super) views: BTreeSet<String>,
    /// What the book says, by name.
    pub(super) recorded: BTreeMap<String, Recorded>,
}

/// A schema, as it is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) tables: Vec<TableSpec>,
    pub(super) views: Vec<ViewSpec>,
    /// Ports that the task leaves alone, with all that is theirs.
    pub(super) left_alone: BTreeSet<String>,
}

/// A change of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColumnChange {
    Add(Column),
    /// To a type that holds all values, or, when `lossy`, to another one because it was told so.
    Retype {
        column: Column,
        lossy: bool,
    },
    SetNotNull(String),
    DropNotNull(String),
    Drop(String),
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    DropView(String),
    DropTable(String),
    CreateTable(TableSpec),
    /// `kept` are the columns that are there before and after.
    AlterTable {
        table: TableSpec,
        kept: Vec<String>,
        changes: Vec<ColumnChange>,
    },
    DropUnique(String),
    AddUnique {
        table: String,
        index: String,
        columns: Vec<String>,
    },
    CreateView(ViewSpec),
}

/// The steps, and what they mean to people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Migration {
    pub(super) steps: Vec<Step>,
    /// Tables and views that were not there.
    pub(super) created: Vec<String>,
    /// Tables and views that were, and are changed or dropped: 'daily_sales: column x added'.
    pub(super) changed: Vec<String>,
}

/// The digest of a view's query, as the book has it.
pub(super) fn view_digest(view: &ViewSpec) -> String {
    Digest::of(view.query.as_bytes()).as_str().to_owned()
}

/// The name of the index that makes these columns unique.
pub(super) fn unique_name(table: &str, columns: &[String]) -> String {
    limited(&format!("{UNIQUE_PREFIX}{table}_{}", columns.join("_")))
}

/// Works out the steps. What would lose data is refused with a sentence for each case, unless
/// `allow_destructive`.
pub(super) fn plan(existing: &Existing, wanted: &Wanted, allow_destructive: bool) -> Result<Migration, Vec<String>> {
    let mut planner = Planner { allow_destructive, refusals: Vec::new(), migration: Migration::default() };
    let mut table_steps = Vec::new();
    for table in &wanted.tables {
        if existing.views.contains(&table.name) {
            planner.migration.steps.push(Step::DropView(table.name.clone()));
        }
        match existing.tables.get(&table.name) {
            Some(there) => planner.alter(table, there, &mut table_steps),
            None => planner.create(table, &mut table_steps),
        }
    }
    planner.remove_what_is_gone(existing, wanted, &mut table_steps);
    // A view stands in the way when a column that it may read is changed in place.
    let in_the_way = table_steps.iter().any(|step| match step {
        Step::AlterTable { changes, .. } => !changes.iter().all(|change| matches!(change, ColumnChange::Add(_))),
        Step::DropTable(_) => true,
        _ => false,
    });
    let stays = |view: &ViewSpec| {
        let recorded = existing.recorded.get(&view.name);
        existing.views.contains(&view.name) && recorded.is_some_and(|book| book.digest == view_digest(view))
    };
    // A view may read another one, so all of them go and come, or none.
    let replace_all = in_the_way || wanted.views.iter().any(|view| existing.views.contains(&view.name) && !stays(view));
    let mut view_steps = Vec::new();
    for view in &wanted.views {
        if existing.tables.contains_key(&view.name) {
            if allow_destructive {
                table_steps.insert(0, Step::DropTable(view.name.clone()));
            } else {
                planner.refuse(format!("'{}' is a table with rows and would become a view", view.name));
            }
        }
        let there = existing.views.contains(&view.name);
        if there && replace_all {
            planner.migration.steps.push(Step::DropView(view.name.clone()));
        }
        if !there {
            planner.migration.created.push(view.name.clone());
        } else if !stays(view) {
            planner.migration.changed.push(format!("{}: view replaced", view.name));
        }
        if !there || replace_all {
            view_steps.push(Step::CreateView(view.clone()));
        }
    }
    if !planner.refusals.is_empty() {
        return Err(planner.refusals);
    }
    // Views that read others are dropped before them.
    planner.migration.steps.reverse();
    planner.migration.steps.extend(table_steps);
    planner.migration.steps.extend(view_steps);
    Ok(planner.migration)
}

struct Planner {
    allow_destructive: bool,
    refusals: Vec<String>,
    migration: Migration,
}

impl Planner {
    fn refuse(&mut self, what: String) {
        self.refusals.push(what);
    }

    fn create(&mut self, table: &TableSpec, steps: &mut Vec<Step>) {
        self.migration.created.push(table.name.clone());
        steps.push(Step::CreateTable(table.clone()));
        for columns in &table.uniques {
            let index = unique_name(&table.name, columns);
            steps.push(Step::AddUnique { table: table.name.clone(), index, columns: columns.clone() });
        }
    }

    fn alter(&mut self, table: &TableSpec, there: &ExistingTable, steps: &mut Vec<Step>) {
        if table.primary_key != there.primary_key {
            self.refuse(format!(
                "'{}': its primary key is ({}) and would become ({}); a primary key is never changed in place",
                table.name,
                there.primary_key.join(", "),
                table.primary_key.join(", ")
            ));
        }
        let (mut changes, mut kept, mut words) = (Vec::new(), Vec::new(), Vec::new());
        for column in &table.columns {
            match there.columns.iter().find(|other| other.name == column.name) {
                None => self.add(table, there, column, &mut changes, &mut words),
                Some(other) => {
                    kept.push(column.name.clone());
                    self.change(table, there, column, other, &mut changes, &mut words);
                }
            }
        }
        for other in there.columns.iter().filter(|other| !table.columns.iter().any(|column| column.name == other.name))
        {
            if self.allow_destructive {
                changes.push(ColumnChange::Drop(other.name.clone()));
                words.push(format!("column {} dropped", other.name));
            } else {
                self.refuse(format!("'{}': its column '{}' would be dropped", table.name, other.name));
            }
        }
        if !changes.is_empty() {
            steps.push(Step::AlterTable { table: table.clone(), kept, changes });
        }
        let wanted: BTreeMap<String, &Vec<String>> =
            table.uniques.iter().map(|columns| (unique_name(&table.name, columns), columns)).collect();
        for index in there.uniques.iter().filter(|index| !wanted.contains_key(*index)) {
            steps.push(Step::DropUnique(index.clone()));
            words.push("a uniqueness dropped".to_owned());
        }
        for (index, columns) in wanted.into_iter().filter(|(index, _)| !there.uniques.contains(index)) {
            words.push(format!("({}) made unique", columns.join(", ")));
            steps.push(Step::AddUnique { table: table.name.clone(), index, columns: columns.clone() });
        }
        if !words.is_empty() {
            self.migration.changed.push(format!("{}: {}", table.name, words.join(", ")));
        }
    }

    fn add(
        &mut self,
        table: &TableSpec,
        there: &ExistingTable,
        column: &Column,
        changes: &mut Vec<ColumnChange>,
        words: &mut Vec<String>,
    ) {
        if column.not_null && !there.empty {
            self.refuse(format!(
                "'{}': the new column '{}' is NOT NULL, and the table has rows without it; add it without the constraint",
                table.name, column.name
            ));
        }
        changes.push(ColumnChange::Add(column.clone()));
        words.push(format!("column {} added", column.name));
    }

    fn change(
        &mut self,
        table: &TableSpec,
        there: &ExistingTable,
        column: &Column,
        other: &ExistingColumn,
        changes: &mut Vec<ColumnChange>,
        words: &mut Vec<String>,
    ) {
        if other.kind != Some(column.kind) {
            let wider = other.kind.is_some_and(|kind| kind.widens_to(column.kind));
            if wider || self.allow_destructive {
                changes.push(ColumnChange::Retype { column: column.clone(), lossy: !wider });
                words.push(format!("column {} {}", column.name, if wider { "widened" } else { "changed" }));
            } else {
                let wanted = column.kind.ddl(super::dialect::Dialect::Postgres);
                self.refuse(format!(
                    "'{}': its column '{}' is {} and would become {wanted}, which does not hold all its values",
                    table.name, column.name, other.declared
                ));
            }
        }
        match (other.not_null, column.not_null) {
            (false, true) if there.empty || self.allow_destructive => {
                changes.push(ColumnChange::SetNotNull(column.name.clone()));
                words.push(format!("column {} made NOT NULL", column.name));
            }
            (false, true) => self.refuse(format!(
                "'{}': its column '{}' would become NOT NULL, and the table has rows",
                table.name, column.name
            )),
            (true, false) => {
                changes.push(ColumnChange::DropNotNull(column.name.clone()));
                words.push(format!("column {} made nullable", column.name));
            }
            (true, true) | (false, false) => {}
        }
    }

    /// What Meshwright made for a port and nobody wants any more. What it did not make stays.
    fn remove_what_is_gone(&mut self, existing: &Existing, wanted: &Wanted, steps: &mut Vec<Step>) {
        for (name, book) in &existing.recorded {
            let is_wanted = wanted.tables.iter().any(|table| table.name == *name)
                || wanted.views.iter().any(|view| view.name == *name);
            if is_wanted || wanted.left_alone.contains(&book.port) {
                continue;
            }
            if existing.views.contains(name) {
                self.migration.steps.push(Step::DropView(name.clone()));
                self.migration.changed.push(format!("{name}: view dropped"));
            } else if existing.tables.contains_key(name) {
                if self.allow_destructive {
                    steps.push(Step::DropTable(name.clone()));
                    self.migration.changed.push(format!("{name}: table dropped"));
                } else {
                    self.refuse(format!("the table '{name}' would be dropped"));
                }
            }
        }
    }
}
