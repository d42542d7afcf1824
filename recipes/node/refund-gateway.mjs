// A refund gateway for tests of Node (node:test): a process, and an account for each test.
//
// Node runs each test file in a process of its own, so that each file has a gateway and a ledger of
// its own; tests of one file share them and are kept apart by their accounts.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";

const envelope = (header, body) =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:api="http://api.zuora.com/" ` +
  `xmlns:obj="http://object.api.zuora.com/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` +
  `<s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;

/** Starts a gateway on a test ledger that is gone when it ends. */
export async function start() {
  const token = randomUUID();
  const child = spawn(
    process.env.REFUND_GATEWAY ?? "refund-gateway",
    ["serve", "--demo", "--listen", "127.0.0.1:0", "--ledger", ":memory:"],
    {
      env: { ...process.env, REFUND_GATEWAY_ADMIN_TOKEN: token },
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  // Two lines come once it accepts connections.
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const address = async (start) => {
    const { value: line } = await lines.next();
    if (!line?.startsWith(start)) throw new Error(`the gateway did not start: ${line}`);
    return line.slice(start.length);
  };
  const url = await address("listening on ");
  const adminUrl = await address("admin on ");

  const admin = async (method, path, body) => {
    const answer = await fetch(`${adminUrl}/api/v1/${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const content = await answer.json();
    if (!answer.ok) throw new Error(`${answer.status}: ${content.error}`);
    return content;
  };

  return {
    url,
    admin,
    async soap(body, header = "") {
      const answer = await fetch(`${url}/apps/services/a/91.0`, {
        method: "POST",
        headers: { "Content-Type": "text/xml; charset=utf-8" },
        body: envelope(header, body),
      });
      return answer.text();
    },
    async addAccount(creditBalance = "100.00") {
      const id = randomUUID().replaceAll("-", "");
      const toml =
        `[[account]]\nid = "${id}"\nnumber = "A-${id.slice(0, 12)}"\nname = "A test"\n` +
        `currency = "USD"\ncredit_balance = "${creditBalance}"\n`;
      await admin("POST", "seed", { toml });
      return id;
    },
    async stop() {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
