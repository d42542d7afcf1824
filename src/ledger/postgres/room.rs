//! Whether the server's disk has room for new rows.
//!
//! A row that is updated takes the place of one that was there before, and so shows nothing as long
//! as its page has room. What a sort writes to disk when it may use little memory needs new room
//! each time, on the disk of the database, leaves nothing behind, is no part of the log of writes,
//! and wants no rights. What must stay true: it fails where the table of refunds could not grow by
//! a few pages, and nowhere else.

use super::fault::PostgresError;
use super::link::Link;
use super::pending::Pending;
use super::purpose::Verb;

/// Holds until the transaction ends; a batch sorts a few rows at most.
const SORT_IN_LITTLE: &str = "select set_config('work_mem', '64kB', true), \
                              set_config('temp_tablespaces', '', true)";
/// Sorts a quarter of a megabyte, but where the server lets no sort write that much.
const NEED_ROOM: &str = "
    select max(length(line)) from (
        select number || repeat('x', 1000) as line
        from generate_series(1, case
            when pg_size_bytes(current_setting('temp_file_limit')) between 0 and 1048576 then 1
            else 256 end) as number
        order by line offset 0) as sorted
";

/// Has the batch fail if there is none.
pub(super) fn need(link: &mut Link) -> Result<(), PostgresError> {
    for (verb, text) in [(Verb::SortInLittle, SORT_IN_LITTLE), (Verb::NeedRoom, NEED_ROOM)] {
        let statement = link.prepare((verb, 0), |_| Ok(text.to_owned()))?;
        link.leave(Pending { statement, values: Vec::new(), table: "meta", rows: 1 })?;
    }
    Ok(())
}
