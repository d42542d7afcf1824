// Walking through the console: every page that links lead to, a few of each kind.

/** How many pages of one kind are looked at, such as those of one refund; one of each filter. */
const ofAKind = (path) => (path.includes("?") ? 1 : 2);

/** A path without what tells one thing of a kind from another. */
const kindOf = (path) =>
  path
    .replace(/\?.*/, (query) => `?${[...new URLSearchParams(query).keys()].sort().join("&")}`)
    .replace(/\/[^/?]*\d[^/?]*/g, "/*");

/** The pages that links lead to from the front page on, in the order in which they are found. */
export async function pages(page, base) {
  const found = ["/"];
  const kinds = new Map([["/", 1]]);
  for (let next = 0; next < found.length; next += 1) {
    await page.goto(base + found[next]);
    const links = await page.locator("a[href]:not([download])").evaluateAll((all) =>
      all.map((link) => link.href),
    );
    for (const link of links) {
      const url = new URL(link);
      const path = url.pathname + url.search;
      const isFile = /\.(csv|xml|json|md|toml)$/.test(url.pathname) || url.pathname === "/metrics";
      if (url.origin !== base || isFile || found.includes(path)) continue;
      const kind = kindOf(path);
      const many = kinds.get(kind) ?? 0;
      if (many >= ofAKind(path)) continue;
      kinds.set(kind, many + 1);
      found.push(path);
    }
  }
  return found;
}

/** What a page is called in names of files. */
export const fileName = (path) => path.replace(/^\//, "").replace(/[^A-Za-z0-9]+/g, "-").slice(0, 60) || "front";
