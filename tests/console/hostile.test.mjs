// What a client can write is shown as text, wherever it is shown: no field of a call becomes a part
// of a page.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, login, open } from "./support/browser.mjs";
import { externalRefund, replayReport, start, zobject } from "./support/gateway.mjs";
import { pages } from "./support/visits.mjs";

/** Breaks out of text, attributes, scripts and templates; `pwned` says that one of them did. */
const HOSTILE =
  `"'><script>alert("pwned")</script><img src=x onerror=alert("pwned")></textarea></pre>` +
  `<svg onload=alert("pwned")>`;
const ESCAPED = HOSTILE.replaceAll("<", "&lt;");
const LINK = `javascript:alert("pwned")`;
const SEED = `
[[custom_field]]
object = "Refund"
name = "Note__c"
type = "string"
length = 255

[[user]]
username = '"><img src=x onerror=alert(1)>@example.com'
password = "pwned"
permissions = ["external-refund"]

[[account]]
id = "402892c72b9e3319012b9e34b88e0009"
number = '"><b>A9</b>'
name = '<img src=x onerror=alert("pwned")>'
currency = "USD"
credit_balance = "10.00"
`;

describe("what clients write", () => {
  let gateway, browser;

  before(async () => {
    gateway = await start({ seedText: SEED });
    await gateway.login();
    const texts = { Comment: HOSTILE, Note__c: HOSTILE };
    const { ids, answer } = await gateway.create(externalRefund("5", texts));
    assert.equal(ids.length, 1, answer);
    await gateway.create(externalRefund("6", { Comment: LINK }), {
      "Idempotency-Key": HOSTILE,
      "User-Agent": HOSTILE,
      "X-Request-Id": HOSTILE.replaceAll(" ", "").slice(0, 60),
    });
    // Values that are refused are quoted in what is said of them.
    const fields = ["AccountId", "Type", "MethodType", "RefundDate", "ReasonCode", "GatewayId", "ReferenceID"];
    for (const field of fields) {
      await gateway.create(externalRefund("7", { [field]: HOSTILE }));
    }
    const account = { Name: HOSTILE, AccountNumber: HOSTILE.slice(0, 50), Currency: "USD", Notes: HOSTILE };
    const billing = { Batch: "Batch1", BillCycleDay: "1", BcdSettingOption: "ManualSet" };
    await gateway.create(zobject("Account", { ...account, ...billing, Status: "Active" }));
    const query = `select Id from Refund where Comment = '${ESCAPED.replaceAll("'", "")}'`;
    await gateway.soap(`<a:query><a:queryString>${query}</a:queryString></a:query>`);
    const name = `<a:username>${ESCAPED}</a:username>`;
    await gateway.soap(`<a:login>${name}<a:password>x</a:password></a:login>`);
    await gateway.soap(`<a:create><script>alert("pwned")</script><img src="x" onerror="alert('pwned')"/></a:create>`);
    const post = (path, media, body) =>
      fetch(gateway.url + path, { method: "POST", headers: { "Content-Type": media }, body });
    await post("/apps/services/a/91.0", "text/xml", HOSTILE);
    await post("/v1/payments/x/refunds", "application/json", JSON.stringify({ comment: HOSTILE }));
    await gateway.admin("POST", "reports", replayReport({ name: HOSTILE, text: HOSTILE }));
    await gateway.admin("POST", "reports", replayReport({ name: LINK, text: LINK }));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await gateway?.stop();
  });

  test("is text on every page, and no part of it", async () => {
    const { page, fine, close } = await open(browser);
    await login(page, gateway);
    // Every call of the journal, whatever kind it is.
    const calls = await gateway.admin("GET", "journal?limit=100&bodies=false");
    const paths = new Set(await pages(page, gateway.adminUrl));
    for (const { id } of calls.exchanges) paths.add(`/journal/${id}`);
    let shown = 0;
    for (const path of paths) {
      await page.goto(gateway.adminUrl + path);
      const found = await page.evaluate(() => ({
        scripts: document.querySelectorAll("script:not([src])").length,
        images: document.querySelectorAll('img[src="x"], svg[onload]').length,
        handlers: [...document.querySelectorAll("*")].filter((one) =>
          [...one.attributes].some(({ name }) => name.startsWith("on")),
        ).length,
        links: [...document.links].filter((link) => link.protocol === "javascript:").length,
        shows: document.body.textContent.includes("pwned"),
      }));
      const { shows, ...parts } = found;
      assert.deepEqual(parts, { scripts: 0, images: 0, handlers: 0, links: 0 }, path);
      shown += Number(shows);
      fine(path);
    }
    assert.ok(shown >= 5, `it was shown on ${shown} pages only`);
    await close();
  });

  test("is text in fields that pages repeat", async () => {
    const { page, fine, expected, close } = await open(browser);
    await login(page, gateway);
    for (const status of [400, 404]) expected.add(status);
    const value = encodeURIComponent(HOSTILE);
    const repeated = ["/search?q=", "/journal?user=", "/journal?operation=", "/refunds?account=",
      "/refunds/", "/accounts/", "/bench/try?envelope=", "/bench/reports/1?outcome=", "/bench/reports/", "/login?next=", "/"];
    for (const path of repeated.map((path) => path + value)) {
      await page.goto(gateway.adminUrl + path);
      const parts = await page.locator('img[src="x"], script:not([src]), svg[onload]').count();
      assert.equal(parts, 0, path);
      fine(path);
    }
    await close();
  });
});
