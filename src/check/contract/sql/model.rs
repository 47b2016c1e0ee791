//! One edition of DDL: what stands in the database once all of its statements were run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlparser::ast::{
    AlterColumnOperation, AlterTableOperation, ColumnDef, ColumnOption, CreateTable, CreateView, Expr, Ident,
    ObjectName, ObjectType, RenameTableNameKind, Set, Spanned, Statement, TableConstraint, Use, Value as Literal,
};

use super::parse::stretch;
use super::{parse, query};
use crate::check::contract::joined;
use crate::check::contract::notes::text;
use crate::check::contract::parts::Parts;
use crate::domain::finding::Stretch;

/// Names are keys here: without quotes they are the same in upper and lower case.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub relations: BTreeMap<String, Relation>,
    /// Statements that are not about tables or views, as text, and where they stand.
    pub others: BTreeMap<String, Option<Stretch>>,
    /// What is set where a statement stands: the database, and the schema in it.
    database: Option<String>,
    schema: Option<String>,
}

/// A table or a view.
#[derive(Debug, Default, Clone)]
pub(super) struct Relation {
    pub is_view: bool,
    /// Its name as it is written.
    pub written: String,
    /// The database and the schema that were set before, where the name does not say them.
    pub set: Option<String>,
    pub columns: Vec<Column>,
    /// Whether all of its columns are known: a `*` may not be.
    pub is_listed: bool,
    /// Of a view: its query, without what is selected.
    pub query: Option<String>,
    /// `PRIMARY KEY (a, b)`, `UNIQUE (c)`.
    pub keys: BTreeSet<String>,
    /// Checks and foreign keys.
    pub checks: BTreeSet<String>,
    /// All else that the statement says.
    pub options: String,
    /// Where its name stands, and where keys and checks do.
    pub at: Option<Stretch>,
    pub constraints_at: BTreeMap<String, Stretch>,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Column {
    pub name: String,
    pub data_type: Option<String>,
    /// `None` where it cannot be told, as in views.
    pub nullable: Option<bool>,
    pub default: Option<String>,
    /// What else is said of it: how it is compared, who sees it, tags.
    pub options: BTreeSet<String>,
    /// Of a view: how it is computed.
    pub expression: Option<String>,
    /// Where its name stands.
    pub at: Option<Stretch>,
}

impl Model {
    pub(super) fn read(definition: &Value) -> Result<Self, String> {
        let text = text(definition)?;
        parse::on_a_deep_stack(|| Self::of(text)).and_then(|read| read)
    }

    fn of(text: &str) -> Result<Self, String> {
        let statements = parse::statements(text)?;
        let mut model = Self::default();
        for (statement, begin) in statements {
            model.run(statement, begin);
        }
        if model.relations.is_empty() && model.others.is_empty() {
            return Err("there is no table or view in it".to_owned());
        }
        Ok(model)
    }

    /// Where its parts stand.
    pub(super) fn parts(&self) -> Parts {
        let mut parts = Parts::default();
        for (name, relation) in &self.relations {
            parts.add(name.clone(), relation.at);
            for column in &relation.columns {
                parts.add(joined(name, &column.name), column.at);
            }
        }
        parts
    }

    fn run(&mut self, statement: Statement, begin: Option<Stretch>) {
        match statement {
            Statement::CreateTable(table) => self.create_table(table),
            Statement::CreateView(view) => self.create_view(&view),
            Statement::AlterTable(alter) => {
                let name = self.key(&alter.name);
                for operation in alter.operations {
                    if !self.alter(&name, &operation) {
                        self.others.insert(format!("ALTER TABLE {} {operation}", alter.name), begin);
                    }
                }
            }
            Statement::Drop { object_type: ObjectType::Table | ObjectType::View, names, .. } => {
                for name in names {
                    self.relations.remove(&self.key(&name));
                }
            }
            // Nobody on the other side relies on these.
            Statement::Comment { .. }
            | Statement::CreateSchema { .. }
            | Statement::CreateDatabase { .. }
            | Statement::StartTransaction { .. }
            | Statement::Commit { .. } => {}
            Statement::CreateIndex(index) if !index.unique => {}
            Statement::Use(to) => self.use_other(&to),
            Statement::Set(Set::SingleAssignment { variable, values, .. }) => {
                if matches!(object(&variable).as_str(), "search_path" | "schema" | "current_schema") {
                    self.schema = values.iter().map(named).find(|name| name != "$user");
                    self.schema.take_if(|name| name == "default");
                }
            }
            Statement::Set(_) => {}
            other => {
                self.others.insert(other.to_string(), begin);
            }
        }
    }

    /// A name with what was set before, where it does not say it itself.
    pub(super) fn key(&self, name: &ObjectName) -> String {
        let written = object(name);
        match self.set_for(name) {
            Some(set) => format!("{set}.{written}"),
            None => written,
        }
    }

    fn set_for(&self, name: &ObjectName) -> Option<String> {
        let database = self.database.as_deref().filter(|_| name.0.len() <= 2);
        let schema = self.schema.as_deref().filter(|_| name.0.len() == 1);
        let set: Vec<&str> = database.into_iter().chain(schema).collect();
        if set.is_empty() { None } else { Some(set.join(".")) }
    }

