// How long pages take on a ledger with many refunds: percentiles of each page, on stdout. It asserts
// no time. Run by tests/console/run --load [REFUNDS], 100,000 without a number.

import { externalRefund, start } from "./support/gateway.mjs";

const REFUNDS = Number(process.argv[2] ?? 100_000);
const BATCH = 50;
const ROUNDS = 40;
const ACCOUNTS = 20;

const account = (number) => `402892c72b9e3319012b9e34b88f${String(number).padStart(4, "0")}`;
const seedText = Array.from({ length: ACCOUNTS }, (_, number) =>
  `[[account]]\nid = "${account(number)}"\nnumber = "L-${number}"\nname = "Load ${number}"\ncurrency = "USD"\ncredit_balance = "10000000.00"\n`,
).join("\n");

/** Logs in by the form and returns the session's cookie. */
async function session(gateway) {
  const answer = await fetch(`${gateway.adminUrl}/login`, {
    method: "POST",
    headers: { origin: gateway.adminUrl },
    body: new URLSearchParams({ token: gateway.token }),
    redirect: "manual",
  });
  return answer.headers.getSetCookie()[0].split(";")[0];
}

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

const gateway = await start({ seedText });
try {
  await gateway.login();
  const calls = Array.from({ length: Math.ceil(REFUNDS / BATCH) }, (_, number) => number);
  const send = async () => {
    for (let number = calls.pop(); number !== undefined; number = calls.pop()) {
      const refund = externalRefund("0.01", { AccountId: account(number % ACCOUNTS) });
      const { ids, answer } = await gateway.create(refund.repeat(BATCH));
      if (ids.length !== BATCH) throw new Error(answer);
    }
  };
  await Promise.all(Array.from({ length: 8 }, send));
  const headers = { cookie: await session(gateway) };
  const list = await (await fetch(`${gateway.adminUrl}/refunds`, { headers })).text();
  const refund = /href="(\/refunds\/[^"?]+)"/.exec(list)?.[1];
  const next = /href="(\/refunds\?[^"]*)" rel="next"/.exec(list)?.[1]?.replaceAll("&amp;", "&");
  const journal = await (await fetch(`${gateway.adminUrl}/journal`, { headers })).text();
  const call = /href="(\/journal\/\d+)"/.exec(journal)?.[1];
  const paths = ["/", "/refunds", next, "/refunds?account=" + account(3), refund, "/accounts",
    `/accounts/${account(3)}`, "/journal", "/journal?failed=true", call, "/bench", "/audit", "/audit?actor=none",
    "/audit?object=User", "/sessions"];
  console.log(`${REFUNDS} refunds, ${ROUNDS} times each, in ms: 50 %, 95 %, slowest`);
  for (const path of paths.filter(Boolean)) {
    const took = [];
    let status;
    for (let round = 0; round < ROUNDS; round += 1) {
      const began = performance.now();
      const answer = await fetch(gateway.adminUrl + path, { headers });
      await answer.arrayBuffer();
      took.push(performance.now() - began);
      status = answer.status;
    }
    took.sort((one, other) => one - other);
    const shown = [0.5, 0.95, 1].map((share) => percentile(took, share).toFixed(1).padStart(7));
    console.log(`${shown.join(" ")}  ${status} ${path}`);
  }
} finally {
  await gateway.stop();
}
