// A gateway on which something of everything has happened, so that no page is empty.

import { electronicRefund, externalRefund, replayReport } from "./gateway.mjs";

/** A third party's view of a ledger that was in use: refunds, a stuck one, rejected calls. */
export async function live(gateway, { isTest }) {
  await gateway.login();
  for (const amount of ["10", "12.50", "7.25"]) await gateway.create(externalRefund(amount));
  await gateway.create(electronicRefund("20", { Comment: "two lamps" }));
  await gateway.create(externalRefund("99999"));
  await gateway.create(externalRefund("1", { AccountId: "402892c72b9e3319012b9e34b88e0002" }));
  await gateway.create(externalRefund("2"), { "Idempotency-Key": "order-1" });
  await gateway.soap("<a:query><a:queryString>select Id from Refund</a:queryString></a:query>");
  await gateway.soap("<a:craete/>");
  if (isTest) {
    const rule = { answer: "drop-before", amount: "13.00" };
    await gateway.admin("POST", "gateways/sandbox/rules", rule);
    const declined = { answer: "decline", amount: "14.00", code: "54", text: "Do not honour" };
    await gateway.admin("POST", "gateways/sandbox/rules", declined);
    await gateway.create(electronicRefund("14"));
    await gateway.create(electronicRefund("13"));
    const texts = { name: "external/whole-balance", text: "a text of it", line: "<Success>true</Success>" };
    await gateway.admin("POST", "reports", replayReport(texts));
    // After two days its gateway is not asked any more, and it needs a hand.
    await gateway.admin("POST", "clock/advance", { seconds: 49 * 3600 });
  }
}
