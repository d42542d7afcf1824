//! What each schedule begins with: a tenant with credit balances, or one with Invoice Settlement,
//! two customers, and what can be refunded to them.

use super::bank::BANK;
use crate::domain::draft::RefundDraft;
use crate::domain::draft::adjustment::AdjustmentDraft;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::fields::Draft as _;
use crate::domain::draft::json::Sent;
use crate::domain::draft::refund_details::RefundDetails;
use crate::domain::draft::settlement_refunds::{MemoRefundDraft, PaymentRefundDraft};
use crate::domain::facts::Gateway;
use crate::domain::permission::Permissions;
use crate::ledger::sqlite::{Disk, LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
use crate::ledger::trail::Act;
use crate::service::seed::{self, Seed};
use chrono::DateTime;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;
use tempfile::TempDir;

/// Which features the tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tenant {
    CreditBalance,
    Settlement,
}

/// What refunds draw on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Balance,
    Payment,
    Memo,
}

/// Something that refunds draw on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pot {
    pub(super) kind: Kind,
    /// Its id.
    pub(super) id: &'static str,
    /// Whose it is, of two.
    pub(super) owner: usize,
    /// What it holds in the beginning, in minor units.
    pub(super) amount: i64,
}

/// What is wanted of a pot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    External,
    Electronic,
    Increase,
    Decrease,
}

/// One row of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) pot: usize,
    pub(super) way: Way,
    pub(super) amount: i64,
}

const ACCOUNTS: [&str; 2] =
    ["4028e6a0000a00000000000000000001", "4028e6a0000a00000000000000000002"];
const METHODS: [&str; 2] = ["4028e6a0000b00000000000000000001", "4028e6a0000b00000000000000000002"];
const PAYMENTS: [&str; 2] =
    ["4028e6a0000d00000000000000000001", "4028e6a0000d00000000000000000002"];
const MEMOS: [&str; 2] = ["4028e6a0000e00000000000000000001", "4028e6a0000e00000000000000000002"];
const NEGATIVE: [&str; 2] =
    ["4028e6a0000c00000000000000000011", "4028e6a0000c00000000000000000012"];
const OPEN: [&str; 2] = ["4028e6a0000c00000000000000000021", "4028e6a0000c00000000000000000022"];

const fn pot(kind: Kind, id: &'static str, owner: usize, amount: i64) -> Pot {
    Pot { kind, id, owner, amount }
}

const WITH_BALANCES: [Pot; 4] = [
    pot(Kind::Balance, ACCOUNTS[0], 0, 10_000),
    pot(Kind::Balance, ACCOUNTS[1], 1, 6_000),
    pot(Kind::Payment, PAYMENTS[0], 0, 5_000),
    pot(Kind::Payment, PAYMENTS[1], 1, 4_000),
];
const WITH_SETTLEMENT: [Pot; 4] = [
    pot(Kind::Payment, PAYMENTS[0], 0, 5_000),
    pot(Kind::Payment, PAYMENTS[1], 1, 4_000),
    pot(Kind::Memo, MEMOS[0], 0, 6_000),
    pot(Kind::Memo, MEMOS[1], 1, 3_000),
];

