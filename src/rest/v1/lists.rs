//! Lists of the v1 operations: pages, filters and order, from the query of the request.
//!
//! Source: "List refunds". The signs of sort are the other way round from what is usual: `+`, and
//! none, is descending, `-` is ascending.

use crate::domain::calendar::Moment;
use crate::domain::id::ObjectId;
use crate::domain::money::parse_decimal;
use crate::domain::percent::encoded;
use crate::domain::text::Text;
use crate::domain::toml_text::{slip, suggest};
use crate::domain::vocabulary::{MethodType, RefundStatus, RefundType};
use crate::ledger::views::{ListObjects, ListRefunds, RefundFilter, RefundSort};
use crate::rest::query::{Parameters, unknown};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

/// How many rows a page has where nothing is said, and at most.
const PAGE_ROWS: u32 = 20;
const PAGE_ROWS_MAX: u32 = 40;
/// The most fields by which a list is put in order.
const SORT_FIELDS_MAX: usize = 2;
/// The word for no value.
const NULL: &str = "null";

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rest) struct Paging {
    pub(in crate::rest) page: u32,
    pub(in crate::rest) page_size: u32,
}

/// The page that `page` and `pageSize` name; a larger page is one of 40.
///
/// # Errors
/// A sentence that names the parameter.
pub(in crate::rest) fn paging(query: &Parameters) -> Result<Paging, Text> {
    let number = |name: &'static str| match query.get(name) {
        None => Ok(None),
        Some(text) => {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse::<u32>().ok().filter(|number| is_number && *number > 0);
            number.map(Some).ok_or_else(|| {
                Text::new("<name> must be a whole number above 0.", [("name", name)])
            })
        }
    };
    let (page, page_size) = (number("page")?, number("pageSize")?);
    if page.is_some() && page_size.is_none() {
        return Err(Text::new("page can only be used together with pageSize.", []));
    }
    let page_size = page_size.unwrap_or(PAGE_ROWS).min(PAGE_ROWS_MAX);
    Ok(Paging { page: page.unwrap_or(1), page_size })
}

/// Where the next page is: the same request with another page.
pub(in crate::rest) fn next_page(
    base_url: &str,
    path: &str,
    query: &Parameters,
    paging: Paging,
) -> String {
    let is_paging = |name: &str| matches!(name, "page" | "pageSize");
    let kept = query.all().filter(|(name, _)| !is_paging(name));
    let kept: String =
        kept.map(|(name, value)| format!("&{}={}", encoded(name), encoded(value))).collect();
    let (page, size) = (paging.page.saturating_add(1), paging.page_size);
    format!("{base_url}{path}?page={page}&pageSize={size}{kept}")
}

/// Which refunds are asked for.
///
/// # Errors
/// A sentence that names the parameter.
pub(in crate::rest) fn refunds(query: &Parameters, zone: Tz) -> Result<ListRefunds, Text> {
    let Paging { page, page_size } = paging(query)?;
    let mut filters = Vec::new();
    for (name, value) in query.all() {
        if let Some(filter) = filter(name, value, zone)? {
            filters.push(filter);
        }
    }
    Ok(ListRefunds { filters, sort: sort(query.get("sort").unwrap_or_default())?, page, page_size })
}

/// The parameters of a list of refunds.
const PARAMETERS: [&str; 15] = [
    "page",
    "pageSize",
    "sort",
    "accountId",
    "amount",
    "createdById",
    "createdDate",
    "methodType",
    "number",
    "paymentId",
    "refundDate",
    "status",
    "type",
    "updatedById",
    "updatedDate",
];

fn filter(name: &str, value: &str, zone: Tz) -> Result<Option<RefundFilter>, Text> {
    let text = || (value != NULL).then(|| value.to_owned());
    let one_of = |names: &[&str]| match value == NULL || names.contains(&value) {
        true => Ok(text()),
        false => Err(no_value(name, value, suggest(value, names.iter().copied()))),
    };
    let wrong = || no_value(name, value, None);
    Ok(Some(match name {
        "page" | "pageSize" | "sort" => return Ok(None),
        "accountId" => RefundFilter::AccountId(text()),
        "amount" => RefundFilter::Amount(parse_decimal(value).ok_or_else(wrong)?),
        "createdById" => RefundFilter::CreatedById(text()),
        "createdDate" => RefundFilter::CreatedDate(moment(value, zone).ok_or_else(wrong)?),
        "methodType" => RefundFilter::MethodType(one_of(MethodType::NAMES)?),
        "number" => RefundFilter::Number(text()),
        "paymentId" => RefundFilter::PaymentId(text()),
        "refundDate" => RefundFilter::RefundDate(day(value).ok_or_else(wrong)?),
        "status" => RefundFilter::Status(one_of(RefundStatus::NAMES)?),
        "type" => RefundFilter::Type(one_of(RefundType::NAMES)?),
        "updatedById" => RefundFilter::UpdatedById(text()),
        "updatedDate" => RefundFilter::UpdatedDate(moment(value, zone).ok_or_else(wrong)?),
        _ => return Err(unknown(name, &PARAMETERS)),
    }))
}

