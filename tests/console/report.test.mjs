// The page that `replay --html` writes, in the same browser and held to the same as the console.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, describe, test } from "node:test";
import { launch, overhang, picture, SCREENS, shoot, violations } from "./support/browser.mjs";
import { PROGRAM, ROOT } from "./support/gateway.mjs";

describe("the report of a replay", () => {
  let folder, browser, report;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "report-"));
    const cases = join(folder, "cases");
    const names = ["external/documented-example", "external/comment-and-reason-code", "faults/type-unknown"];
    for (const name of names) {
      cpSync(join(ROOT, "fixtures", name), join(cases, name), { recursive: true });
    }
    cpSync(join(ROOT, "fixtures/seed.toml"), join(cases, "seed.toml"));
    // One differs, by a line that is longer than any screen.
    const answer = join(cases, "external/comment-and-reason-code/response.xml");
    const text = readFileSync(answer, "utf8");
    writeFileSync(answer, text.replace("true</", `${"long".repeat(120)}</`));
    report = join(folder, "report.html");
    const { status } = spawnSync(PROGRAM, ["replay", cases, "--html", report]);
    assert.equal(status, 1);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    if (folder) rmSync(folder, { recursive: true });
  });

  for (const { name, ...options } of SCREENS) {
    test(`can be read on a ${name} screen`, async () => {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const wrong = [];
      page.on("console", (message) => wrong.push(message.text()));
      page.on("request", (request) => {
        if (!request.url().startsWith("file:")) wrong.push(request.url());
      });
      await page.goto(pathToFileURL(report).href);
      assert.deepEqual(await violations(page), []);
      assert.ok((await overhang(page)) <= 0);
      assert.match(await page.locator("h1").textContent(), /2 passed, 1 failed/);
      assert.ok(await page.locator("ins").first().isVisible());
      await shoot(page, `report-${name}`);
      if (name === "light") await picture(page, "report");
      // Long lines are folded, and open.
      await page.locator("pre details summary").first().click();
      assert.ok(await page.locator("pre details[open]").first().isVisible());
      // An outcome that is not wanted goes away.
      await page.locator("#show-failed").uncheck();
      assert.equal(await page.locator("section.failed").isVisible(), false);
      assert.deepEqual(wrong, []);
      await context.close();
    });
  }
});
