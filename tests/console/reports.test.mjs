// Reports of replays that were handed over by `replay --publish`: from the test bench to the line that
// differs, by the keyboard, with scripts and without.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch, login, open, picture, violations } from "./support/browser.mjs";
import { PROGRAM, ROOT, start } from "./support/gateway.mjs";

const HOSTILE = `<img src=x onerror=alert("pwned")>`;

describe("published reports", () => {
  let gateway, browser, folder;

  before(async () => {
    gateway = await start();
    folder = mkdtempSync(join(tmpdir(), "published-"));
    const cases = join(folder, "cases");
    const fixture = (name) => join(ROOT, "fixtures", name);
    const copies = { [HOSTILE]: "external/comment-and-reason-code", passes: "external/documented-example" };
    for (const [name, of] of Object.entries(copies)) {
      cpSync(fixture(of), join(cases, name), { recursive: true });
    }
    cpSync(fixture("seed.toml"), join(cases, "seed.toml"));
    const answer = join(cases, HOSTILE, "response.xml");
    const other = `<ns1:Other><![CDATA[${HOSTILE}]]></ns1:Other><ns1:Success>`;
    writeFileSync(answer, readFileSync(answer, "utf8").replace("<ns1:Success>", other));
    const env = { ...process.env, REFUND_GATEWAY_ADMIN_TOKEN: gateway.token };
    const args = ["replay", "cases", "--publish", "--admin", gateway.adminUrl];
    for (let turn = 0; turn < 2; turn += 1) {
      const { status, stderr } = spawnSync(PROGRAM, args, { env, cwd: folder, encoding: "utf8" });
      assert.equal(status, 1, stderr);
      assert.match(stderr, new RegExp(`${gateway.adminUrl}/bench/reports/${turn + 1}`));
    }
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await gateway?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  for (const javaScriptEnabled of [true, false]) {
    test(`are listed, newest first, and filtered${javaScriptEnabled ? "" : " without scripts"}`, async () => {
      const { page, fine, close } = await open(browser, { javaScriptEnabled });
      await login(page, gateway);
      await page.goto(`${gateway.adminUrl}/bench`);
      const link = page.getByRole("link", { name: "Replay reports", exact: true });
      await link.focus();
      await page.keyboard.press("Enter");
      await page.waitForURL(/reports$/);
      assert.deepEqual(await page.locator("tbody a").allTextContents(), ["2", "1"]);
      assert.match(await page.locator("tbody tr").first().textContent(), /1 failed.*1 passed/s);
      if (javaScriptEnabled) assert.deepEqual(await violations(page), []);
      await page.getByRole("link", { name: "Report 2" }).click();
      assert.match(await page.locator("#verdict").textContent(), /1 failed.*1 passed/s);
      // What differs is marked by a sign and by an element, beside the colour.
      const other = await page.locator("section.failed pre.body del").first().textContent();
      assert.match(other, /^- .*Other/);
      assert.equal(await page.locator("section.failed h2").textContent(), `Failed: cases/${HOSTILE}`);
      assert.equal(await page.getByText("passes").isVisible(), false);
      if (javaScriptEnabled) {
        assert.deepEqual(await violations(page), []);
        await picture(page, "replay-report");
      }
      await page.getByLabel("Outcome").selectOption("passed");
      await page.getByRole("button", { name: "Show" }).click();
      await page.waitForURL(/outcome=passed/);
      assert.equal(await page.locator("section.failed").count(), 0);
      assert.ok(await page.getByText("passes").isVisible());
      await page.getByRole("link", { name: "All" }).click();
      assert.equal(await page.locator("section.failed").count(), 1);
      assert.equal(await page.locator("main img").count(), 0);
      fine("reports");
      await close();
    });
  }
});
