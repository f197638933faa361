//! Template text to nodes.

use super::{Escape, Expression, Node, TemplateError};

/// How deeply `if`s may nest: the parser and the expander recurse once a level.
pub(super) const MAX_DEPTH: usize = 32;

/// One token: text between actions, or the inside of an action, trimmed.
enum Token<'t> {
    Text(&'t str),
    Action(&'t str),
}

/// Parses the whole of `text`.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, TemplateError> {
    let tokens = tokens(text)?;
    let mut position = 0;
    let (nodes, end) = block(&tokens, &mut position, 0)?;
    match end {
        Stop::Input => Ok(nodes),
        Stop::Else | Stop::End => Err(TemplateError::Unbalanced),
    }
}

/// What ended a run of nodes.
#[derive(PartialEq)]
enum Stop {
    Input,
    Else,
    End,
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, TemplateError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut trim_start = false;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, next) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
        let mut before = if trim_start { before.trim_start() } else { before };
        let mut inside = inside;
        if let Some(stripped) = inside
            .strip_prefix('-')
            .filter(|i| i.starts_with([' ', '\t', '\n']))
        {
            before = before.trim_end();
            inside = stripped;
        }
        trim_start = false;
        if let Some(stripped) = inside
            .strip_suffix('-')
            .filter(|i| i.ends_with([' ', '\t', '\n']))
        {
            trim_start = true;
            inside = stripped;
        }
        tokens.push(Token::Text(before));
        tokens.push(Token::Action(inside.trim()));
        rest = next;
    }
    tokens.push(Token::Text(if trim_start { rest.trim_start() } else { rest }));
    Ok(tokens)
}

fn block(
    tokens: &[Token<'_>],
    position: &mut usize,
    depth: usize,
) -> Result<(Vec<Node>, Stop), TemplateError> {
    if depth > MAX_DEPTH {
        return Err(TemplateError::TooDeep);
    }
    let mut nodes = Vec::new();
    while let Some(token) = tokens.get(*position) {
        *position += 1;
        match token {
            Token::Text("") => {}
            Token::Text(text) => nodes.push(Node::Text((*text).to_owned())),
            Token::Action("end") => return Ok((nodes, Stop::End)),
            Token::Action("else") => return Ok((nodes, Stop::Else)),
            Token::Action(comment) if comment.starts_with("/*") && comment.ends_with("*/") => {}
            Token::Action(action) => match action.strip_prefix("if ") {
                Some(condition) => {
                    let condition = expression(condition.trim())?;
                    let (then, end) = block(tokens, position, depth + 1)?;
                    let otherwise = match end {
                        Stop::End => Vec::new(),
                        Stop::Else => match block(tokens, position, depth + 1)? {
                            (nodes, Stop::End) => nodes,
                            _ => return Err(TemplateError::Unbalanced),
                        },
                        Stop::Input => return Err(TemplateError::Unbalanced),
                    };
                    nodes.push(Node::If {
                        condition,
                        then,
                        otherwise,
                    });
                }
                None => nodes.push(Node::Print(expression(action)?)),
            },
        }
    }
    Ok((nodes, Stop::Input))
}

/// `.A.B`, `index .A "b"`, each with `urlquery`/`html` before it or behind a `|`.
fn expression(text: &str) -> Result<Expression, TemplateError> {
    let unsupported = || TemplateError::Unsupported(text.to_owned());
    let (value, escape) = if let Some((value, function)) = text.rsplit_once('|') {
        (
            value.trim(),
            escape_named(function.trim()).ok_or_else(unsupported)?,
        )
    } else if let Some((function, value)) = text.split_once(' ')
        && let Some(escape) = escape_named(function)
    {
        (value.trim(), escape)
    } else {
        (text, Escape::None)
    };
    let path = match value.strip_prefix("index ") {
        Some(arguments) => {
            let (field, key) = arguments.trim().split_once(' ').ok_or_else(unsupported)?;
            let key = key.trim();
            let key = key
                .strip_prefix('"')
                .and_then(|k| k.strip_suffix('"'))
                .filter(|k| !k.contains(['"', '\\']))
                .or_else(|| key.strip_prefix('`').and_then(|k| k.strip_suffix('`')))
                .ok_or_else(unsupported)?;
            let mut path = field_path(field).ok_or_else(unsupported)?;
            path.push(key.to_owned());
            path
        }
        None => field_path(value).ok_or_else(unsupported)?,
    };
    Ok(Expression { escape, path })
}

fn escape_named(name: &str) -> Option<Escape> {
    match name {
        "urlquery" => Some(Escape::UrlQuery),
        "html" => Some(Escape::Html),
        _ => None,
    }
}

fn field_path(text: &str) -> Option<Vec<String>> {
    let names = text.strip_prefix('.')?;
    if names.is_empty() {
        return Some(Vec::new());
    }
    names
        .split('.')
        .map(|name| {
            let fine = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            fine.then(|| name.to_owned())
        })
        .collect()
}
