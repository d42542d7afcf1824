// Every page that a link leads to, on a test ledger and on a real one: nothing goes wrong in the
// browser, axe-core finds nothing, nothing is wider than a narrow screen, and all of it works
// without scripts.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  launch, login, open, overhang, picture, SCREENS, shoot, stuck, torn, violations,
} from "./support/browser.mjs";
import { DEAF_WEBHOOK, start } from "./support/gateway.mjs";
import { live } from "./support/life.mjs";
import { fileName, pages } from "./support/visits.mjs";

const SECTIONS = [
  "refunds", "accounts", "journal", "gateways", "webhooks", "sessions", "users", "settings", "audit",
];

for (const isTest of [true, false]) {
  describe(isTest ? "on a test ledger" : "on a ledger of real books", () => {
    const kind = isTest ? "test" : "real";
    let gateway, browser, paths;

    before(async () => {
      gateway = await start({ real: !isTest, config: DEAF_WEBHOOK });
      await live(gateway, { isTest });
      browser = await launch();
    });
    after(async () => {
      await browser?.close();
      await gateway?.stop();
    });

    test("the front page leads to every section, and links lead to pages", async () => {
      const { page, fine, close } = await open(browser);
      await login(page, gateway);
      paths = await pages(page, gateway.adminUrl);
      fine("on the way through all pages");
      const wanted = isTest ? [...SECTIONS, "bench"] : SECTIONS;
      for (const section of wanted) assert.ok(paths.includes(`/${section}`), `/${section} of ${paths}`);
      assert.equal(paths.some((path) => path.startsWith("/bench")), isTest);
      await close();
    });

    for (const { name, ...options } of SCREENS) {
      test(`nothing is wrong with any page on a ${name} screen`, async () => {
        const { page, fine, close } = await open(browser, options);
        await page.goto(`${gateway.adminUrl}/login`);
        assert.deepEqual(await violations(page), [], "/login");
        if (name !== "dark") await picture(page, name === "light" ? "login" : "login-narrow");
        await login(page, gateway);
        for (const path of paths) {
          await page.goto(gateway.adminUrl + path);
          assert.deepEqual(await violations(page), [], path);
          assert.deepEqual(await torn(page), [], `${path} tears what should stand on one line`);
          assert.deepEqual(await stuck(page), [], `${path} has tables that do not scroll`);
          assert.ok((await overhang(page)) <= 0, `${path} is ${await overhang(page)} px too wide`);
          assert.equal(await page.locator("h1").count(), 1, `${path} has one title`);
          await shoot(page, `${kind}-${fileName(path)}-${name}`);
          fine(path);
        }
        await close();
      });
    }

    test("without scripts one logs in and reads every page", async () => {
      const { page, fine, close } = await open(browser, { javaScriptEnabled: false });
      await login(page, gateway);
      for (const path of paths) {
        const answer = await page.goto(gateway.adminUrl + path);
        assert.equal(answer.status(), 200, path);
        fine(path);
      }
      await page.getByRole("button", { name: "Log out" }).click();
      await page.waitForURL(/login/);
      fine("logging out");
      await close();
    });

    test("every answer has a policy without exceptions, redirects and errors too", async () => {
      for (const path of ["/", "/login", "/nothing", "/favicon.ico", "/refunds", "/assets/x/none"]) {
        const answer = await fetch(gateway.adminUrl + path, { redirect: "manual" });
        const policy = answer.headers.get("content-security-policy") ?? "";
        assert.match(policy, /default-src 'none'/, path);
        assert.doesNotMatch(policy, /unsafe|\*|http/, path);
      }
    });

    test("the keyboard alone leads through the console", async () => {
      const { page, fine, close } = await open(browser);
      await page.goto(`${gateway.adminUrl}/login`);
      const isPassword = await page.evaluate(() => document.activeElement?.type === "password");
      assert.ok(isPassword, "the field of the token has the focus");
      await page.keyboard.type(gateway.token);
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.pathname === "/");
      await page.keyboard.press("Tab");
      assert.match(await page.evaluate(() => document.activeElement.textContent), /skip/i);
      await page.keyboard.press("Enter");
      await page.keyboard.press("g");
      await page.keyboard.press("r");
      await page.waitForURL(/refunds/);
      await page.keyboard.press("/");
      const field = await page.evaluate(() => document.activeElement.type);
      assert.equal(field, "search");
      // Whatever can be clicked can be reached.
      const reached = new Set();
      for (let presses = 0; presses < 200; presses += 1) {
        await page.keyboard.press("Tab");
        const at = await page.evaluate(() => {
          const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")];
          return all.indexOf(document.activeElement);
        });
        if (reached.has(at) && reached.size > 5) break;
        if (at >= 0) reached.add(at);
      }
      assert.ok(reached.size > 10, `${reached.size} places were reached`);
      fine("by keyboard");
      await close();
    });
  });
}
