//! From text to statements, in whichever dialect reads it.

use sqlparser::ast::Statement;
use sqlparser::dialect::{
    BigQueryDialect, ClickHouseDialect, DatabricksDialect, Dialect, DuckDbDialect, GenericDialect, HiveDialect,
    MsSqlDialect, MySqlDialect, OracleDialect, PostgreSqlDialect, RedshiftSqlDialect, SQLiteDialect, SnowflakeDialect,
    SparkSqlDialect,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, Tokenizer};

use crate::domain::finding::Stretch;

/// Tokens of one definition, spaces left aside. A table of a thousand columns has some ten thousand.
const MOST_TOKENS: usize = 50_000;
/// Operators of one statement. A chain of them is a tree as deep as it is long.
const MOST_OPERATORS: usize = 1_000;
/// Bytes of stack for one reading. A chain of operators as long as is allowed takes a fifth of it where
/// nothing is optimised, to be copied, printed and dropped; only what is touched is ever taken.
const STACK: usize = 64 * 1024 * 1024;
/// Parentheses, and what else the parser goes into.
const DEEPEST: usize = 40;

/// Runs what goes down syntax trees where there is room for it.
pub(super) fn on_a_deep_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("sql".to_owned()).stack_size(STACK).spawn_scoped(scope, run);
        let thread = thread.map_err(|error| format!("no thread could be started for it: {error}"))?;
        thread.join().map_err(|_| "its parser failed".to_owned())
    })
}

/// The statements, each with the place of its first word.
pub(super) fn statements(text: &str) -> Result<Vec<(Statement, Option<Stretch>)>, String> {
    let dialects: [&dyn Dialect; 15] = [
        &GenericDialect {},
        &PostgreSqlDialect {},
        &SnowflakeDialect {},
        &BigQueryDialect {},
        &DatabricksDialect {},
        &SparkSqlDialect {},
        &MySqlDialect {},
        &RedshiftSqlDialect {},
        &MsSqlDialect {},
        &DuckDbDialect {},
        &HiveDialect {},
        &ClickHouseDialect {},
        &SQLiteDialect {},
        &OracleDialect {},
        &sqlparser::dialect::AnsiDialect {},
    ];
    // The dialect that got furthest tells best what is wrong.
    let mut furthest: Option<((u64, u64), String)> = None;
    for dialect in dialects {
        let message = match read(dialect, text) {
            Ok(statements) => return Ok(statements),
            Err(Refusal::TooLarge(why)) => return Err(why),
            Err(Refusal::Syntax(message)) => message,
        };
        let place = place(&message);
        if furthest.as_ref().is_none_or(|(before, _)| *before < place) {
            furthest = Some((place, message));
        }
    }
    let ((line, column), message) = furthest.unwrap_or_default();
    let message = message.split(" at Line: ").next().unwrap_or_default();
    Err(if line == 0 { message.to_owned() } else { format!("line {line}, column {column}: {message}") })
}

enum Refusal {
    TooLarge(String),
    Syntax(String),
}

fn read(dialect: &dyn Dialect, text: &str) -> Result<Vec<(Statement, Option<Stretch>)>, Refusal> {
    let tokens = Tokenizer::new(dialect, text)
        .tokenize_with_location()
        .map_err(|error| Refusal::Syntax(ParserError::from(error).to_string()))?;
    let mut count = 0_usize;
    let mut operators = 0_usize;
    for token in &tokens {
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::SemiColon => operators = 0,
            Token::Comma | Token::LParen | Token::RParen | Token::Period | Token::Number(..) => {}
            Token::Word(word) => {
                let chains = [
                    Keyword::AND,
                    Keyword::OR,
                    Keyword::UNION,
                    Keyword::EXCEPT,
                    Keyword::INTERSECT,
                    Keyword::IS,
                    Keyword::IN,
                    Keyword::BETWEEN,
                    Keyword::LIKE,
                    Keyword::AT,
                    Keyword::COLLATE,
                    Keyword::DIV,
                ];
                operators += usize::from(chains.contains(&word.keyword));
            }
            Token::SingleQuotedString(_) => {}
            _ => operators += 1,
        }
        count += 1;
        if count > MOST_TOKENS || operators > MOST_OPERATORS {
            return Err(Refusal::TooLarge("it is too large to be compared".to_owned()));
        }
    }
    let mut parser = Parser::new(dialect).with_recursion_limit(DEEPEST).with_tokens_with_locations(tokens);
    all(&mut parser).map_err(|error| match error {
        ParserError::RecursionLimitExceeded => Refusal::TooLarge("it is nested too deeply".to_owned()),
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => Refusal::Syntax(message),
    })
}

/// Statement by statement, because the parser does not keep where one begins.
fn all(parser: &mut Parser<'_>) -> Result<Vec<(Statement, Option<Stretch>)>, ParserError> {
    let mut statements = Vec::new();
    loop {
        let mut is_separated = statements.is_empty();
        while parser.consume_token(&Token::SemiColon) {
            is_separated = true;
        }
        if parser.peek_token_ref().token == Token::EOF {
            return Ok(statements);
        }
        if !is_separated {
            return parser.expected_ref("end of statement", parser.peek_token_ref());
        }
        let begin = stretch(parser.peek_token_ref().span);
        statements.push((parser.parse_statement()?, begin));
    }
}

/// Where something stands, if the parser kept it.
pub(super) fn stretch(span: Span) -> Option<Stretch> {
    let number = |number: u64| u32::try_from(number).ok().filter(|number| *number > 0);
    let (line, column) = (number(span.start.line)?, number(span.start.column)?);
    let ends_here = span.end.line == span.start.line;
    let length = if ends_here { span.end.column.saturating_sub(span.start.column) } else { 0 };
    Some(Stretch { line, column, length: u32::try_from(length).unwrap_or(0) })
}

/// Line and column at the end of the parser's message.
fn place(message: &str) -> (u64, u64) {
    let placed = message.rsplit_once(" at Line: ").and_then(|(_, place)| place.split_once(", Column: "));
    placed.and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?))).unwrap_or((0, 0))
}