impl Tenant {
    pub(super) const fn pots(self) -> &'static [Pot; 4] {
        match self {
            Self::CreditBalance => &WITH_BALANCES,
            Self::Settlement => &WITH_SETTLEMENT,
        }
    }

    /// What the bank collected, by the reference of the payment.
    pub(super) fn collected(self) -> BTreeMap<String, i64> {
        let payments = self.pots().iter().filter(|pot| pot.kind == Kind::Payment);
        payments.map(|pot| (format!("ch_{}", pot.owner), pot.amount)).collect()
    }

    /// The drafts of rows, each of which has a comment of its own.
    pub(super) fn drafts(self, rows: &[Row], comment: impl Fn(usize) -> String) -> Drafts {
        let rows = || rows.iter().enumerate().map(|(place, row)| (*row, comment(place)));
        let first = rows().next().map(|(row, _)| (self.pots()[row.pot].kind, row.way));
        match (self, first) {
            (Self::CreditBalance, Some((_, Way::Increase | Way::Decrease))) => {
                Drafts::Adjustments(rows().map(|(row, text)| self.adjustment(row, &text)).collect())
            }
            (Self::CreditBalance, _) => {
                Drafts::Refunds(rows().map(|(row, text)| self.refund(row, &text)).collect())
            }
            (Self::Settlement, Some((Kind::Memo, _))) => {
                let draft = |(row, text): (Row, String)| self.memo_refund(row, &text);
                Drafts::MemoRefunds(rows().map(draft).collect())
            }
            (Self::Settlement, _) => {
                let draft = |(row, text): (Row, String)| self.payment_refund(row, &text);
                Drafts::PaymentRefunds(rows().map(draft).collect())
            }
        }
    }

    fn refund(self, row: Row, comment: &str) -> RefundDraft {
        let pot = self.pots()[row.pot];
        let mut draft = RefundDraft::default();
        draft.set("Amount", &text(row.amount));
        draft.set("Comment", comment);
        match pot.kind {
            Kind::Balance => {
                draft.set("AccountId", pot.id);
                draft.set("SourceType", "CreditBalance");
                if row.way == Way::Electronic {
                    draft.set("PaymentMethodId", METHODS[pot.owner]);
                }
            }
            Kind::Payment | Kind::Memo => {
                draft.set("PaymentId", pot.id);
            }
        }
        if row.way == Way::External {
            draft.set("MethodType", "Check");
        }
        draft.set("Type", row.way.name());
        draft
    }

    fn adjustment(self, row: Row, comment: &str) -> AdjustmentDraft {
        let owner = self.pots()[row.pot].owner;
        let mut draft = AdjustmentDraft::default();
        draft.set("Amount", &text(row.amount));
        draft.set("Comment", comment);
        draft.set("Type", row.way.name());
        let source = if row.way == Way::Increase { NEGATIVE[owner] } else { OPEN[owner] };
        draft.set("SourceTransactionId", source);
        draft
    }

    fn payment_refund(self, row: Row, comment: &str) -> PaymentRefundDraft {
        let mut draft = PaymentRefundDraft::of(self.pots()[row.pot].id);
        fill(&mut draft.details, row, comment);
        draft
    }

    fn memo_refund(self, row: Row, comment: &str) -> MemoRefundDraft {
        let pot = self.pots()[row.pot];
        let mut draft = MemoRefundDraft::of(pot.id);
        fill(&mut draft.details, row, comment);
        if row.way == Way::Electronic {
            draft.set("paymentMethodId", Sent::Text(METHODS[pot.owner]));
        }
        draft
    }

    fn seed(self) -> String {
        let names = Permissions::all().names();
        let mut seed = format!(
            "[tenant]\ndefault_gateway = \"{BANK}\"\ninvoice_settlement = {}\n\
             [[user]]\nusername = \"one@example.com\"\npassword = \"one\"\n\
             permissions = {names:?}\n",
            self == Self::Settlement
        );
        for owner in 0..2 {
            let (account, method) = (ACCOUNTS[owner], METHODS[owner]);
            let balance = match self {
                Self::CreditBalance => text(WITH_BALANCES[owner].amount),
                Self::Settlement => "0.00".to_owned(),
            };
            write!(
                seed,
                "[[account]]\nid = \"{account}\"\nnumber = \"A{owner}\"\nname = \"A{owner}\"\n\
                 currency = \"USD\"\ncredit_balance = \"{balance}\"\n\
                 [[payment_method]]\nid = \"{method}\"\naccount = \"{account}\"\n\
                 type = \"CreditCard\"\n"
            )
            .unwrap();
            match self {
                Self::CreditBalance => self.write_invoices(&mut seed, owner),
                Self::Settlement => self.write_memo(&mut seed, owner),
            }
            self.write_payment(&mut seed, owner);
        }
        seed
    }

    fn write_invoices(self, seed: &mut String, owner: usize) {
        let paid = ["4028e6a0000c00000000000000000001", "4028e6a0000c00000000000000000002"][owner];
        let amount = text(WITH_BALANCES[owner + 2].amount);
        for (id, number, amount, balance) in [
            (paid, "PAID", amount.as_str(), "0.00"),
            (NEGATIVE[owner], "NEGATIVE", "-50.00", "-50.00"),
            (OPEN[owner], "OPEN", "80.00", "80.00"),
        ] {
            write!(
                seed,
                "[[invoice]]\nid = \"{id}\"\nnumber = \"{number}-{owner}\"\naccount = \"{}\"\n\
                 date = \"2026-01-02\"\namount = \"{amount}\"\nbalance = \"{balance}\"\n",
                ACCOUNTS[owner]
            )
            .unwrap();
        }
    }

    fn write_memo(self, seed: &mut String, owner: usize) {
        let pot = WITH_SETTLEMENT[owner + 2];
        write!(
            seed,
            "[[credit_memo]]\nid = \"{}\"\nnumber = \"CM-{owner}\"\naccount = \"{}\"\n\
             date = \"2026-01-02\"\namount = \"{}\"\n",
            pot.id,
            ACCOUNTS[owner],
            text(pot.amount)
        )
        .unwrap();
    }

    fn write_payment(self, seed: &mut String, owner: usize) {
        let of_owner = |pot: &&Pot| pot.kind == Kind::Payment && pot.owner == owner;
        let pot = self.pots().iter().find(of_owner).unwrap();
        let amount = text(pot.amount);
        write!(
            seed,
            "[[payment]]\nid = \"{}\"\nnumber = \"P-{owner}\"\naccount = \"{}\"\n\
             type = \"Electronic\"\namount = \"{amount}\"\neffective_date = \"2026-01-02\"\n\
             payment_method = \"{}\"\ngateway = \"{BANK}\"\nreference_id = \"ch_{owner}\"\n",
            pot.id, ACCOUNTS[owner], METHODS[owner]
        )
        .unwrap();
        if self == Self::CreditBalance {
            writeln!(seed, "applied = [{{ invoice = \"PAID-{owner}\", amount = \"{amount}\" }}]")
                .unwrap();
        }
    }
}

