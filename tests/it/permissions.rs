//! Who may change what, cell by cell: every operation on every object, as a user with one
//! permission and as one with none, on a real ledger and the built program.

use crate::gateway::{ENDPOINT, TestGateway, envelope, session_header};
use crate::wire::Answer;
use refund_gateway::domain::access::{Needs, Object, Operation};
use refund_gateway::domain::permission::Permission;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const ACCOUNT: &str = "402892c72b9e3319012b9e34b88e0001";
const CARD: &str = "2c92c0f83dfa5201013dfa6656ff2b8b";
const PAYMENT: &str = "402892c72b9e3319012b9e34b88e0201";
const OWED: &str = "402892c72b9e3319012b9e34b88e0101";
const ITEM_OWED: &str = "402892c72b9e3319012b9e34b88e0301";
const OWING: &str = "402892c72b9e3319012b9e34b88e0102";
const REFUNDS: [&str; 5] = [
    "external-refund",
    "electronic-refund",
    "credit-balance-external-refund",
    "credit-balance-electronic-refund",
    "credit-memo-refund",
];

fn seed() -> String {
    let user = |name: &str, permissions: &str| {
        format!("[[user]]\nusername = '{name}'\npassword = 'p'\npermissions = [{permissions}]\n")
    };
    let names: Vec<String> =
        Permission::ALL.into_iter().map(|one| format!("'{}'", one.name())).collect();
    let each = names.iter().map(|name| user(name.trim_matches('\''), name));
    format!(
        "{}{}{}[[account]]\nid = '{ACCOUNT}'\nnumber = 'A1'\nname = 'One'\ncurrency = 'USD'\n\
         credit_balance = '5000'\n\
         [[payment_method]]\nid = '{CARD}'\naccount = '{ACCOUNT}'\ntype = 'CreditCard'\n\
         [[invoice]]\nid = '{OWED}'\nnumber = 'I1'\naccount = '{ACCOUNT}'\ndate = '2026-01-02'\n\
         amount = '9000'\nbalance = '9000'\n\
         items = [{{ id = '{ITEM_OWED}', amount = '9000' }}]\n\
         [[invoice]]\nid = '{OWING}'\nnumber = 'I2'\naccount = '{ACCOUNT}'\ndate = '2026-01-02'\n\
         amount = '-9000'\nbalance = '-9000'\n\
         [[payment]]\nid = '{PAYMENT}'\nnumber = 'P1'\naccount = '{ACCOUNT}'\namount = '9000'\n\
         type = 'Electronic'\neffective_date = '2026-01-05'\npayment_method = '{CARD}'\n",
        user("all", &names.join(", ")),
        user("none", ""),
        each.collect::<String>(),
    )
}

struct Stage {
    gateway: TestGateway,
    /// A session of the user who may do everything.
    all: String,
}

/// A call as a user, on what the user who may do everything has made for it.
struct Cell {
    name: &'static str,
    call: fn(&Stage, &str) -> Answer,
    needs: &'static [&'static str],
}

