//! An Account as a client asks for it, to be created or to be changed.
//!
//! Names, types and lengths by the WSDL and the object's field descriptions. Balances and the dates
//! of the last invoice are the server's.

use super::super::id::ObjectId;
use super::super::money::Currency;
use super::super::vocabulary::{AccountStatus, CustomizedObject};
use super::Field;
use super::common::Common;
use super::fields::{Draft, Setter, reads_created, reads_updated, setters};
use crate::catalogue::account::AccountField;
use serde::Serialize;

/// An Account. Fields that a caller may not set are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AccountDraft {
    /// What every draft has, and the values that are only kept.
    pub common: Common,
    /// AccountNumber, unique; a new account without one gets the next.
    pub number: Field<String>,
    /// The currency of its balances.
    pub currency: Field<Currency>,
    /// The method that is used where none is named.
    pub default_method: Field<ObjectId>,
    /// Name.
    pub name: Field<String>,
    /// The account that it belongs below.
    pub parent: Field<ObjectId>,
    /// The gateway of its electronic payments.
    pub gateway: Field<String>,
    /// Where it stands.
    pub status: Field<AccountStatus>,
}

impl Draft for AccountDraft {
    const OBJECT: CustomizedObject = CustomizedObject::Account;
    const SETTERS: &'static [Setter<Self>] = setters! { AccountField:
        AccountNumber => number = text(),
        Currency => currency = read(Currency::from_code),
        DefaultPaymentMethodId => default_method = object(),
        Name => name = text(),
        ParentId => parent = object(),
        PaymentGateway => gateway = text(),
        Status => status = read(AccountStatus::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

const _: () = reads_created::<AccountDraft>();
const _: () = reads_updated::<AccountDraft>();