fn fill(details: &mut RefundDetails, row: Row, comment: &str) {
    let amount = text(row.amount);
    details.set("totalAmount", Sent::Number(&amount));
    details.set("comment", Sent::Text(comment));
    details.set("type", Sent::Text(row.way.name()));
    if row.way == Way::External {
        details.set("methodType", Sent::Text("Check"));
    }
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::External => "External",
            Self::Electronic => "Electronic",
            Self::Increase => "Increase",
            Self::Decrease => "Decrease",
        }
    }
}

fn text(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// The gateways that every process is configured with.
pub(super) fn gateways() -> Vec<Gateway> {
    vec![Gateway { name: BANK.to_owned(), ..Gateway::sandbox() }]
}

/// The ledgers that schedules begin with, made once.
struct Stages {
    folder: TempDir,
}

/// The file of the ledger that schedules of a tenant begin with.
pub(super) fn file(tenant: Tenant) -> PathBuf {
    static STAGES: OnceLock<Stages> = OnceLock::new();
    let stages = STAGES.get_or_init(|| {
        let stages = Stages { folder: tempfile::tempdir().unwrap() };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
        for tenant in [Tenant::CreditBalance, Tenant::Settlement] {
            let file = stages.of(tenant);
            let mode = OpenMode::CreateOrOpen { test: false };
            let settings = LedgerSettings { gateways: gateways(), ..LedgerSettings::default() };
            let options = OpenOptions { mode, id_seed: Some(7), settings };
            let ledger = SqliteLedger::open(&file, &options).unwrap();
            let seed = Seed::parse(&tenant.seed()).unwrap_or_else(|error| panic!("{error:?}"));
            let act = Act::of_start(DateTime::from_timestamp(1_789_000_000, 0).unwrap());
            runtime.block_on(seed::load(&ledger, seed, act)).unwrap();
            drop(ledger);
            Disk::put_log_away(&file);
        }
        stages
    });
    stages.of(tenant)
}

impl Stages {
    fn of(&self, tenant: Tenant) -> PathBuf {
        self.folder.path().join(format!("{tenant:?}.db"))
    }
}