const CELLS: [Cell; 26] = [
    Cell { name: "create Account", call: create_account, needs: &["account-write"] },
    Cell { name: "update Account", call: rename_account, needs: &["account-write"] },
    Cell {
        name: "delete Account",
        call: |stage, session| {
            let id = made(&create_account(stage, &stage.all));
            stage.delete(session, "Account", &id)
        },
        needs: &["account-write"],
    },
    Cell { name: "create PaymentMethod", call: create_method, needs: &["payment-method-write"] },
    Cell {
        name: "update PaymentMethod",
        call: |stage, session| {
            let id = made(&create_method(stage, &stage.all));
            stage.update(
                session,
                "PaymentMethod",
                &[("Id", &id), ("PaymentMethodStatus", "Closed")],
            )
        },
        needs: &["payment-method-write"],
    },
    Cell {
        name: "delete PaymentMethod",
        call: |stage, session| {
            let id = made(&create_method(stage, &stage.all));
            stage.delete(session, "PaymentMethod", &id)
        },
        needs: &["payment-method-write"],
    },
    Cell { name: "create Payment", call: create_payment, needs: &["payment-create"] },
    Cell {
        name: "update Payment",
        call: |stage, session| {
            stage.update(session, "Payment", &[("Id", PAYMENT), ("Comment", "x")])
        },
        needs: &["payment-create"],
    },
    Cell {
        name: "create InvoicePayment",
        call: |stage, session| {
            let payment = made(&create_payment(stage, &stage.all));
            let part = [("Amount", "1"), ("InvoiceId", OWED), ("PaymentId", &payment)];
            stage.create(session, "InvoicePayment", &part)
        },
        needs: &["payment-create"],
    },
    Cell {
        name: "create CreditBalanceAdjustment",
        call: create_adjustment,
        needs: &["credit-balance-adjustment"],
    },
    Cell {
        name: "update CreditBalanceAdjustment",
        call: |stage, session| {
            let id = made(&create_adjustment(stage, &stage.all));
            stage.update(session, "CreditBalanceAdjustment", &[("Id", &id), ("Comment", "x")])
        },
        needs: &["credit-balance-adjustment"],
    },
    Cell {
        name: "cancel CreditBalanceAdjustment",
        call: |stage, session| {
            let id = made(&create_adjustment(stage, &stage.all));
            stage.update(session, "CreditBalanceAdjustment", &[("Id", &id), ("Status", "Canceled")])
        },
        needs: &["cancel-credit-balance-adjustment"],
    },
    Cell {
        name: "create InvoiceAdjustment",
        call: |stage, session| adjust_invoice(stage, session, WHOLE),
        needs: &["invoice-adjustment"],
    },
    Cell {
        name: "update InvoiceAdjustment",
        call: |stage, session| change_adjustment(stage, session, WHOLE, ("ReasonCode", "Other")),
        needs: &["invoice-adjustment"],
    },
    Cell {
        name: "cancel InvoiceAdjustment",
        call: |stage, session| change_adjustment(stage, session, WHOLE, ("Status", "Canceled")),
        needs: &["invoice-adjustment"],
    },
    Cell {
        name: "delete InvoiceAdjustment",
        call: |stage, session| {
            let id = made(&adjust_invoice(stage, &stage.all, WHOLE));
            stage.delete(session, WHOLE, &id)
        },
        needs: &["invoice-adjustment"],
    },
    Cell {
        name: "create InvoiceItemAdjustment",
        call: |stage, session| adjust_invoice(stage, session, ITEM),
        needs: &["invoice-adjustment"],
    },
    Cell {
        name: "update InvoiceItemAdjustment",
        call: |stage, session| change_adjustment(stage, session, ITEM, ("ReasonCode", "Other")),
        needs: &["invoice-adjustment"],
    },
    Cell {
        name: "cancel InvoiceItemAdjustment",
        call: |stage, session| change_adjustment(stage, session, ITEM, ("Status", "Canceled")),
        needs: &["invoice-adjustment"],
    },
    Cell {
        name: "delete InvoiceItemAdjustment",
        call: |stage, session| {
            let id = made(&adjust_invoice(stage, &stage.all, ITEM));
            stage.delete(session, ITEM, &id)
        },
        needs: &["invoice-adjustment"],
    },
    Cell {
        name: "create Refund of a payment, External",
        call: refund_payment,
        needs: &["external-refund"],
    },
    Cell {
        name: "create Refund of a payment, Electronic",
        call: |stage, session| {
            let fields = [("Type", "Electronic"), ("Amount", "1"), ("PaymentId", PAYMENT)];
            stage.create(session, "Refund", &fields)
        },
        needs: &["electronic-refund"],
    },
    Cell {
        name: "create Refund of a credit balance, External",
        call: |stage, session| refund_balance(stage, session, "External"),
        needs: &["credit-balance-external-refund"],
    },
    Cell {
        name: "create Refund of a credit balance, Electronic",
        call: |stage, session| refund_balance(stage, session, "Electronic"),
        needs: &["credit-balance-electronic-refund"],
    },
    Cell {
        name: "update Refund",
        call: |stage, session| {
            let id = made(&refund_balance(stage, &stage.all, "External"));
            stage.update(session, "Refund", &[("Id", &id), ("TransferredToAccounting", "Yes")])
        },
        needs: &REFUNDS,
    },
    Cell {
        name: "cancel and delete Refund",
        call: |stage, session| {
            let id = made(&refund_payment(stage, &stage.all));
            let cancelled = stage.update(session, "Refund", &[("Id", &id), ("Status", "Canceled")]);
            let deleted = stage.delete(session, "Refund", &id);
            assert_eq!(succeeded(&cancelled), succeeded(&deleted), "{cancelled} {deleted}");
            deleted
        },
        needs: &REFUNDS,
    },
];

fn create_account(stage: &Stage, session: &str) -> Answer {
    stage.create(session, "Account", &[("Name", "Two"), ("Currency", "USD")])
}

fn rename_account(stage: &Stage, session: &str) -> Answer {
    stage.update(session, "Account", &[("Id", ACCOUNT), ("Name", "Renamed")])
}

fn create_method(stage: &Stage, session: &str) -> Answer {
    stage.create(session, "PaymentMethod", &[("Type", "Check"), ("AccountId", ACCOUNT)])
}

fn create_payment(stage: &Stage, session: &str) -> Answer {
    let fields = [
        ("AccountId", ACCOUNT),
        ("Amount", "50000"),
        ("PaymentMethodId", CARD),
        ("Type", "Electronic"),
    ];
    stage.create(session, "Payment", &fields)
}

fn create_adjustment(stage: &Stage, session: &str) -> Answer {
    let fields = [("Type", "Increase"), ("Amount", "1"), ("SourceTransactionId", OWING)];
    stage.create(session, "CreditBalanceAdjustment", &fields)
}

const WHOLE: &str = "InvoiceAdjustment";
const ITEM: &str = "InvoiceItemAdjustment";

