// The journal and the test bench: each of their actions, as a tester does them.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, login, open, picture, violations } from "./support/browser.mjs";
import { EXTERNAL_ACCOUNT, externalRefund, start } from "./support/gateway.mjs";

describe("journal and test bench", () => {
  let gateway, browser, window, page;
  const notice = () => page.locator(".notice").textContent();
  const go = (path) => page.goto(gateway.adminUrl + path);
  const press = (name) => page.getByRole("button", { name, exact: true }).click();

  before(async () => {
    gateway = await start();
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

  test("a call appears in the journal while its page is open", async () => {
    await go("/journal");
    const rows = await page.locator("#calls tbody tr").count();
    await gateway.create(externalRefund("10"));
    await page.locator("#calls tbody tr").nth(rows).waitFor();
    window.fine("the live journal");
  });

  test("a call that was refused says why, and what differs from the nearest", async () => {
    await gateway.create(externalRefund("10", { AccountId: `${EXTERNAL_ACCOUNT.slice(0, -1)}2` }));
    await go("/journal?failed=true");
    await picture(page, "journal");
    await page.locator("#calls tbody a").first().click();
    const why = await page.locator("ul.why").textContent();
    assert.match(why, /Row 1: INVALID_VALUE/);
    assert.match(why, new RegExp(`near it is ${EXTERNAL_ACCOUNT}`));
    assert.match(await page.locator("pre.body ins").first().textContent(), /88e0002/);
    assert.match(await page.locator("pre.body del").first().textContent(), /88e0001/);
    await picture(page, "call");
    assert.deepEqual(await violations(page), []);
    window.fine("a refused call");
  });

  test("a call is a command and a case of a catalogue, without its secrets", async () => {
    await page.getByText("As curl").click();
    const command = await page.locator("details[open] pre").first().textContent();
    assert.match(command, new RegExp(`curl .* '${gateway.url}/apps/services/a/91.0'`));
    assert.match(command, /<a:session>{{session}}<\/a:session>/);
    await page.getByText("As a fixture").click();
    for (const name of ["request.xml", "response.xml", "about.md", "replay.toml"]) {
      const loading = page.waitForEvent("download");
      await page.getByRole("link", { name, exact: true }).click();
      assert.equal((await loading).suggestedFilename(), name);
    }
    window.fine("handing on");
  });

  test("the fault of a call is ordered for the next one, and taken back", async () => {
    await press("Order it");
    assert.match(await notice(), /is ordered/);
    const { answer } = await gateway.create(externalRefund("3"));
    assert.match(answer, /INVALID_VALUE/);
    await go("/bench");
    await page.getByText("Order a fault").click();
    await page.locator("#fault-kind").selectOption("fault");
    await page.locator("#fault-code").fill("SERVER_UNAVAILABLE");
    await page.locator("#fault-times").fill("0");
    await press("Order it");
    await picture(page, "bench");
    const ordered = await page.locator("#ordered").textContent();
    assert.match(ordered, /create, fails with SERVER_UNAVAILABLE/);
    assert.match((await gateway.create(externalRefund("3"))).answer, /SERVER_UNAVAILABLE/);
    await page.getByRole("button", { name: /^Take fault/ }).first().click();
    assert.match(await notice(), /taken back/);
    assert.equal((await gateway.create(externalRefund("3"))).ids.length, 1);
    window.fine("faults");
  });

  test("a fault with a wrong word is refused, with the word that was meant", async () => {
    window.expected.add(400);
    await go("/bench");
    await page.getByText("Order a fault").click();
    await page.locator("#fault-code").fill("TRANSACTION_FAILD");
    await press("Order it");
    assert.match(await page.locator(".trouble").textContent(), /TRANSACTION_FAILED/);
    window.fine("a wrong word");
  });

  test("the clock stands, moves on and runs", async () => {
    await go("/bench");
    await page.getByLabel("Stand still at").fill("2030-01-02T03:04:05Z");
    await press("Stop the clock");
    assert.match(await page.locator("#time").textContent(), /2030-01-02T03:04:05.*stands still/s);
    await press("Move on");
    assert.match(await page.locator("#time").textContent(), /2030-01-02T03:19:05/);
    await press("Let it run");
    assert.match(await page.locator("#time").textContent(), /runs/);
    window.fine("the clock");
  });

  test("a seed is loaded, and one with an error is named by its line and stays", async () => {
    window.expected.add(400);
    await go("/bench");
    const seed = (currency) =>
      `[[account]]\nid = "402892c72b9e3319012b9e34b88e00aa"\nnumber = "A-77"\nname = "n"\n` +
      `${currency} = "USD"\ncredit_balance = "1.00"\n`;
    await page.getByLabel("TOML to load into the ledger").fill(seed("curency"));
    await press("Load it");
    assert.match(await page.locator(".trouble").textContent(), /line 5.*currency/s);
    const field = page.getByLabel("TOML to load into the ledger");
    assert.match(await field.inputValue(), /curency/);
    await field.fill(seed("currency"));
    await press("Load it");
    assert.match(await notice(), /1 new/);
    window.fine("seeds");
  });

  test("a snapshot is saved, put back and dropped, and a reset begins anew", async () => {
    await go("/bench");
    await page.getByLabel("Name").fill("before");
    await press("Save the ledger");
    assert.match(await page.locator("#saved").textContent(), /before/);
    await press("Put before back");
    assert.match(await notice(), /as it was in before/);
    await press("Drop before");
    assert.match(await notice(), /gone/);
    await press("Reset to the seeds");
    assert.match(await notice(), /as its seeds say/);
    await go("/journal");
    assert.match(await page.locator("#calls").textContent(), /no such call yet/);
    window.fine("snapshots and the reset");
  });

  test("an envelope of the catalogue is chosen, changed and sent", async () => {
    await go("/bench/try");
    await page.getByLabel("Envelope of the catalogue").selectOption("external/documented-example");
    await press("Begin with it");
    const body = page.getByLabel("Body");
    await body.fill((await body.inputValue()).replace(/Amount>[0-9.]+</, "Amount>1.23<"));
    await press("Send it");
    assert.match(await page.locator("#answer").textContent(), /HTTP 200/);
    assert.match(await page.locator("pre.body").first().textContent(), /Success>true/);
    await picture(page, "try");
    assert.deepEqual(await violations(page), []);
    await page.getByRole("link", { name: "It is in the journal" }).click();
    assert.match(await page.locator("#calls").textContent(), /create/);
    window.fine("a trial");
  });

  test("one who may only read sees all of it, and no form that changes something", async () => {
    const [username, password, permissions] = ["reader@example.com", "reader", ["console-read"]];
    await gateway.admin("POST", "users", { username, password, permissions });
    const other = await open(browser);
    await other.page.goto(`${gateway.adminUrl}/login`);
    await other.page.getByText("Log in as a user instead").click();
    await other.page.getByLabel("User", { exact: true }).fill(username);
    await other.page.getByLabel("Password").fill(password);
    await other.page.getByLabel("Password").press("Enter");
    await other.page.waitForURL((url) => url.pathname === "/");
    for (const path of ["/bench", "/bench/try", "/journal"]) {
      await other.page.goto(gateway.adminUrl + path);
      const allowed = ':not([action="/logout"]):not([action="/bench/try"])';
      const forms = await other.page.locator(`form[method="post"]${allowed}`).count();
      assert.equal(forms, 0, path);
    }
    // A form that is sent all the same changes nothing.
    other.expected.add(403);
    const status = await other.page.evaluate(async () => {
      const csrf = document.querySelector("input[name=csrf]").value;
      const body = new URLSearchParams({ csrf });
      return (await fetch("/bench/reset", { method: "POST", body })).status;
    });
    assert.equal(status, 403);
    other.fine("a reader");
    await other.close();
  });

  test("a form without the token of its session, or from elsewhere, changes nothing", async () => {
    const cookies = await window.context.cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    const send = (origin, csrf) =>
      fetch(`${gateway.adminUrl}/bench/reset`, {
        method: "POST",
        headers: { cookie, origin, "Content-Type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ csrf }),
        redirect: "manual",
      });
    await go("/bench");
    const csrf = await page.locator("input[name=csrf]").first().inputValue();
    assert.equal((await send("http://evil.example", csrf)).status, 403);
    assert.equal((await send(gateway.adminUrl, "x".repeat(csrf.length))).status, 403);
    assert.ok(cookies.every(({ httpOnly, sameSite }) => httpOnly && sameSite === "Strict"));
  });
});
