// What tests with the helper look like; they run beside each other, each with an account.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { start } from "./refund-gateway.mjs";

describe("refunds", { concurrency: true }, () => {
  let gateway;
  let session;

  before(async () => {
    gateway = await start();
    const answer = await gateway.soap(
      "<api:login><api:username>demo@example.com</api:username>" +
        "<api:password>demo</api:password></api:login>",
    );
    const [, id] = answer.match(/Session>([^<]+)</);
    session = `<api:SessionHeader><api:session>${id}</api:session></api:SessionHeader>`;
  });

  after(() => gateway.stop());

  const refund = (account, amount) =>
    gateway.soap(
      '<api:create><api:zObjects xsi:type="obj:Refund"><obj:Type>External</obj:Type>' +
        "<obj:SourceType>CreditBalance</obj:SourceType><obj:MethodType>Check</obj:MethodType>" +
        `<obj:AccountId>${account}</obj:AccountId><obj:Amount>${amount}</obj:Amount>` +
        "</api:zObjects></api:create>",
      session,
    );

  it("makes a refund once", async () => {
    const account = await gateway.addAccount();
    assert.match(await refund(account, "10"), /Success>true</);
    const fields = { Amount: 10 };
    const wanted = { operation: "create", account, fields, count: 1 };
    const verdict = await gateway.admin("POST", "journal/verify", wanted);
    assert.ok(verdict.verified, JSON.stringify(verdict.near_misses));
  });

  it("refuses more than there is", async () => {
    const account = await gateway.addAccount("5.00");
    assert.match(await refund(account, "5.01"), /INVALID_VALUE/);
  });
});
