// A gateway on a ledger of its own and on free ports, and calls to it as clients make them.

import { spawn, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
export const PROGRAM = process.env.REFUND_GATEWAY;
/** The accounts and the payment method of the demo. */
export const EXTERNAL_ACCOUNT = "402892c72b9e3319012b9e34b88e0001";
export const ELECTRONIC_ACCOUNT = "2c92c0f83ddb61af013ddc5736b1025a";
export const METHOD = "2c92c0f83dfa5201013dfa6656ff2b8b";
export const DEMO_SEED = join(ROOT, "src/service/seed/demo.toml");

const TOKEN = "t".repeat(64);
const NAMESPACES =
  `xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:a="http://api.zuora.com/" ` +
  `xmlns:o="http://object.api.zuora.com/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`;

/** Text as XML writes it. */
export const escaped = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

const fields = (of) =>
  Object.entries(of).map(([name, value]) => `<o:${name}>${escaped(value)}</o:${name}>`).join("");

/** An object of a create, such as a Refund, with these fields. */
export const zobject = (type, of) => `<a:zObjects xsi:type="o:${type}">${fields(of)}</a:zObjects>`;

/** The refund of the documented example to an external payee, with further fields. */
export const externalRefund = (amount, more = {}) =>
  zobject("Refund", {
    AccountId: EXTERNAL_ACCOUNT,
    Amount: amount,
    SourceType: "CreditBalance",
    Type: "External",
    MethodType: "Check",
    ...more,
  });

/** The refund of the documented example by a gateway, with further fields. */
export const electronicRefund = (amount, more = {}) =>
  zobject("Refund", {
    AccountId: ELECTRONIC_ACCOUNT,
    Amount: amount,
    SourceType: "CreditBalance",
    Type: "Electronic",
    PaymentMethodID: METHOD,
    ...more,
  });

/** A configuration with a webhook that takes nothing, because nothing listens where it is. */
export const DEAF_WEBHOOK =
  "[[webhook]]\nname = 'books'\nurl = 'http://127.0.0.1:9/hook'\nsecret = 'a secret of tests alone'\n";

/** Loads a seed into a ledger that is not served. */
export function seed(ledger, file) {
  execFileSync(PROGRAM, ["seed", file, "--ledger", ledger], { stdio: "pipe" });
}

/**
 * Starts a gateway: on a test ledger with the demo, or with `real` on a ledger of real books that
 * the demo's seed was loaded into. `more` are further arguments, `config` is a configuration file.
 */
export async function start({ real = false, more = [], seedText = null, config = "" } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "console-"));
  const ledger = join(folder, "ledger.db");
  const seedFile = join(folder, "seed.toml");
  if (seedText) writeFileSync(seedFile, seedText);
  const configFile = join(folder, "config.toml");
  writeFileSync(configFile, config);
  if (real) seed(ledger, DEMO_SEED);
  if (real && seedText) seed(ledger, seedFile);
  const kind = real ? [] : ["--demo", ...(seedText ? ["--seed", seedFile] : [])];
  const ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  const configured = ["--config", configFile];
  const child = spawn(PROGRAM, ["serve", "--ledger", ledger, ...configured, ...ports, ...kind, ...more], {
    cwd: folder,
    env: { ...process.env, REFUND_GATEWAY_ADMIN_TOKEN: TOKEN },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (data) => (said += data));
  const { url, adminUrl } = await addresses(child, () => said);
  return {
    ...client(url, adminUrl, TOKEN),
    folder,
    ledger,
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      rmSync(folder, { recursive: true });
    },
  };
}

/** The two lines that `serve` prints once it takes calls. */
export async function addresses(child, said = () => "") {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const address = async (begin) => {
    const { value: line } = await lines.next();
    if (!line?.startsWith(begin)) throw new Error(`the gateway did not start: ${line} ${said()}`);
    return line.slice(begin.length);
  };
  return { url: await address("listening on "), adminUrl: await address("admin on ") };
}

/** Calls to a gateway that is served. */
export function client(url, adminUrl, token) {
  let session;
  const envelope = (body) => {
    const header = session ? `<a:SessionHeader><a:session>${session}</a:session></a:SessionHeader>` : "";
    return `<s:Envelope ${NAMESPACES}><s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;
  };
  const soap = async (body, headers = {}) => {
    const answer = await fetch(`${url}/apps/services/a/91.0`, {
      method: "POST",
      headers: { "Content-Type": "text/xml; charset=utf-8", ...headers },
      body: envelope(body),
    });
    return answer.text();
  };
  return {
    url,
    adminUrl,
    token,
    soap,
    async login() {
      session = undefined;
      const answer = await soap(
        "<a:login><a:username>demo@example.com</a:username><a:password>demo</a:password></a:login>",
      );
      session = /Session>([^<]+)</.exec(answer)[1];
    },
    /** Creates objects; returns the ids of those that were made and the whole answer. */
    async create(objects, headers = {}) {
      const answer = await soap(`<a:create>${objects}</a:create>`, headers);
      return { ids: [...answer.matchAll(/Id>([0-9a-f]{32})</g)].map((found) => found[1]), answer };
    },
    async admin(method, path, body) {
      const answer = await fetch(`${adminUrl}/api/v1/${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const content = await answer.json();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}: ${content.error}`);
      return content;
    },
  };
}

/** A report of a replay, with these texts where captures and servers put theirs. */
export function replayReport({ name, text, line = text }) {
  const case_ = (outcome, more) => ({ case: name, outcome, took_us: 1500, ...more });
  const check = { check: text, outcome: "failed", why: text };
  const step = { step: text, type: "request", outcome: "failed", why: text, checks: [check], notes: [text] };
  return {
    began: "2026-01-02T03:04:05Z",
    version: text,
    replayed: [text],
    endpoint: text,
    broke_off: text,
    summary: {
      passed: 1, failed: 2, updated: 0, skipped: 1, not_served: 1, not_run: 0, left_out: 3, took_us: 4500,
    },
    cases: [
      case_("passed"),
      case_("failed", {
        differences: [
          { kind: "status", in_words: text },
          { kind: "body", in_words: text, diff: [` ${line}`, `-${line}`, `+${line}${line}`, "  ..."] },
        ],
      }),
      case_("failed", { project: text, suite: text, why: text, steps: [step] }),
      case_("skipped", { why: text }),
      case_("not-served", { why: text }),
    ],
    unlisted: 1,
  };
}
