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
    // Of the REST API, by the operation ids of its published description.
    CreateToken "createToken";
    PostConnections "POST_Connections";
    OpenApi "openapi";
    ActionCreate "Action_POSTcreate";
    ActionUpdate "Action_POSTupdate";
    ActionDelete "Action_POSTdelete";
    ActionQuery "Action_POSTquery";
    ActionQueryMore "Action_POSTqueryMore";
    ObjectPostRefund "Object_POSTRefund";
    ObjectGetRefund "Object_GETRefund";
    ObjectPutRefund "Object_PUTRefund";
    ObjectDeleteRefund "Object_DELETERefund";
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
