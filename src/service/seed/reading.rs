//! Reading the text of a seed: small ones as a whole, large ones a piece at a time, so that a
//! million accounts take little memory.
//!
//! A piece is some of the file's tables, and is TOML by itself. What must stay true: reading in
//! pieces accepts only what reading as a whole accepts, and makes the same of it. Wherever a piece
//! is in doubt (it may have been cut in the middle of a text, a name may stand in two of them, a
//! value is wrong), nothing is said of it and the whole is read: that alone says what is wrong, and
//! where.

use super::check::{self, Names, Wrong};
use super::written::{WrittenAccount, WrittenSeed};
use super::{Seed, access, billing};
use crate::domain::id::ObjectId;
use crate::domain::toml_text::{self, TomlError};
use crate::ledger::seed::SeedPlan;
use crate::ledger::seed::packed::{Pack, Packed};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::ops::Range;
use toml::Spanned;

/// The size from which a text is read in pieces, and about that of a piece, in bytes.
const PIECE_BYTES: usize = 64 << 10;

/// Reads a seed as a whole.
pub(super) fn whole(text: &str) -> Result<Seed, TomlError> {
    let written: WrittenSeed = toml_text::read(text)?;
    let places: Vec<_> = written.account.iter().map(default_method_place).collect();
    let mut names = Names::default();
    let mut seed = Seed::default();
    take(&mut seed, written, &mut names)
        .and_then(|()| check_defaults(&seed.plan, places))
        .map_err(|wrong| toml_text::complain(text, &wrong.at, wrong.message))?;
    Ok(seed)
}

/// Reads a seed in pieces; none where that does not settle what it says.
pub(super) fn in_pieces(text: impl Read) -> Option<Seed> {
    let mut pieces = Pieces { text, read: Vec::new(), is_at_end: false };
    let mut names = Names::in_pieces();
    let (mut seed, mut tenants, mut is_first) = (Seed::default(), 0, true);
    while let Some(piece) = pieces.next().ok()? {
        let piece = String::from_utf8(piece).ok()?;
        // A table may not be added to what a value at the top defined.
        if std::mem::take(&mut is_first) && !begins_with_a_table(&piece) {
            return None;
        }
        let written: WrittenSeed = toml::from_str(&piece).ok()?;
        tenants += usize::from(written.tenant.is_some());
        take(&mut seed, written, &mut names).ok()?;
    }
    let is_settled = tenants <= 1 && names.are_single() && may_have_defaults(&seed.plan);
    is_settled.then_some(seed)
}

/// Whether a text is worth the pieces.
pub(super) const fn is_large(text: &str) -> bool {
    text.len() >= PIECE_BYTES
}

/// Adds what was written to a seed.
fn take(seed: &mut Seed, written: WrittenSeed, names: &mut Names) -> Result<(), Wrong> {
    let plan = &mut seed.plan;
    if let Some(tenant) = written.tenant {
        plan.tenant = check::tenant(tenant)?;
    }
    for user in written.user {
        let (user, password) = access::user(user, names)?;
        plan.users.push(user);
        seed.passwords.push(password);
    }
    for client in written.oauth_client {
        let (client, secret) = access::client(client.into_inner(), names)?;
        plan.clients.push(client);
        seed.secrets.push(secret);
    }
    for gateway in written.gateway {
        let (gateway, script, identity) = check::gateway(gateway.into_inner(), names)?;
        plan.gateways.push((gateway, script));
        plan.gateway_identities.extend(identity);
    }
    each(written.account, &mut plan.accounts, |one| check::account(one, names))?;
    each(written.payment_method, &mut plan.payment_methods, |one| check::method(one, names))?;
    each(written.invoice, &mut plan.invoices, |one| billing::invoice(one, names))?;
    each(written.payment, &mut plan.payments, |one| billing::payment(one, names))?;
    each(written.credit_memo, &mut plan.credit_memos, |one| billing::credit_memo(one, names))?;
    for field in written.custom_field {
        plan.custom_fields.push(check::custom_field(field.get_ref(), names)?);
    }
    Ok(())
}

