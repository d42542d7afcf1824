//! Users and roles: who may log in and do what, and the changes of that.
//!
//! What must stay true: what is changed is changed by the admin API's own use cases, in its words;
//! a password is only ever sent by a form, and shown by no page.

use super::{done, nothing};
use crate::call::Method;
use crate::console::answer;
use crate::console::form;
use crate::console::frame::Frame;
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console};
use crate::domain::permission::{Permission, Permissions};
use crate::http::Pairs;
use askama::Template;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    frame: Frame,
    users: Vec<User>,
    /// The query of the next page.
    next: Option<String>,
    is_later: bool,
    /// Every permission, and whether a new user has it by default.
    permissions: Vec<(&'static str, bool)>,
}

/// A user, as the admin API writes it.
#[derive(Deserialize)]
struct User {
    username: String,
    id: String,
    permissions: Vec<String>,
    disabled: bool,
}

impl User {
    /// The permissions that it does not have.
    fn others(&self) -> Vec<&'static str> {
        let has = |name: &&str| self.permissions.iter().any(|own| own == name);
        Permission::ALL.map(Permission::name).into_iter().filter(|name| !has(name)).collect()
    }
}

/// The users that the admin API lists.
#[derive(Deserialize)]
struct Users {
    users: Vec<User>,
    next: Option<String>,
}

/// The pages of this section.
pub(super) async fn route(console: &Console, visitor: &Visitor, rest: &[&str]) -> Answered {
    match rest {
        [] => page(console, visitor).await,
        ["create"] => create(console, visitor).await,
        [change @ ("grant" | "revoke")] => {
            let form = posted(visitor, &["username", "permission"])?;
            let (username, permission) = (needed(&form, "username")?, needed(&form, "permission")?);
            let body = json!({ "username": username, "permissions": [permission] });
            operate(console, visitor, (change, username), &body).await
        }
        [change @ ("disable" | "enable")] => {
            let form = posted(visitor, &["username"])?;
            let username = needed(&form, "username")?;
            operate(console, visitor, (change, username), &json!({ "username": username })).await
        }
        ["set-password"] => {
            let form = posted(visitor, &["username", "password"])?;
            let (username, password) = (needed(&form, "username")?, needed(&form, "password")?);
            let body = json!({ "username": username, "password": password });
            operate(console, visitor, ("set-password", username), &body).await
        }
        _ => Err(nothing()),
    }
}

async fn page(console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    let asked = form::query(&visitor.visit, &["cursor"])?;
    let cursor = asked.text("cursor").map(|name| ("cursor", name.to_owned()));
    let query = form::encoded_pairs(cursor.as_slice());
    let path = (Method::Get, "users", &*query);
    let Users { users, next } = console.ask(visitor, path, &Value::Null).await?;
    let next = next.map(|name| form::encoded_pairs(&[("cursor", name)]));
    let by_default = Permissions::by_default();
    let permissions = Permission::ALL.map(|one| (one.name(), by_default.allow(one))).into();
    let frame = visitor.frame(console, Some(Section::Users), "Users and roles");
    answer::page(200, &UsersPage { frame, users, next, is_later: cursor.is_some(), permissions })
}

async fn create(console: &Console, visitor: &Visitor) -> Answered {
    let names = Permission::ALL.map(Permission::name);
    let keys: Vec<&'static str> = ["username", "password"].into_iter().chain(names).collect();
    let form = posted(visitor, &keys)?;
    let username = needed(&form, "username")?;
    let permissions: Vec<_> = names.into_iter().filter(|name| form.text(name).is_some()).collect();
    let password = needed(&form, "password")?;
    let body = json!({ "username": username, "password": password, "permissions": permissions });
    console.ask::<Value>(visitor, (Method::Post, "users", ""), &body).await?;
    done(console, visitor, "/users", format!("The user {username} was created."))
}

fn posted(visitor: &Visitor, keys: &[&'static str]) -> Result<Pairs, Trouble> {
    visitor.posts()?;
    form::form(&visitor.visit, keys)
}

fn needed<'f>(form: &'f Pairs, key: &str) -> Result<&'f str, Trouble> {
    form.text(key).ok_or_else(|| Trouble::bad(format!("{key}: is missing")))
}

/// Makes a change of a user that there is, and says whether anything was changed by it.
async fn operate(
    console: &Console,
    visitor: &Visitor,
    (change, username): (&str, &str),
    body: &Value,
) -> Answered {
    let path = format!("users/{change}");
    let reported: Value = console.ask(visitor, (Method::Post, &path, ""), body).await?;
    let notice = match reported.get("changed").and_then(Value::as_bool) {
        Some(false) => format!("The user {username} was so already; nothing was changed."),
        _ => format!("The user {username} was changed: {change}."),
    };
    done(console, visitor, "/users", notice)
}
