// Drives the npm package twilio against a gateway, as a program of a user would, and prints a line for each
// step. Ends with status 1 at the first thing that a user would not expect.
//
//	node driver.mjs BASE_URL ACCOUNT_SID AUTH_TOKEN REFUSED_NUMBER

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import twilio from "twilio";

const [base, account, token, refused] = process.argv.slice(2);

// The package knows one host. Its way to reach another is an HTTP client of the user's, here its own with
// another beginning of the URL.
class Gateway extends twilio.RequestClient {
  request(options) {
    const { pathname, search } = new URL(options.uri);
    return super.request({ ...options, uri: base + pathname + search });
  }
}
const httpClient = new Gateway();
const api = twilio(account, token, { httpClient });
const stranger = twilio(account, "wrong", { httpClient });

const number = "+4915112345678";
const service = "MG0123456789abcdef0123456789abcdef";
const fails = (status, code, promise) =>
  assert.rejects(promise, (e) => e instanceof twilio.RestException && e.status === status && e.code === code && e.message.length > 0);

const ends = async (sid, status) => {
  for (;;) {
    const m = await api.messages(sid).fetch();
    if (m.status === status) return m;
    assert.ok(["accepted", "queued", "sending", "sent"].includes(m.status), m.status);
    await sleep(20);
  }
};

// receiver is a user's server, which believes what the package finds rightly signed.
const receiver = async () => {
  const came = [];
  const server = createServer(async (req, res) => {
    const body = Object.fromEntries(new URLSearchParams(Buffer.concat(await req.toArray()).toString()));
    const valid = twilio.validateRequest(token, req.headers["x-twilio-signature"], url, body);
    came.push({ ...body, valid });
    res.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/status?a=1&b=%20x`;
  return { came, server, url };
};

let first;
const steps = {
  async create() {
    const m = await api.messages.create({ to: number, from: "1", body: "Grüße 🔐" });
    assert.match(m.sid, /^SM[0-9a-f]{32}$/);
    assert.deepEqual(
      [m.status, m.direction, m.numSegments, m.numMedia, m.accountSid, m.apiVersion, m.body, m.to, m.from, m.price, m.errorCode, m.dateSent],
      ["queued", "outbound-api", "1", "0", account, "2010-04-01", "Grüße 🔐", number, m.from, null, null, null],
    );
    assert.ok(Math.abs(Date.now() - m.dateCreated.getTime()) < 60_000);
    first = m;
    await fails(400, 21211, api.messages.create({ to: "12", from: "1", body: "Hi" }));
    await fails(400, 21606, api.messages.create({ to: number, from: "ACME", body: "Hi" }));
    await fails(400, 21617, api.messages.create({ to: number, from: "1", body: "x".repeat(1601) }));
    await fails(400, 400, api.messages.create({ to: number, from: "1", mediaUrl: ["https://example.org/a.png"] }));
    await fails(401, 20003, stranger.messages.create({ to: number, from: "1", body: "Hi" }));
  },
  async fetch() {
    const m = await ends(first.sid, "delivered");
    assert.ok(m.dateSent instanceof Date && m.dateSent <= new Date());
    await fails(404, 20404, api.messages("SM0123456789abcdef0123456789abcdef").fetch());
  },
  async statusCallback() {
    const { came, server, url } = await receiver();
    const told = async (to, last) => {
      const { sid } = await api.messages.create({ to, messagingServiceSid: service, body: "Hi", statusCallback: url });
      const mine = () => came.filter((c) => c.MessageSid === sid);
      while (!mine().some((c) => c.MessageStatus === last)) await sleep(20);
      return mine();
    };
    const good = await told(number, "delivered");
    assert.deepEqual(good.map((c) => [c.MessageStatus, c.valid]), [["sending", true], ["sent", true], ["delivered", true]]);
    assert.deepEqual([good[2].To, good[2].AccountSid, good[2].SmsSid], [number, account, good[2].MessageSid]);
    const bad = await told(refused, "failed");
    assert.deepEqual([bad.at(-1).ErrorCode, bad.at(-1).valid], ["30005", true]);
    assert.equal((await api.messages(bad[0].MessageSid).fetch()).errorCode, 30005);
    server.closeAllConnections();
    server.close();
  },
  async update() {
    const at = { scheduleType: "fixed", sendAt: new Date(Date.now() + 3_600_000), messagingServiceSid: service };
    const m = await api.messages.create({ to: number, body: "later", validityPeriod: 60, ...at });
    assert.equal(m.status, "scheduled");
    await fails(409, 20009, api.messages(m.sid).remove());
    assert.equal((await api.messages(m.sid).update({ status: "canceled" })).status, "canceled");
    await fails(409, 30409, api.messages(first.sid).update({ status: "canceled" }));
    await fails(400, 35115, api.messages.create({ to: number, body: "now", ...at, sendAt: new Date() }));
  },
  async list() {
    const all = await api.messages.list();
    assert.equal(all.length, 4);
    assert.equal(all.at(-1).sid, first.sid);
    assert.deepEqual((await api.messages.list({ pageSize: 1 })).map((m) => m.sid), all.map((m) => m.sid));
    assert.equal((await api.messages.list({ to: refused })).length, 1);
    const hour = (hours) => new Date(Date.now() + hours * 3_600_000);
    assert.equal((await api.messages.list({ to: number, dateSentAfter: hour(-1), dateSentBefore: hour(1) })).length, 2);
    assert.equal((await api.messages.list({ dateSent: hour(-48) })).length, 0);
  },
  async remove() {
    assert.equal(await api.messages(first.sid).remove(), true);
    await fails(404, 20404, api.messages(first.sid).fetch());
    assert.equal((await api.messages.list()).length, 3);
  },
};

for (const [name, step] of Object.entries(steps)) {
  await step();
  console.log(name);
}