/// That a parameter has no such value, and which one was probably meant.
fn no_value(name: &str, value: &str, near: Option<&str>) -> Text {
    let value: String = value.chars().take(100).collect();
    match near {
        Some(near) => Text::new(
            "<value> is no value of <name>. Did you mean <near>?",
            [("value", value.as_str()), ("name", name), ("near", near)],
        ),
        None => {
            Text::new("<value> is no value of <name>.", [("value", value.as_str()), ("name", name)])
        }
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// A moment, `yyyy-mm-dd hh:mm:ss` in the tenant's zone, or as XML Schema writes it.
fn moment(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Ok(local) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S") {
        return zone.from_local_datetime(&local).earliest().map(|moment| moment.to_utc());
    }
    match Moment::parse(text)? {
        Moment::Zoned(moment) => Some(moment.to_utc()),
        Moment::Local(local) => {
            zone.from_local_datetime(&local).earliest().map(|moment| moment.to_utc())
        }
    }
}

/// By which fields, and whether each is descending.
fn sort(text: &str) -> Result<Vec<(RefundSort, bool)>, Text> {
    let fields: Vec<&str> = text.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
    if fields.len() > SORT_FIELDS_MAX {
        return Err(Text::new("sort takes at most two fields.", []));
    }
    let read = |field: &&str| {
        let (descends, name) = match field.split_at_checked(1) {
            Some(("-", name)) => (false, name),
            Some(("+", name)) => (true, name),
            _ => (true, *field),
        };
        let shown: String = name.chars().take(100).collect();
        let mut known = RefundSort::ALL.into_iter();
        let field = known.find_map(|(known, field)| (known == name).then_some(field));
        let wrong = || match suggest(&shown, RefundSort::ALL.map(|(name, _)| name)) {
            Some(near) => Text::new(
                "Refunds cannot be sorted by <name>. Did you mean <near>?",
                [("name", &shown), ("near", near)],
            ),
            None => Text::new("Refunds cannot be sorted by <name>.", [("name", &shown)]),
        };
        Ok((field.ok_or_else(wrong)?, descends))
    };
    fields.iter().map(read).collect()
}

/// Which credit memos or payments are asked for. `statuses` are those that they have here. The
/// original documents more, of which there is none in the list; a slip of the hand is refused.
///
/// # Errors
/// A sentence that names the parameter.
pub(in crate::rest) fn objects(query: &Parameters, statuses: &[&str]) -> Result<ListObjects, Text> {
    query.only(&["page", "pageSize", "accountId", "status"])?;
    let Paging { page, page_size } = paging(query)?;
    let account_id = match query.get("accountId") {
        None => None,
        Some(id) => Some(ObjectId::parse(id).ok_or_else(|| no_value("accountId", id, None))?),
    };
    let status = query.get("status").map(str::to_owned);
    let meant = status
        .as_deref()
        .and_then(|status| Some((status, slip(status, statuses.iter().copied())?)));
    if let Some((status, near)) = meant {
        return Err(no_value("status", status, Some(near)));
    }
    Ok(ListObjects { account_id, status, page, page_size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vocabulary::PaymentStatus;

    fn of(query: &str) -> Result<ListRefunds, Text> {
        refunds(&Parameters::read(query).unwrap(), chrono_tz::America::Los_Angeles)
    }

    #[test]
    fn pages_have_bounds_and_the_next_keeps_the_filters() {
        assert_eq!(of("").map(|list| (list.page, list.page_size)), Ok((1, 20)));
        assert_eq!(of("page=3&pageSize=99").map(|list| (list.page, list.page_size)), Ok((3, 40)));
        for wrong in ["page=2", "page=0&pageSize=1", "pageSize=-1", "pageSize=x", "pageSize=+1"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        let query = Parameters::read("pageSize=10&status=Error&sort=%2Bnumber").unwrap();
        let next = next_page("http://h", "/v1/refunds", &query, paging(&query).unwrap());
        assert_eq!(next, "http://h/v1/refunds?page=2&pageSize=10&status=Error&sort=%2Bnumber");
    }

    /// Seen from outside: `status=Procesed` was an empty list.
    #[test]
    fn a_value_that_no_refund_has_is_refused_and_the_near_one_is_named() {
        let words = |query| of(query).map(|_| ()).map_err(|words| words.to_string());
        let wrong = "Procesed is no value of status. Did you mean Processed?";
        assert_eq!(words("status=Procesed"), Err(wrong.to_owned()));
        let wrong = "zebra is no value of methodType.";
        assert_eq!(words("methodType=zebra"), Err(wrong.to_owned()));
        assert!(words("type=electronic").is_err());
        for right in ["status=Canceled", "type=Electronic", "methodType=PayPal", "type=null"] {
            assert_eq!(words(right), Ok(()), "{right}");
        }
        let list = |query| objects(&Parameters::read(query).unwrap(), PaymentStatus::NAMES);
        assert!(list("status=Cancelled").is_err());
        for right in ["status=Canceled", "status=Posted", "status=Error"] {
            assert!(list(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn a_minus_is_ascending_and_the_word_null_is_no_value() {
        let list = of("sort=-amount,%2Bnumber&status=null&amount=10.50").unwrap();
        assert_eq!(list.sort, [(RefundSort::Amount, false), (RefundSort::Number, true)]);
        assert_eq!(list.filters.first(), Some(&RefundFilter::Status(None)));
        for wrong in ["sort=amount,number,type", "sort=comment", "foo=1", "refundDate=x"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        let moment = "2026-01-02T11:04:05Z".parse().unwrap();
        let list = of("createdDate=2026-01-02+03:04:05").unwrap();
        assert_eq!(list.filters, [RefundFilter::CreatedDate(moment)]);
    }
}
