//! The paths of the REST API, and which operation each is with which method.
//!
//! Every path is served under `/v1` and, the same, under `/rest/v1`. Source: the vendor's REST
//! reference; `/v1/creditmemos/{key}/refunds` is the older name of its first operation.

use crate::call::{Method, OperationName};
use crate::domain::rest_path::is_rest;

/// The path under which everything is served as well.
pub(super) const OTHER_ROOT: &str = "/rest";
/// A longer path is like none.
const NEAREST_BYTES_MAX: usize = 256;
/// How alike a path must be to one that is served, 0 to 1.
const ALIKE_LEAST: f64 = 0.6;

macro_rules! operations {
    ($($variant:ident $name:ident { $($method:ident $path:literal),+ })+) => {
        /// What a request asks for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Operation {
            $(
                #[doc = concat!("`", stringify!($name), "`")]
                $variant,
            )+
        }

        impl Operation {
            /// The name by which metrics, log and journal know it.
            pub(super) const fn name(self) -> OperationName {
                match self {
                    $(Self::$variant => OperationName::$name,)+
                }
            }
        }

        /// Every path with a method and its operation; `{}` stands for one segment.
        pub(super) const PATHS: &[(Method, &str, Operation)] = &[
            $($((Method::$method, $path, Operation::$variant),)+)+
        ];
    };
}

operations! {
    Token CreateToken { Post "/oauth/token" }
    Connections PostConnections { Post "/v1/connections" }
    OpenApi OpenApi { Get "/openapi.json" }
    RefundMemo RefundCreditMemo {
        Post "/v1/credit-memos/{}/refund",
        Post "/v1/creditmemos/{}/refunds"
    }
    RefundPayment RefundPayment { Post "/v1/payments/{}/refunds" }
    UnapplyAndRefund UnapplyAndRefundPayment { Post "/v1/payments/{}/refunds/unapply" }
    ListMemos ListCreditMemos { Get "/v1/credit-memos" }
    GetMemo GetCreditMemo { Get "/v1/credit-memos/{}" }
    GetMemoItems GetCreditMemoItems { Get "/v1/credit-memos/{}/items" }
    CreateMemo CreateCreditMemo { Post "/v1/credit-memos" }
    PostMemo PostCreditMemo { Put "/v1/credit-memos/{}/post" }
    ApplyMemo ApplyCreditMemo { Put "/v1/credit-memos/{}/apply" }
    UnapplyMemo UnapplyCreditMemo { Put "/v1/credit-memos/{}/unapply" }
    ListPayments ListPayments { Get "/v1/payments" }
    GetPayment GetPayment { Get "/v1/payments/{}" }
    CreatePayment CreatePayment { Post "/v1/payments" }
    ApplyPayment ApplyPayment { Put "/v1/payments/{}/apply" }
    UnapplyPayment UnapplyPayment { Put "/v1/payments/{}/unapply" }
    ListRefunds ListRefunds { Get "/v1/refunds" }
    GetRefund GetRefund { Get "/v1/refunds/{}" }
    UpdateRefund UpdateRefund { Put "/v1/refunds/{}" }
    DeleteRefund DeleteRefund { Delete "/v1/refunds/{}" }
    CancelRefund CancelRefund { Put "/v1/refunds/{}/cancel" }
    ListParts GetRefundParts { Get "/v1/refunds/{}/parts" }
    GetPart GetRefundPart { Get "/v1/refunds/{}/parts/{}" }
    ListItemParts GetRefundItemParts {
        Get "/v1/refunds/{}/parts/{}/item-parts",
        Get "/v1/refunds/{}/parts/{}/itemparts"
    }
    GetItemPart GetRefundItemPart {
        Get "/v1/refunds/{}/parts/{}/item-parts/{}",
        Get "/v1/refunds/{}/parts/{}/itemparts/{}"
    }
    ReconcileRefund ReconcileRefund { Post "/v1/refunds/{}/reconcile" }
    CreateObject ObjectCreate {
        Post "/v1/object/refund",
        Post "/v1/object/credit-balance-adjustment",
        Post "/v1/object/account",
        Post "/v1/object/payment"
    }
    GetObject ObjectGet {
        Get "/v1/object/refund/{}",
        Get "/v1/object/credit-balance-adjustment/{}",
        Get "/v1/object/account/{}",
        Get "/v1/object/payment/{}",
        Get "/v1/object/refund-invoice-payment/{}",
        Get "/v1/object/refund-transaction-log/{}"
    }
    UpdateObject ObjectUpdate {
        Put "/v1/object/refund/{}",
        Put "/v1/object/credit-balance-adjustment/{}",
        Put "/v1/object/account/{}",
        Put "/v1/object/payment/{}"
    }
    DeleteObject ObjectDelete {
        Delete "/v1/object/refund/{}"
    }
    ActionCreate ActionCreate { Post "/v1/action/create" }
    ActionUpdate ActionUpdate { Post "/v1/action/update" }
    ActionDelete ActionDelete { Post "/v1/action/delete" }
    ActionQuery ActionQuery { Post "/v1/action/query" }
    ActionQueryMore ActionQueryMore { Post "/v1/action/queryMore" }
}

