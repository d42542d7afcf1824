//! v1 operations that read: refunds and their parts, credit memos and their items, payments.

use super::V1;
use super::lists::{self, Paging};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::id::RefundId;
use crate::domain::text::Text;
use crate::domain::vocabulary::{CreditMemoStatus, PaymentStatus, RefundStatus};
use crate::ledger::views::{ListPage, RefundPartItemView, RefundPartView, View, Views};
use crate::rest::answer::Response;
use crate::rest::error::{Reason, Wrong};
use crate::rest::failing::Stop;
use crate::rest::paths::Operation;
use crate::rest::query::Parameters;

impl V1<'_> {
    /// Answers a call that changes nothing.
    pub(super) async fn read(self, operation: Operation) -> Result<Response, Stop> {
        let key = ObjectKey::of(self.keys.object());
        match operation {
            Operation::ListRefunds => self.refunds().await,
            Operation::ListMemos => self.memos().await,
            Operation::ListPayments => self.payments().await,
            Operation::GetMemo => {
                let memo = self.views().credit_memo(key).await?.ok_or_else(|| self.no_such())?;
                Ok(self.one(&View::CreditMemo(Box::new(memo))))
            }
            Operation::GetPayment => {
                let payment = self.views().payment(key).await?.ok_or_else(|| self.no_such())?;
                Ok(self.one(&View::Payment(Box::new(payment))))
            }
            Operation::GetMemoItems => self.memo_items(key).await,
            Operation::ListParts
            | Operation::GetPart
            | Operation::ListItemParts
            | Operation::GetItemPart => self.parts(operation, key).await,
            _ => self.refund_asked_about(key).await,
        }
    }

    /// The read models of the ledger.
    pub(super) fn views(&self) -> &dyn Views {
        self.service.ledger().as_ref()
    }

    /// A refund as it is once its gateway, if it has not answered yet, was asked what became of it.
    async fn refund_asked_about(&self, key: ObjectKey) -> Result<Response, Stop> {
        let found = self.views().refund(key.clone()).await?.ok_or_else(|| self.no_such())?;
        match RefundId::parse(found.id.as_str()) {
            Some(id) if found.status == RefundStatus::Processing => {
                self.service.ask_about(id, self.context.deadline.at()).await;
                self.refund_now(key).await
            }
            _ => Ok(self.one(&View::Refund(Box::new(found)))),
        }
    }

    /// A refund as it is now.
    pub(super) async fn refund_now(&self, key: ObjectKey) -> Result<Response, Stop> {
        let refund = self.views().refund(key).await?.ok_or_else(|| self.no_such())?;
        Ok(self.one(&View::Refund(Box::new(refund))))
    }

    fn one(&self, view: &View) -> Response {
        let mut page = self.page();
        page.view(view);
        Response::done(page.into_bytes())
    }

    async fn refunds(self) -> Result<Response, Stop> {
        let query = self.parameters()?;
        let list = lists::refunds(&query, self.tenant.time_zone).map_err(wrong)?;
        let paging = Paging { page: list.page, page_size: list.page_size };
        let found = self.views().refunds(list).await?;
        Ok(self.list("refunds", &found, Some((&query, paging)), |page, refund| {
            page.refund_row(refund);
        }))
    }

    async fn memos(self) -> Result<Response, Stop> {
        let query = self.parameters()?;
        let list = lists::objects(&query, CreditMemoStatus::NAMES).map_err(wrong)?;
        let paging = Paging { page: list.page, page_size: list.page_size };
        let found = self.views().credit_memos(list).await?;
        Ok(self.list("creditmemos", &found, Some((&query, paging)), |page, memo| {
            page.json().object();
            page.credit_memo(memo);
            page.json().close();
        }))
    }

    async fn payments(self) -> Result<Response, Stop> {
        let query = self.parameters()?;
        let list = lists::objects(&query, PaymentStatus::NAMES).map_err(wrong)?;
        let paging = Paging { page: list.page, page_size: list.page_size };
        let found = self.views().payments(list).await?;
        Ok(self.list("payments", &found, Some((&query, paging)), |page, payment| {
            page.json().object();
            page.payment(payment);
            page.json().close();
        }))
    }

    async fn memo_items(self, key: ObjectKey) -> Result<Response, Stop> {
        let query = self.parameters()?;
        let paging = lists::paging(&query).map_err(wrong)?;
        let memo = self.views().credit_memo(key.clone()).await?.ok_or_else(|| self.no_such())?;
        let items = self.views().credit_memo_items(key).await?.ok_or_else(|| self.no_such())?;
        let found = paged(items, paging);
        Ok(self.list("items", &found, Some((&query, paging)), |page, item| {
            page.memo_item(item, memo.currency, false);
        }))
    }

    /// What a refund took, and of which items.
    async fn parts(self, operation: Operation, key: ObjectKey) -> Result<Response, Stop> {
        let part = self.views().refund_part(key).await?.ok_or_else(|| self.no_such())?;
        if operation == Operation::ListParts {
            let found = ListPage { rows: vec![part], has_more: false };
            return Ok(self.list("parts", &found, None, |page, part| {
                page.json().object();
                page.part(part);
                page.json().close();
            }));
        }
        if part.id.as_str() != self.keys.part() {
            return Err(self.no_such_part(self.keys.part()).into());
        }
        match operation {
            Operation::GetPart => Ok(self.part(&part)),
            Operation::ListItemParts => {
                let query = self.parameters()?;
                let paging = lists::paging(&query).map_err(wrong)?;
                let RefundPartView { items, refund, .. } = part;
                let found = paged(items, paging);
                Ok(self.list("itemParts", &found, Some((&query, paging)), |page, item| {
                    page.json().object();
                    page.item_part(item, &refund);
                    page.json().close();
                }))
            }
            _ => {
                let wanted = |item: &&RefundPartItemView| item.id.as_str() == self.keys.item();
                let item = part.items.iter().find(wanted);
                let item = item.ok_or_else(|| self.no_such_part(self.keys.item()))?;
                let mut page = self.page();
                page.json().object();
                page.item_part(item, &part.refund);
                page.json().name("success").bool(true);
                Ok(Response::done(page.into_bytes()))
            }
        }
    }

    fn part(&self, part: &RefundPartView) -> Response {
        let mut page = self.page();
        page.json().object();
        page.part(part);
        page.json().name("success").bool(true);
        Response::done(page.into_bytes())
    }

    /// A list, with the way to the next page where there is one.
    fn list<T>(
        &self,
        name: &str,
        found: &ListPage<T>,
        paging: Option<(&Parameters, Paging)>,
        mut row: impl FnMut(&mut super::render::Page, &T),
    ) -> Response {
        let mut page = self.page();
        page.json().object().name(name).list();
        for one in &found.rows {
            row(&mut page, one);
        }
        page.json().close();
        if let Some((query, paging)) = paging.filter(|_| found.has_more) {
            let next = lists::next_page(&self.head.base_url, &self.head.path, query, paging);
            page.json().name("nextPage").text(&next);
        }
        page.json().name("success").bool(true);
        Response::done(page.into_bytes())
    }
}

/// The rows of one page of what is all there.
fn paged<T>(all: Vec<T>, paging: Paging) -> ListPage<T> {
    let size = usize::try_from(paging.page_size).unwrap_or(usize::MAX);
    let before = usize::try_from(paging.page - 1).unwrap_or(usize::MAX).saturating_mul(size);
    let has_more = all.len() > before.saturating_add(size);
    ListPage { rows: all.into_iter().skip(before).take(size).collect(), has_more }
}

fn wrong(text: Text) -> Reason {
    Reason::of_request(Wrong::Parameter, text)
}
