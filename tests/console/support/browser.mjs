// Chromium, and what has to hold of every page that it shows.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { axeSource, chromium, PLACE } from "./modules.mjs";

const SHOTS = join(PLACE, "shots");
/** The screens that every page is looked at on. */
export const SCREENS = [
  { name: "light", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { name: "narrow", colorScheme: "light", viewport: { width: 400, height: 800 } },
];

export async function launch() {
  const executablePath = process.env.CHROMIUM;
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}

/** A window of its own, which notes everything that must not happen on any page. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: SCREENS[0].viewport, ...options });
  const page = await context.newPage();
  const wrong = [];
  /** Statuses of pages that a test asks for on purpose, such as 404. */
  const expected = new Set();
  const isExpected = (text) => [...expected].some((status) => text.includes(`status of ${status}`));
  page.on("console", (message) => {
    const text = message.text();
    if (["error", "warning"].includes(message.type()) && !isExpected(text)) wrong.push(text);
  });
  page.on("pageerror", (error) => wrong.push(`error on ${page.url()}: ${error}`));
  page.on("requestfailed", (request) => {
    // A stream of events ends with the page that listens, and a download is no navigation.
    const why = request.failure()?.errorText ?? "";
    if (why !== "net::ERR_ABORTED") wrong.push(`${request.url()}: ${why}`);
  });
  page.on("response", async (answer) => {
    const [status, url] = [answer.status(), answer.url()];
    if (status >= 400 && !expected.has(status)) wrong.push(`${status} ${url}`);
    const policy = (await answer.allHeaders().catch(() => ({})))["content-security-policy"];
    if (!policy) return wrong.push(`no policy: ${url}`);
    if (/unsafe|\*|https?:/.test(policy)) wrong.push(`a weak policy: ${url}: ${policy}`);
  });
  // What a script that got in would call. A dialog would be the sign of one, too.
  page.on("dialog", async (dialog) => {
    if (dialog.message().includes("pwned")) wrong.push(`a script ran on ${page.url()}`);
    await dialog.accept();
  });
  return {
    page,
    context,
    expected,
    /** Fails with everything that went wrong since the last time. */
    fine(where) {
      assert.deepEqual(wrong.splice(0), [], where);
    },
    close: () => context.close(),
  };
}

/** Logs in with the admin token, as the page asks for it. */
export async function login(page, gateway) {
  await page.goto(`${gateway.adminUrl}/`);
  await page.locator("input[type=password]").first().fill(gateway.token);
  await page.locator("input[type=password]").first().press("Enter");
  await page.waitForURL((url) => !url.pathname.includes("login"));
}

/** What axe-core finds on the page as it is. */
export async function violations(page) {
  // By the debugger's protocol, which the policy of the page does not hold for.
  await page.evaluate(axeSource);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("; ")}`,
  );
}

/** By how much the page is wider than the window, in pixels. */
export const overhang = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** The words with digits (amounts, ids, numbers, days) that stand on two lines, outside of code. */
export const torn = (page) =>
  page.evaluate(() => {
    const found = [];
    const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      if (text.parentElement.closest("pre, textarea, option, svg")) continue;
      for (const { 0: word, index } of text.data.matchAll(/\S*\d\S*/g)) {
        if (word.length > 40) continue;
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + word.length);
        const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
        if (lines.size > 1) found.push(word);
      }
    }
    return found;
  });

/** The tables that are wider than the page and do not scroll in a place of their own. */
export const stuck = (page) =>
  page.locator("table").evaluateAll((tables) =>
    tables
      .filter((table) => {
        const place = table.closest("[role=region][tabindex='0'][aria-label]");
        if (!place) return true;
        place.scrollLeft = 9999;
        const moves = place.scrollLeft > 0;
        place.scrollLeft = 0;
        return place.scrollWidth > place.clientWidth && !moves;
      })
      .map((table) => table.caption?.textContent ?? table.outerHTML.slice(0, 80)),
  );

export async function shoot(page, name, { full = true } = {}) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: full, animations: "disabled" });
}

/** A picture for the documentation, where those are asked for. */
export async function picture(page, name) {
  const docs = process.env.CONSOLE_DOCS;
  if (!docs) return;
  mkdirSync(docs, { recursive: true });
  await page.screenshot({ path: join(docs, `${name}.png`), animations: "disabled" });
}