/// A Credit of the invoice, or of its only item.
fn adjust_invoice(stage: &Stage, session: &str, kind: &str) -> Answer {
    let whole = [("Type", "Credit"), ("Amount", "1"), ("InvoiceId", OWED)];
    let item = [
        ("AdjustmentDate", "2026-01-02"),
        ("SourceId", ITEM_OWED),
        ("SourceType", "InvoiceDetail"),
    ];
    let item = if kind == ITEM { &item[..] } else { &[] };
    stage.create(session, kind, &[&whole[..], item].concat())
}

fn change_adjustment(stage: &Stage, session: &str, kind: &str, change: (&str, &str)) -> Answer {
    let id = made(&adjust_invoice(stage, &stage.all, kind));
    stage.update(session, kind, &[("Id", &id), change])
}

fn refund_payment(stage: &Stage, session: &str) -> Answer {
    let how = [("Type", "External"), ("MethodType", "Check")];
    stage.create(
        session,
        "Refund",
        &[&how[..], &[("Amount", "1"), ("PaymentId", PAYMENT)]].concat(),
    )
}

fn refund_balance(stage: &Stage, session: &str, refund_type: &str) -> Answer {
    let fields = [
        ("AccountId", ACCOUNT),
        ("Amount", "1"),
        ("SourceType", "CreditBalance"),
        ("Type", refund_type),
        ("PaymentMethodId", CARD),
    ];
    stage.create(session, "Refund", &fields)
}

impl Stage {
    fn call(&self, session: &str, body: &str) -> Answer {
        self.gateway.post(ENDPOINT, &envelope(&session_header(session), body))
    }

    fn objects(kind: &str, fields: &[(&str, &str)]) -> String {
        let field = |(name, value): &(&str, &str)| format!("<obj:{name}>{value}</obj:{name}>");
        let fields: String = fields.iter().map(field).collect();
        format!("<api:zObjects xsi:type=\"obj:{kind}\">{fields}</api:zObjects>")
    }

    fn create(&self, session: &str, kind: &str, fields: &[(&str, &str)]) -> Answer {
        self.call(session, &format!("<api:create>{}</api:create>", Self::objects(kind, fields)))
    }

    fn update(&self, session: &str, kind: &str, fields: &[(&str, &str)]) -> Answer {
        self.call(session, &format!("<api:update>{}</api:update>", Self::objects(kind, fields)))
    }

    fn delete(&self, session: &str, kind: &str, id: &str) -> Answer {
        let what = format!("<api:type>{kind}</api:type><api:ids>{id}</api:ids>");
        self.call(session, &format!("<api:delete>{what}</api:delete>"))
    }
}

fn succeeded(answer: &Answer) -> bool {
    let reported = [answer.texts("Success"), answer.texts("success")].concat();
    assert_eq!(reported.len(), 1, "{answer}");
    reported == ["true"]
}

fn made(answer: &Answer) -> String {
    assert!(succeeded(answer), "{answer}");
    answer.texts("Id").remove(0)
}

/// Regression: a user without any permission made payments, renamed accounts, closed methods, and
/// marked refunds as transferred.
#[test]
fn every_cell_of_the_table_lets_in_whom_it_should_and_nobody_else() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("seed.toml"), seed()).unwrap();
    let gateway = TestGateway::start_in(folder, &["--seed", "seed.toml"]);
    let all = gateway.login_as("all", "p");
    let stage = Stage { gateway, all };
    let names = Permission::ALL.into_iter().map(Permission::name);
    for user in names.chain(["none", "all"]) {
        let session = stage.gateway.login_as(user, "p");
        for Cell { name, call, needs } in &CELLS {
            let answer = call(&stage, &session);
            let may = user == "all" || needs.contains(&user);
            assert_eq!(succeeded(&answer), may, "{user}: {name}: {answer}");
            if !may {
                let code = [answer.texts("Code"), answer.texts("code")].concat();
                assert_eq!(code, ["NO_PERMISSION"], "{user}: {name}: {answer}");
            }
        }
    }
    stage.gateway.balance(ACCOUNT);
}

/// Each row of the document is a cell of the table, and each cell has its row.
#[test]
fn the_document_shows_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/PERMISSIONS.md");
    let document = fs::read_to_string(path).expect("docs/PERMISSIONS.md");
    let shown = |line: &&str| line.starts_with("| `");
    let written: Vec<&str> = document.lines().filter(shown).collect();
    let mut expected = Vec::new();
    for object in Object::ALL {
        let name = match object {
            Object::Refund(source, refund_type) => {
                format!("`Refund` ({}, {})", source.name(), refund_type.name())
            }
            other => format!("`{other:?}`"),
        };
        let cell = |operation| match Needs::of(operation, object) {
            Needs::One(permission) => format!("`{}`", permission.name()),
            Needs::AnyForRefunds(_) => "any for refunds".to_owned(),
        };
        let cells = Operation::ALL.map(cell).join(" | ");
        expected.push(format!("| {name} | {cells} |"));
    }
    assert_eq!(written, expected, "expected:\n{}", expected.join("\n"));
}
