//! The operations of every front door, by the names under which metrics, log and journal know them.

use std::fmt;

macro_rules! operations {
    ($($variant:ident $name:literal;)+) => {
        /// An operation of a front door.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum OperationName {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
        }

        impl OperationName {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

operations! {
    None "none";
    Unknown "unknown";
    Wsdl "wsdl";
    Login "login";
    GetUserInfo "getUserInfo";
    Create "create";
    Update "update";
    Delete "delete";
    Query "query";
    QueryMore "queryMore";
    Amend "amend";
    BillingPreview "billingPreview";
    CalculateChargeMetrics "calculateChargeMetrics";
    Execute "execute";
    Generate "generate";
    Rasd "rasd";
    Subscribe "subscribe";
    SubscribeWithExistingAccount "subscribeWithExistingAccount";
    // Of the REST API, after the operation ids of its published description.
    CreateToken "createToken";
    PostConnections "POST_Connections";
    OpenApi "openapi";
    RefundCreditMemo "POST_RefundCreditMemo";
    RefundPayment "POST_RefundPayment";
    UnapplyAndRefundPayment "POST_RefundPaymentwithAutoUnapply";
    ListCreditMemos "GET_CreditMemos";
    GetCreditMemo "GET_CreditMemo";
    GetCreditMemoItems "GET_CreditMemoItems";
    CreateCreditMemo "POST_CreditMemoFromPrpc";
    PostCreditMemo "PUT_PostCreditMemo";
    ApplyCreditMemo "PUT_ApplyCreditMemo";
    UnapplyCreditMemo "PUT_UnapplyCreditMemo";
    ListPayments "GET_RetrieveAllPayments";
    GetPayment "GET_Payment";
    CreatePayment "POST_CreatePayment";
    ApplyPayment "PUT_ApplyPayment";
    UnapplyPayment "PUT_UnapplyPayment";
    ListRefunds "GET_Refunds";
    GetRefund "GET_Refund";
    UpdateRefund "PUT_UpdateRefund";
    DeleteRefund "DELETE_Refund";
    CancelRefund "PUT_CancelRefund";
    GetRefundParts "GET_RefundParts";
    GetRefundPart "GET_RefundPart";
    GetRefundItemParts "GET_RefundItemParts";
    GetRefundItemPart "GET_RefundItemPart";
    ReconcileRefund "POST_ReconcileRefund";
    ObjectCreate "Object_POST";
    ObjectGet "Object_GET";
    ObjectUpdate "Object_PUT";
    ObjectDelete "Object_DELETE";
    ActionCreate "Action_POSTcreate";
    ActionUpdate "Action_POSTupdate";
    ActionDelete "Action_POSTdelete";
    ActionQuery "Action_POSTquery";
    ActionQueryMore "Action_POSTqueryMore";
}

impl fmt::Display for OperationName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl OperationName {
    /// Those that a client can ask for by name.
    pub fn named() -> impl Iterator<Item = Self> {
        let unnamed = [Self::None, Self::Unknown, Self::Wsdl, Self::OpenApi];
        Self::ALL.iter().copied().filter(move |one| !unnamed.contains(one))
    }

    /// Whether it has rows that can fail on their own: those of calls that change something.
    pub fn has_rows(self) -> bool {
        let name = self.name();
        let is_v1 = ["POST_", "PUT_", "DELETE_"].iter().any(|start| name.starts_with(start));
        let is_twin = ["Object_", "Action_"].iter().any(|start| name.starts_with(start));
        let reads = name.starts_with("Object_GET") || name.starts_with("Action_POSTquery");
        match self {
            Self::Create | Self::Update | Self::Delete => true,
            Self::PostConnections => false,
            _ => (is_v1 || is_twin) && !reads,
        }
    }

    /// The operation of this name, letter by letter.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_number_the_operations() {
        for (number, operation) in OperationName::ALL.iter().enumerate() {
            assert_eq!(OperationName::from_name(operation.name()), Some(*operation));
            assert_eq!(*operation as usize, number);
        }
    }
}