fn each<W, T: Pack>(
    written: Vec<Spanned<W>>,
    all: &mut Packed<T>,
    mut check: impl FnMut(W) -> Result<T, Wrong>,
) -> Result<(), Wrong> {
    written.into_iter().try_for_each(|one| {
        all.push(&check(one.into_inner())?);
        Ok(())
    })
}

fn default_method_place(account: &Spanned<WrittenAccount>) -> Range<usize> {
    let default = account.get_ref().default_payment_method.as_ref();
    default.map_or_else(|| account.span(), Spanned::span)
}

/// That a default method which stands in the same file belongs to the account, or to none. The
/// places are those of the accounts' defaults.
fn check_defaults(plan: &SeedPlan, places: Vec<Range<usize>>) -> Result<(), Wrong> {
    let owned = plan.payment_methods.iter().filter_map(|method| Some((method.id, method.account?)));
    let owners: HashMap<ObjectId, ObjectId> = owned.collect();
    for (account, at) in plan.accounts.iter().zip(places) {
        let Some(method) = account.default_payment_method else { continue };
        if let Some(owner) = owners.get(&method).filter(|owner| **owner != account.id) {
            let message = format!("payment method `{method}` belongs to account `{owner}`");
            return Err(Wrong { at, message });
        }
    }
    Ok(())
}

/// As [`check_defaults`] by hashes alone; false where it is in doubt.
fn may_have_defaults(plan: &SeedPlan) -> bool {
    let hashing = RandomState::new();
    let hash = |id: &ObjectId| hashing.hash_one(id);
    let defaults = plan
        .accounts
        .iter()
        .filter_map(|account| Some((hash(&account.default_payment_method?), hash(&account.id))));
    let mut defaults = defaults.peekable();
    if defaults.peek().is_none() {
        return true;
    }
    let owned = plan.payment_methods.iter();
    let owned = owned.filter_map(|method| Some((hash(&method.id), hash(&method.account?))));
    let mut owners: Vec<(u64, u64)> = owned.collect();
    owners.sort_unstable();
    defaults.all(|(method, account)| {
        let found = owners.binary_search_by_key(&method, |(method, _)| *method);
        found.ok().and_then(|at| owners.get(at)).is_none_or(|(_, owner)| *owner == account)
    })
}

/// The pieces of a text.
struct Pieces<R> {
    text: R,
    /// What was read and is not part of a piece yet.
    read: Vec<u8>,
    is_at_end: bool,
}

impl<R: Read> Pieces<R> {
    /// The next piece: as many whole tables as fit, or one that does not.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut wanted = PIECE_BYTES;
        while !self.is_at_end {
            let missing = wanted.saturating_sub(self.read.len());
            let missing = u64::try_from(missing).unwrap_or(u64::MAX);
            let found = self.text.by_ref().take(missing).read_to_end(&mut self.read)?;
            self.is_at_end = u64::try_from(found).unwrap_or(u64::MAX) < missing;
            if self.is_at_end {
                break;
            }
            if let Some(end) = last_table(&self.read) {
                let rest = self.read.split_off(end);
                return Ok(Some(std::mem::replace(&mut self.read, rest)));
            }
            wanted += PIECE_BYTES;
        }
        let last = std::mem::take(&mut self.read);
        Ok(Some(last).filter(|last| !last.is_empty()))
    }
}

/// Where the last table at the top begins, after something else.
fn last_table(text: &[u8]) -> Option<usize> {
    let mut end = text.len();
    while let Some(at) = text.get(..end)?.windows(3).rposition(|three| three == b"\n[[") {
        let begin = at + 1;
        if text.get(begin..).is_some_and(is_table) {
            return Some(begin);
        }
        end = begin;
    }
    None
}

/// Whether a line is the head of one of several tables, `[[name]]`. Those with a dot belong to the
/// table before them.
fn is_table(line: &[u8]) -> bool {
    let is_of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-".contains(*byte);
    let name = line.strip_prefix(b"[[");
    name.is_some_and(|name| name.iter().find(|byte| !is_of_name(byte)) == Some(&b']'))
}