    fn use_other(&mut self, to: &Use) {
        match to {
            Use::Schema(name) => self.schema = Some(object(name)),
            Use::Catalog(name) | Use::Database(name) | Use::Object(name) => {
                (self.database, self.schema) = (Some(object(name)), None);
            }
            Use::Default => (self.database, self.schema) = (None, None),
            Use::Warehouse(_) | Use::Role(_) | Use::SecondaryRoles(_) => {}
        }
    }

    fn create_table(&mut self, mut table: CreateTable) {
        let key = self.key(&table.name);
        let mut relation = Relation {
            is_listed: true,
            written: object(&table.name),
            set: self.set_for(&table.name),
            at: stretch(table.name.span()),
            ..Relation::default()
        };
        for column in &table.columns {
            relation.add(column);
        }
        for constraint in &table.constraints {
            relation.constrain(constraint);
        }
        if let Some(query) = &table.query {
            let selected = query::selected(query, self);
            relation.is_listed = selected.is_listed;
            relation.query = Some(selected.rest);
            if relation.columns.is_empty() {
                relation.columns = selected.columns;
            }
        }
        if let Some(primary) = &table.primary_key {
            relation.keys.insert(format!("PRIMARY KEY {}", primary.to_string().to_lowercase()));
        }
        relation.primary_keys_are_not_null();
        // The rest of what the statement says.
        table.columns.clear();
        table.constraints.clear();
        (table.query, table.primary_key, table.comment) = (None, None, None);
        table.name = ObjectName(Vec::new());
        (table.or_replace, table.if_not_exists) = (false, false);
        relation.options = table.to_string();
        self.relations.insert(key, relation);
    }

    fn create_view(&mut self, view: &CreateView) {
        let selected = query::selected(&view.query, self);
        let mut columns = selected.columns;
        let mut is_listed = selected.is_listed;
        if !view.columns.is_empty() {
            if !is_listed || columns.len() != view.columns.len() {
                columns = vec![Column::default(); view.columns.len()];
            }
            is_listed = true;
            for (column, named) in columns.iter_mut().zip(&view.columns) {
                (column.name, column.at) = (ident(&named.name), stretch(named.name.span));
                if let Some(data_type) = &named.data_type {
                    column.data_type = Some(data_type.to_string());
                }
            }
        }
        let said = [(view.materialized, "MATERIALIZED"), (view.secure, "SECURE"), (view.temporary, "TEMPORARY")];
        let said: Vec<&str> = said.into_iter().filter(|(says, _)| *says).map(|(_, word)| word).collect();
        let options = said.join(" ");
        let relation = Relation {
            is_view: true,
            written: object(&view.name),
            set: self.set_for(&view.name),
            at: stretch(view.name.span()),
            columns,
            is_listed,
            query: Some(selected.rest),
            options,
            ..Relation::default()
        };
        self.relations.insert(self.key(&view.name), relation);
    }

    /// Whether the operation was understood.
    fn alter(&mut self, table: &str, operation: &AlterTableOperation) -> bool {
        if let AlterTableOperation::RenameTable { table_name } = operation {
            let (RenameTableNameKind::As(name) | RenameTableNameKind::To(name)) = table_name;
            let (key, written, set) = (self.key(name), object(name), self.set_for(name));
            let at = stretch(name.span());
            return match self.relations.remove(table) {
                Some(relation) => self.relations.insert(key, Relation { written, set, at, ..relation }).is_none(),
                None => false,
            };
        }
        let Some(relation) = self.relations.get_mut(table) else { return false };
        match operation {
            AlterTableOperation::AddColumn { column_def, column_position: None, .. } => relation.add(column_def),
            AlterTableOperation::AddConstraint { constraint, .. } => relation.constrain(constraint),
            AlterTableOperation::DropColumn { column_names, .. } => {
                let names: Vec<String> = column_names.iter().map(ident).collect();
                relation.columns.retain(|column| !names.contains(&column.name));
            }
            AlterTableOperation::RenameColumn { old_column_name, new_column_name } => {
                let Some(column) = relation.column(&ident(old_column_name)) else { return false };
                (column.name, column.at) = (ident(new_column_name), stretch(new_column_name.span));
            }
            AlterTableOperation::AlterColumn { column_name, op } => {
                let Some(column) = relation.column(&ident(column_name)) else { return false };
                column.at = stretch(column_name.span);
                match op {
                    AlterColumnOperation::SetNotNull => column.nullable = Some(false),
                    AlterColumnOperation::DropNotNull => column.nullable = Some(true),
                    AlterColumnOperation::SetDefault { value } => column.default = Some(value.to_string()),
                    AlterColumnOperation::DropDefault => column.default = None,
                    AlterColumnOperation::SetDataType { data_type, .. } => {
                        column.data_type = Some(data_type.to_string());
                    }
                    AlterColumnOperation::AddGenerated { .. } => return false,
                }
            }
            _ => return false,
        }
        relation.primary_keys_are_not_null();
        true
    }
}

impl Relation {
    fn column(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name == name)
    }