/// The segments of a path that are not fixed: keys and ids, in their order, at most three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Keys<'p>([&'p str; 3]);

impl<'p> Keys<'p> {
    /// The first, which names the object.
    pub(super) const fn object(self) -> &'p str {
        let [object, _, _] = self.0;
        object
    }

    /// The second, which names a part of the object.
    pub(super) const fn part(self) -> &'p str {
        let [_, part, _] = self.0;
        part
    }

    /// The third, which names a part of the part.
    pub(super) const fn item(self) -> &'p str {
        let [_, _, item] = self.0;
        item
    }
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<'p> {
    /// To an operation; its template, as in [`PATHS`], and its keys.
    Operation(Operation, &'static str, Keys<'p>),
    /// To operations of these methods alone, as `Allow` writes them.
    OtherMethods(String),
    /// Nowhere.
    Nothing,
}

/// Whether a path is one of this front door's: below its roots, served or not.
pub(super) fn is_ours(path: &str) -> bool {
    is_rest(path) || ["/v1", "/rest/v1", "/openapi.json", "/rest/openapi.json"].contains(&path)
}

/// Where a path in normal form leads with a method.
pub(super) fn find(method: Method, path: &str) -> Found<'_> {
    let path = path.strip_prefix(OTHER_ROOT).unwrap_or(path);
    let mut allowed: Vec<&'static str> = Vec::new();
    for (known, template, operation) in PATHS {
        let Some(keys) = keys_of(template, path) else { continue };
        if *known == method || (method == Method::Head && *known == Method::Get) {
            return Found::Operation(*operation, template, keys);
        }
        allowed.push(known.name());
    }
    if allowed.is_empty() {
        return Found::Nothing;
    }
    allowed.sort_unstable();
    allowed.dedup();
    Found::OtherMethods(allowed.join(", "))
}

/// Whether a path below `/v1/object` begins with this segment.
pub(super) fn serves_object(segment: &str) -> bool {
    PATHS.iter().any(|(_, template, _)| {
        let rest = template.strip_prefix("/v1/object/");
        rest.is_some_and(|rest| rest.split('/').next() == Some(segment))
    })
}

/// What a path that leads nowhere was probably meant to be: a method, and the path with its own
/// keys. Of those that are as near, the one of the same method.
pub(super) fn nearest(method: Method, path: &str) -> Option<(Method, String)> {
    let path = path.strip_prefix(OTHER_ROOT).unwrap_or(path).trim_end_matches('/');
    if path.len() > NEAREST_BYTES_MAX {
        return None;
    }
    // Of equal ones the last wins, and older names of a path stand behind the newer.
    let near = PATHS.iter().rev().filter_map(|(known, template, _)| {
        let (alike, meant) = likeness(template, path)?;
        Some((alike, *known == method, (*known, meant)))
    });
    let best = near.max_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    best.map(|(_, _, meant)| meant)
}

