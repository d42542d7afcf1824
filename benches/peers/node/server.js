// A refund server as a plain Node program: `soap` with better-sqlite3, one transaction for each
// request, durable before the answer.
//
// usage: node server.js DATABASE SCHEMA ACCOUNTS SESSION WSDL

const fs = require("fs");
const http = require("http");
const Database = require("better-sqlite3");
const soap = require("soap");

const [path, schema, accounts, session, wsdl] = process.argv.slice(2);
const database = new Database(path);
database.pragma("journal_mode = wal");
database.pragma("synchronous = full");
database.pragma("foreign_keys = on");
database.transaction(() => {
    database.exec(fs.readFileSync(schema, "utf8"));
    database.prepare("insert into session values (?, 'bench')").run(session);
    const insert = database.prepare("insert into account values (?, 100000000000)");
    for (let number = 0; number < Number(accounts); number++) {
        insert.run(number.toString(16).padStart(32, "0"));
    }
})();

const findSession = database.prepare("select 1 from session where token = ?");
const findBalance = database.prepare("select balance from account where id = ?").pluck();
const debit = database.prepare("update account set balance = ? where id = ?");
const insertRefund = database.prepare(
    "insert into refund (id, account, amount, method_type, created_ms) values (?, ?, ?, ?, ?)",
);
const insertEntry = database.prepare(
    "insert into entry (account, refund, delta, balance) values (?, ?, ?, ?)",
);

class Refused extends Error {}

function needed(refund, field) {
    if (!refund[field]) throw new Refused(field);
    return refund[field];
}

let made = 0;

function createOne(refund) {
    const account = needed(refund, "AccountId");
    const method = needed(refund, "MethodType");
    if (needed(refund, "Type") !== "External") throw new Refused("Type");
    const amount = Math.round(Number(needed(refund, "Amount")) * 100);
    if (!(amount > 0)) throw new Refused("Amount");
    const balance = findBalance.get(account);
    if (balance === undefined) throw new Refused("AccountId");
    if (balance < amount) throw new Refused("Amount");
    debit.run(balance - amount, account);
    const moment = Date.now();
    const id = moment.toString(16).padStart(16, "0") + (++made).toString(16).padStart(16, "0");
    const number = insertRefund.run(id, account, amount, method, moment).lastInsertRowid;
    insertEntry.run(account, number, -amount, balance - amount);
    return { Id: id, Success: true };
}

const createAll = database.transaction((objects) => objects.map(createOne)).immediate;

function create(request, callback, header) {
    const token = header && header.SessionHeader && header.SessionHeader.session;
    if (!token || !findSession.get(token)) throw new Error("invalid session");
    try {
        return { result: createAll([].concat(request.zObjects)) };
    } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const refusal = { Code: "INVALID_VALUE", Message: error.message };
        return { result: [{ Errors: [refusal], Success: false }] };
    }
}

const server = http.createServer((request, response) => response.writeHead(404).end());
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", 1024, () => {
    const service = { ZuoraService: { Soap: { create } } };
    soap.listen(server, "/apps/services/a/91.0", service, fs.readFileSync(wsdl, "utf8"));
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
