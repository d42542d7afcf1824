// A stranger's first minutes: install the package, start it, open the console, see the first refund
// arrive, break it with an ordered fault, see why, settle a refund that is stuck, export the list.
//
// With GATEWAY_DEB the package is installed for it, by root, and purged afterwards; without,
// the program that was built is used as if it were installed.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch, login, open, picture, shoot } from "./support/browser.mjs";
import { addresses, client, electronicRefund, externalRefund, PROGRAM } from "./support/gateway.mjs";

const PACKAGE = process.env.GATEWAY_DEB;

describe("a stranger's first minutes", () => {
  let child, folder, gateway, browser, window, page;
  const go = (path) => page.goto(gateway.adminUrl + path);

  before(async () => {
    if (PACKAGE) execFileSync("dpkg", ["--install", PACKAGE], { stdio: "pipe" });
    const program = PACKAGE ? "/usr/bin/refund-gateway" : PROGRAM;
    folder = mkdtempSync(join(tmpdir(), "stranger-"));
    const ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    const stdio = ["ignore", "pipe", "ignore"];
    child = spawn(program, ["serve", "--demo", ...ports], { cwd: folder, stdio });
    const { url, adminUrl } = await addresses(child);
    // Where the login says that the token is.
    const token = readFileSync(join(folder, "refund-gateway.db.admin-token"), "utf8").trim();
    gateway = client(url, adminUrl, token);
    browser = await launch();
    window = await open(browser);
    page = window.page;
  });
  after(async () => {
    await browser?.close();
    if (child) {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    }
    if (folder) rmSync(folder, { recursive: true });
    if (PACKAGE) execFileSync("dpkg", ["--purge", "refund-gateway"], { stdio: "pipe" });
  });

  test("one logs in and sees the first refund arrive", async () => {
    await login(page, gateway);
    await gateway.login();
    assert.equal((await gateway.create(externalRefund("10"))).ids.length, 1);
    await page.locator("main").getByText("R-00000001").first().waitFor();
    await shoot(page, "first-minutes-arrived");
    await picture(page, "overview");
    window.fine("the first refund");
  });

  test("one breaks a call with an ordered fault and sees why it failed", async () => {
    await go("/bench");
    await page.getByText("Order a fault").click();
    await page.getByRole("button", { name: "Order it" }).click();
    await page.locator(".notice").waitFor();
    const { answer } = await gateway.create(externalRefund("11"));
    assert.match(answer, /TRANSACTION_FAILED/);
    await go("/journal?failed=true");
    await page.locator("#calls tbody a").first().click();
    assert.match(await page.locator("ul.why").textContent(), /TRANSACTION_FAILED/);
    await shoot(page, "first-minutes-why");
    window.fine("the ordered fault");
  });

  test("one settles a refund that is stuck", async () => {
    await go("/bench");
    await page.getByLabel("Answer", { exact: true }).selectOption("drop-before");
    await page.getByRole("button", { name: "Add the rule" }).click();
    await page.locator(".notice").waitFor();
    assert.equal((await gateway.create(electronicRefund("13"))).ids.length, 1);
    // After two days the gateway is not asked any more, and the refund is left to people.
    await go("/bench");
    await page.getByLabel("Move on by seconds").fill(String(49 * 3600));
    await page.getByRole("button", { name: "Move on" }).click();
    await page.locator(".notice").waitFor();
    await go("/");
    await page.locator("#hands").getByRole("link", { name: /R-00000002/ }).click();
    await page.getByLabel(/reason/i).fill("the bank says that it was paid");
    await page.getByRole("button", { name: /settle/i }).click();
    await page.getByText(/the bank says that it was paid/).first().waitFor();
    assert.match(await page.locator("main").textContent(), /Processed/);
    await shoot(page, "first-minutes-settled");
    await picture(page, "refund");
    window.fine("settling");
  });

  test("one exports the list", async () => {
    await go("/refunds");
    await picture(page, "refunds");
    const loading = page.waitForEvent("download");
    await page.getByRole("link", { name: /csv/i }).click();
    const text = readFileSync(await (await loading).path(), "utf8");
    const lines = text.trim().split(/\r?\n/);
    assert.equal(lines.length, 3, text);
    assert.match(text, /R-00000001/);
    assert.match(text, /R-00000002/);
    window.fine("the export");
  });
});
