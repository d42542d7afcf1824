// What operators decide on any ledger, by the pages: deliveries to webhooks that failed, and sessions.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, login, open, violations } from "./support/browser.mjs";
import { DEAF_WEBHOOK, externalRefund, start } from "./support/gateway.mjs";

describe("on a ledger of real books", () => {
  let gateway, browser, window, page;
  const notice = () => page.locator(".notice").textContent();
  const go = (path) => page.goto(gateway.adminUrl + path);
  const press = (name) => page.getByRole("button", { name, exact: true }).click();

  before(async () => {
    gateway = await start({ real: true, config: DEAF_WEBHOOK });
    await gateway.login();
    browser = await launch();
    window = await open(browser);
    page = window.page;
    await login(page, gateway);
  });
  after(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  test("a delivery that failed is tried again, and skipped with a reason", async () => {
    await gateway.create(externalRefund("10"));
    const failed = async () => (await gateway.admin("GET", "webhooks/books/failures")).failures;
    while ((await failed()).length === 0) await new Promise((done) => setTimeout(done, 50));
    await go("/webhooks");
    await page.getByRole("link", { name: "books" }).click();
    await press("Retry now: event 1");
    assert.match(await notice(), /Event 1 is being tried again/);
    assert.deepEqual(await violations(page), []);
    await page.getByText("Skip it").click();
    await page.getByLabel("Reason, for the audit").fill("booked by hand");
    assert.deepEqual(await violations(page), []);
    await press("Skip event 1");
    assert.match(await notice(), /Event 1 is skipped/);
    assert.match(await page.locator("main").textContent(), /Nothing failed/);
    await go("/audit?object=Delivery");
    assert.match(await page.locator("tbody").textContent(), /skip Delivery.*booked by hand/s);
    window.fine("deliveries");
  });
});
