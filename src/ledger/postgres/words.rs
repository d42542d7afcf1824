//! Statements of readers in the words of PostgreSQL.
//!
//! Readers write SQL that every engine understands, with values as `?1`, `?2`, …; here they become
//! `$1`, `$2`, …, and what PostgreSQL reserves is quoted. The functions that statements call are
//! part of the schema.

use crate::ledger::query::columns::Stored;
use crate::ledger::query::dialect::Dialect;
use std::fmt::Write as _;

/// The names of tables and columns that are key words.
const RESERVED: [&str; 1] = ["user"];

/// PostgreSQL's.
pub(super) struct PostgresDialect;

impl Dialect for PostgresDialect {
    fn place(&self, sql: &mut String, number: usize) {
        // Writing to a text never fails.
        let _ = write!(sql, "?{number}");
    }

    fn path(&self, member: &str) -> String {
        member.to_owned()
    }

    /// Members are texts, but for those that are stored as 0 or 1.
    fn member_of(&self, sql: &mut String, document: &str, stored: Stored, number: usize) {
        let member = format!("(({document})::json ->> ?{number}::text)");
        let _ = match stored {
            Stored::Boolean => write!(
                sql,
                "(case {member} when 'true' then 1::bigint when '1' then 1 \
                 when 'false' then 0 when '0' then 0 end)"
            ),
            _ => sql.write_str(&member),
        };
    }
}

/// A statement as PostgreSQL takes it. What stands between quotes stays as it is.
pub(super) fn translated(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' => {
                rest.get(1..).and_then(|rest| rest.find('\'')).map_or(rest.len(), |end| end + 2)
            }
            _ if is_of_word(first) => rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (part, behind) = rest.split_at(end);
        match part {
            "?" => out.push('$'),
            word if RESERVED.contains(&word) => {
                out.extend(["\"", word, "\""]);
            }
            part => out.push_str(part),
        }
        rest = behind;
    }
    out
}

const fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_key_words_are_translated_and_texts_are_not() {
        let sql = "select user.id, user_id from user as u where kind = 'user?' and u.user = ?12";
        assert_eq!(
            translated(sql),
            "select \"user\".id, user_id from \"user\" as u where kind = 'user?' and \
             u.\"user\" = $12"
        );
        assert_eq!(translated("'it''s user' || ?1"), "'it''s user' || $1");
    }
}
