//! What a query selects: the columns of a view.

use sqlparser::ast::{
    Expr, ObjectName, Query, Select, SelectItem, SetExpr, Spanned, TableFactor, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::Span;

use super::model::{Column, Model, ident};
use super::parse::stretch;

/// The columns of a query, and the rest of it.
#[derive(Debug)]
pub(super) struct Selected {
    pub columns: Vec<Column>,
    pub is_listed: bool,
    /// The query as text, without what it selects.
    pub rest: String,
}

pub(super) fn selected(query: &Query, known: &Model) -> Selected {
    let mut listed = Selected { columns: Vec::new(), is_listed: true, rest: String::new() };
    match &*query.body {
        SetExpr::Select(select) => {
            items(select, known, &mut listed);
            let mut rest = query.clone();
            if let SetExpr::Select(select) = &mut *rest.body {
                select.projection.clear();
            }
            listed.rest = rest.to_string();
        }
        other => {
            // The first part of a UNION names the columns; all of its text counts.
            let mut first = other;
            loop {
                first = match first {
                    SetExpr::SetOperation { left, .. } => left,
                    SetExpr::Query(inner) => &inner.body,
                    _ => break,
                };
            }
            match first {
                SetExpr::Select(select) => items(select, known, &mut listed),
                _ => listed.is_listed = false,
            }
            for column in &mut listed.columns {
                (column.expression, column.data_type) = (None, None);
            }
            listed.rest = query.to_string();
        }
    }
    listed
}

fn items(select: &Select, known: &Model, listed: &mut Selected) {
    for item in &select.projection {
        match item {
            SelectItem::UnnamedExpr(expression) => {
                let name = match expression {
                    Expr::Identifier(name) => ident(name),
                    Expr::CompoundIdentifier(parts) => parts.last().map(ident).unwrap_or_default(),
                    other => other.to_string(),
                };
                listed.columns.push(column(name, expression, expression.span()));
            }
            SelectItem::ExprWithAlias { expr, alias } => listed.columns.push(column(ident(alias), expr, alias.span)),
            SelectItem::Wildcard(options) if *options == WildcardAdditionalOptions::default() => {
                match only_source(select)
                    .and_then(|name| known.relations.get(&known.key(name)))
                    .filter(|from| from.is_listed)
                {
                    Some(from) => listed.columns.extend(from.columns.iter().cloned()),
                    None => listed.is_listed = false,
                }
            }
            _ => listed.is_listed = false,
        }
    }
}

fn column(name: String, expression: &Expr, at: Span) -> Column {
    let data_type = match expression {
        Expr::Cast { data_type, .. } => Some(data_type.to_string()),
        _ => None,
    };
    Column { name, data_type, expression: Some(expression.to_string()), at: stretch(at), ..Column::default() }
}

/// The one table from which a query reads.
fn only_source(select: &Select) -> Option<&ObjectName> {
    match select.from.as_slice() {
        [only] if only.joins.is_empty() => match &only.relation {
            TableFactor::Table { name, .. } => Some(name),
            _ => None,
        },
        _ => None,
    }
}