    fn add(&mut self, defined: &ColumnDef) {
        let written = defined.data_type.to_string();
        let is_serial = written.to_ascii_uppercase().ends_with("SERIAL");
        let mut column = Column {
            name: ident(&defined.name),
            data_type: Some(written).filter(|written| !written.is_empty()),
            nullable: Some(!is_serial),
            default: is_serial.then(|| "generated".to_owned()),
            options: BTreeSet::new(),
            expression: None,
            at: stretch(defined.name.span),
        };
        let at = column.at;
        for option in &defined.options {
            match &option.option {
                ColumnOption::Null => column.nullable = Some(true),
                ColumnOption::NotNull => column.nullable = Some(false),
                ColumnOption::PrimaryKey(_) => {
                    column.nullable = Some(false);
                    self.key(format!("PRIMARY KEY ({})", column.name), at);
                }
                ColumnOption::Unique(_) => {
                    self.key(format!("UNIQUE ({})", column.name), at);
                }
                ColumnOption::Check(check) => {
                    self.check(format!("CHECK ({})", check.expr), at);
                }
                ColumnOption::ForeignKey(foreign) => {
                    let to: Vec<String> = foreign.referred_columns.iter().map(ident).collect();
                    let table = object(&foreign.foreign_table);
                    let text = format!("FOREIGN KEY ({}) REFERENCES {table} ({})", column.name, to.join(", "));
                    self.check(text, at);
                }
                ColumnOption::Comment(_) | ColumnOption::Options(_) => {}
                ColumnOption::CharacterSet(_)
                | ColumnOption::Collation(_)
                | ColumnOption::OnConflict(_)
                | ColumnOption::Policy(_)
                | ColumnOption::Tags(_)
                | ColumnOption::Srid(_)
                | ColumnOption::Invisible => {
                    column.options.insert(option.option.to_string());
                }
                // The rest is about which value stands there when none is given.
                other => {
                    let text = other.to_string();
                    column.default = Some(column.default.map_or(text.clone(), |before| format!("{before} {text}")));
                }
            }
        }
        self.columns.push(column);
    }

    fn key(&mut self, text: String, at: Option<Stretch>) {
        self.constraints_at.extend(at.map(|at| (text.clone(), at)));
        self.keys.insert(text);
    }

    fn check(&mut self, text: String, at: Option<Stretch>) {
        self.constraints_at.extend(at.map(|at| (text.clone(), at)));
        self.checks.insert(text);
    }

    fn constrain(&mut self, constraint: &TableConstraint) {
        let at = stretch(constraint.span());
        let columns = |columns: &[sqlparser::ast::IndexColumn]| {
            let names = columns.iter().map(|column| match &column.column.expr {
                Expr::Identifier(name) => ident(name),
                other => other.to_string(),
            });
            names.collect::<Vec<_>>().join(", ")
        };
        match constraint {
            TableConstraint::PrimaryKey(key) => self.key(format!("PRIMARY KEY ({})", columns(&key.columns)), at),
            TableConstraint::Unique(key) => self.key(format!("UNIQUE ({})", columns(&key.columns)), at),
            TableConstraint::Check(check) => self.check(format!("CHECK ({})", check.expr), at),
            TableConstraint::ForeignKey(foreign) => {
                let list = |names: &[Ident]| names.iter().map(ident).collect::<Vec<_>>().join(", ");
                let (from, to) = (list(&foreign.columns), list(&foreign.referred_columns));
                let table = object(&foreign.foreign_table);
                self.check(format!("FOREIGN KEY ({from}) REFERENCES {table} ({to})"), at);
            }
            // Indexes cost or save time, and promise nothing.
            TableConstraint::Index(_) | TableConstraint::FulltextOrSpatial(_) => {}
            other => self.check(other.to_string(), at),
        }
    }

    fn primary_keys_are_not_null(&mut self) {
        let primary: Vec<String> = self
            .keys
            .iter()
            .filter_map(|key| key.strip_prefix("PRIMARY KEY (")?.strip_suffix(')'))
            .flat_map(|names| names.split(", ").map(str::to_owned))
            .collect();
        for column in self.columns.iter_mut().filter(|column| primary.contains(&column.name)) {
            column.nullable = Some(false);
        }
    }
}

/// A name as databases compare it: quoted as it is, else without regard to case. Quotes by backticks or
/// brackets keep no case.
pub(super) fn ident(name: &Ident) -> String {
    if name.quote_style == Some('"') { name.value.clone() } else { name.value.to_lowercase() }
}

/// The name that an expression is, with quotes or without.
fn named(value: &Expr) -> String {
    match value {
        Expr::Identifier(name) => ident(name),
        Expr::Value(value) => match &value.value {
            Literal::SingleQuotedString(text) | Literal::DoubleQuotedString(text) => text.clone(),
            other => other.to_string(),
        },
        other => other.to_string(),
    }
}

pub(super) fn object(name: &ObjectName) -> String {
    let parts = name.0.iter().map(|part| part.as_ident().map_or_else(|| part.to_string(), ident));
    parts.collect::<Vec<_>>().join(".")
}