/// Whether nothing but space and comments stands before the first table.
fn begins_with_a_table(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_start);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_none_or(|line| line.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    fn table(number: usize) -> String {
        match number % 3 {
            0 => format!(
                "[[account]]\nid = '4028e6a0000a{number:020}'\nnumber = 'A{number}'\n\
                 name = '''\nA\n[{number}]\n'''\ncurrency = 'USD'\ncredit_balance = '1.50'\n"
            ),
            1 => format!(
                "[[payment_method]]\nid = '4028e6a0000b{number:020}'\n\
                 type = 'Check'\n\n# {number}\n"
            ),
            _ => format!(
                "[[gateway]]\nname = 'g{number}'\nkind = 'sandbox'\n[[gateway.rule]]\n\
                 answer = 'decline'\n"
            ),
        }
    }

    fn large() -> String {
        let text: String = (0..3_000).map(table).collect();
        assert!(is_large(&text));
        text
    }

    fn shown(seed: &Seed) -> String {
        let plan = &seed.plan;
        let mut shown = format!("{:?} {:?}\n", plan.tenant, plan.gateways);
        for account in plan.accounts.iter() {
            writeln!(shown, "{account:?}").unwrap();
        }
        for method in plan.payment_methods.iter() {
            writeln!(shown, "{method:?}").unwrap();
        }
        shown
    }

    #[test]
    fn pieces_come_to_the_same_as_the_whole() {
        let text = format!("# a seed\n[tenant]\ntime_zone = 'Asia/Tokyo'\n{}", large());
        let pieces = in_pieces(text.as_bytes()).unwrap();
        assert_eq!(shown(&pieces), shown(&whole(&text).unwrap()));
        assert_eq!(pieces.plan.accounts.len(), 1_000);
    }

    #[test]
    fn what_is_in_doubt_is_left_to_the_whole() {
        let good = large();
        assert!(in_pieces(good.as_bytes()).is_some());
        let far = |text: &str| format!("{good}{text}");
        for text in [
            far(&table(0)),
            far("[tenant]\n") + &good.replace("4028", "4029").replace("'A", "'B") + "[tenant]\n",
            format!("account = []\n{good}"),
            far("[[account]]\nid = 1\n"),
            far("[[account]]\nname = '''\n[[account]]\n"),
            far("[[acount]]\n"),
            format!("{good}\u{feff}"),
        ] {
            assert!(in_pieces(text.as_bytes()).is_none(), "{}", &text[text.len() - 60..]);
        }
        assert!(in_pieces(&b"# \xff\n"[..]).is_none());
    }

    #[test]
    fn a_table_in_the_middle_of_a_text_is_none() {
        let mut text = "[[user]]\nusername = 'u'\npassword = '''\n".to_owned();
        while text.len() < 2 * PIECE_BYTES {
            text.push_str("[[user]]\n");
        }
        text.push_str("'''\n");
        assert!(in_pieces(text.as_bytes()).is_none());
        assert_eq!(Seed::parse(&text).unwrap().plan.users.len(), 1);
    }

    #[test]
    fn a_default_of_another_account_is_seen_in_pieces_too() {
        let method = "[[payment_method]]\nid = '2c92c0f83dfa5201013dfa6656ff2b8b'\ntype = 'ACH'\n\
                      account = '4028e6a0000a00000000000000000003'\n";
        let with = |account: usize| {
            let head = format!("number = 'A{account}'\n");
            let default = "default_payment_method = '2c92c0f83dfa5201013dfa6656ff2b8b'\n";
            large().replace(&head, &format!("{head}{default}")) + method
        };
        assert!(in_pieces(with(3).as_bytes()).is_some());
        assert!(in_pieces(with(6).as_bytes()).is_none());
        let error = Seed::parse(&with(6)).err().unwrap().to_string();
        assert!(error.contains("belongs to account `4028e6a0000a00000000000000000003`"), "{error}");
    }
}