/// How alike the fixed segments of a template and those of a path in their places are, 0 to 1, and
/// the template with the path's keys; none where they are not alike.
fn likeness(template: &str, path: &str) -> Option<(f64, String)> {
    let (wanted, segments) = (template.split('/'), path.split('/'));
    if wanted.clone().count() != segments.clone().count() {
        return None;
    }
    let (mut fixed, mut sent, mut meant) = (String::new(), String::new(), Vec::new());
    for (wanted, segment) in wanted.zip(segments).skip(2) {
        if wanted == "{}" {
            meant.push(segment);
            continue;
        }
        meant.push(wanted);
        fixed.push_str(wanted);
        sent.push_str(segment);
    }
    let alike = strsim::normalized_damerau_levenshtein(&fixed, &sent.to_lowercase());
    let root: Vec<&str> = template.split('/').take(2).collect();
    let is_alike = alike >= ALIKE_LEAST && path.starts_with(&root.join("/"));
    is_alike.then(|| (alike, [root, meant].concat().join("/")))
}

/// The segments of `path` that stand for `{}`, if it has the form of `template`.
fn keys_of<'p>(template: &str, path: &'p str) -> Option<Keys<'p>> {
    let mut keys = Keys::default();
    let mut free = keys.0.iter_mut();
    let mut segments = path.split('/');
    for wanted in template.split('/') {
        let segment = segments.next()?;
        match wanted {
            "{}" if !segment.is_empty() => *free.next()? = segment,
            fixed if fixed == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_operation_below_both_roots() {
        let path = "/v1/payments/P-00000001/refunds";
        for path in [path.to_owned(), format!("/rest{path}")] {
            assert!(is_ours(&path));
            let Found::Operation(operation, _, keys) = find(Method::Post, &path) else {
                panic!("{path}");
            };
            assert_eq!((operation, keys.object()), (Operation::RefundPayment, "P-00000001"));
        }
        let path = "/v1/refunds/R-1/parts/p/item-parts/i";
        let Found::Operation(Operation::GetItemPart, _, keys) = find(Method::Get, path) else {
            panic!("{path}");
        };
        assert_eq!((keys.object(), keys.part(), keys.item()), ("R-1", "p", "i"));
    }

    #[test]
    fn what_is_not_served_is_told_from_what_takes_other_methods() {
        let others = |allow: &str| Found::OtherMethods(allow.to_owned());
        assert_eq!(find(Method::Get, "/v1/payments/P-1/refunds"), others("POST"));
        assert_eq!(find(Method::Post, "/v1/refunds/R-1"), others("DELETE, GET, PUT"));
        for path in ["/v1", "/v1/", "/v1/nothing", "/v1/payments//refunds", "/v1/refunds/R-1/"] {
            assert_eq!(find(Method::Post, path), Found::Nothing, "{path}");
            assert!(is_ours(path));
        }
        for path in ["/v2/refunds", "/v10", "/oauth", "/apps/services/a/91.0", "/rest/apps"] {
            assert!(!is_ours(path), "{path}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_near_one_that_leads_somewhere() {
        for (method, path, near) in [
            (Method::Get, "/v1/refund", "GET /v1/refunds"),
            (Method::Get, "/rest/v1/refunds/", "GET /v1/refunds"),
            (Method::Post, "/v1/credit-memo/CM1/refund", "POST /v1/credit-memos/CM1/refund"),
            (Method::Post, "/v1/credit-memos/CM1/refunds", "POST /v1/credit-memos/CM1/refund"),
            (Method::Post, "/v1/payment/P-1/refunds", "POST /v1/payments/P-1/refunds"),
            (Method::Post, "/v1/action/crate", "POST /v1/action/create"),
            (Method::Get, "/v1/object/refunds/4711", "GET /v1/object/refund/4711"),
        ] {
            let (known, found) = nearest(method, path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(format!("{} {found}", known.name()), near, "{path}");
        }
        for path in ["/v1/catalog/products", "/v1/nothing-at-all-of-it", &"/v1".repeat(99)] {
            assert_eq!(nearest(Method::Get, path), None, "{path}");
        }
    }

    #[test]
    fn no_path_leads_to_two_operations() {
        for (number, (method, path, operation)) in PATHS.iter().enumerate() {
            let concrete = path.replace("{}", "k");
            let Found::Operation(first, ..) = find(*method, &concrete) else { panic!("{path}") };
            assert_eq!(first, *operation, "{path}");
            let (before, _) = PATHS.split_at(number);
            assert!(!before.iter().any(|one| (one.0, one.1) == (*method, *path)), "{path}");
        }
    }
}
