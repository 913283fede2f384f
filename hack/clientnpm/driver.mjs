// Drives every method of the npm package android-sms-gateway against a gateway, as a program of a user
// would, and prints a line for each. Ends with status 1 at the first thing that a user would not expect.
//
//	node driver.mjs BASE_URL USER PASSWORD PASSPHRASE

import assert from "node:assert/strict";
import { createCipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { copyFile } from "node:fs/promises";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const [base, user, password, passphrase] = process.argv.slice(2);

// The package is an ES module that does not say so, which older versions of node refuse to import.
const published = new URL("node_modules/android-sms-gateway/dist/index.js", import.meta.url);
const module = new URL("android-sms-gateway.mjs", import.meta.url);
await copyFile(published, module);
const { default: Client, ...words } = await import(module.href);

// The HTTP client is the user's. This is that of the package's README, but that it looks at the status,
// follows no redirect, and reads no body where there is none.
const request = async (method, url, headers, body) => {
  const response = await fetch(url, { method, headers, redirect: "error", body: body && JSON.stringify(body) });
  if (!response.ok) {
    const { message } = await response.json();
    throw Object.assign(new Error(message), { status: response.status });
  }
  return response.status === 204 ? undefined : response.json();
};
const http = {
  get: (url, headers) => request("GET", url, headers),
  post: (url, body, headers) => request("POST", url, headers, body),
  put: (url, body, headers) => request("PUT", url, headers, body),
  patch: (url, body, headers) => request("PATCH", url, headers, body),
  delete: (url, headers) => request("DELETE", url, headers),
};
const api = new Client(user, password, http, base);
const stranger = new Client(user, "wrong", http, base);

const fails = (status, promise) => assert.rejects(promise, (e) => e.status === status && e.message.length > 0);
const number = "+4915112345678";

const ends = async (id, state) => {
  for (;;) {
    const m = await api.getState(id);
    if (m.state === state) return m;
    assert.notEqual(m.state, words.ProcessState.Failed, JSON.stringify(m));
    await sleep(20);
  }
};

// encrypted is a value in the format of the vendor's documentation; version 3.0.0 of the package leaves
// it to its user.
const encrypted = (text) => {
  const salt = randomBytes(16);
  const cipher = createCipheriv("aes-256-cbc", pbkdf2Sync(passphrase, salt, 75000, 32, "sha1"), salt);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return `$aes-256-cbc/pbkdf2-sha1$i=75000$${salt.toString("base64")}$${sealed.toString("base64")}`;
};

// receiver is a server that keeps what is posted to it.
const receiver = async () => {
  const came = [];
  const server = createServer(async (req, res) => {
    const chunks = await req.toArray();
    came.push(JSON.parse(Buffer.concat(chunks).toString()));
    res.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { came, server, url: `http://127.0.0.1:${server.address().port}/hook` };
};

// Under /api/3rdparty/v1 what is well has an error of null, which the package's types allow.
const well = (recipients) => recipients.map(({ error, ...rest }) => (error == null ? rest : { error, ...rest }));

const methods = {
  async send() {
    const m = await api.send({
      id: null, message: "Hello", ttl: null, phoneNumbers: [number], simNumber: null, withDeliveryReport: null,
    });
    assert.equal(m.state, words.ProcessState.Pending);
    assert.deepEqual(well(m.recipients), [{ phoneNumber: number, state: "Pending" }]);
    const short = await api.send({ message: "Hello", phoneNumbers: ["12345"] }, { skipPhoneValidation: true });
    assert.equal(short.recipients[0].phoneNumber, "12345");
    await fails(409, api.send({ id: m.id, message: "Hello", phoneNumbers: [number] }));
    await fails(400, api.send({ message: "Hello", phoneNumbers: [] }));
    await fails(401, stranger.send({ message: "Hello", phoneNumbers: [number] }));
  },
  async getState() {
    const { id } = await api.send({ message: "Grüße 🔐", phoneNumbers: [number], simNumber: 1, ttl: 600 });
    const m = await ends(id, words.ProcessState.Delivered);
    assert.deepEqual(well(m.recipients), [{ phoneNumber: number, state: "Delivered" }]);
    await fails(404, api.getState("unheard-of"));

    const secret = { message: encrypted("Top secret ✓"), phoneNumbers: [encrypted(number)], simNumber: 2, isEncrypted: true };
    const sealed = await ends((await api.send(secret)).id, words.ProcessState.Delivered);
    assert.equal(sealed.isEncrypted, true);
    assert.equal(sealed.textMessage.text, secret.message);
    assert.equal(sealed.recipients[0].phoneNumber, secret.phoneNumbers[0]);
  },
  async registerWebhook() {
    const { came, server, url } = await receiver();
    for (const event of Object.values(words.WebHookEventType)) {
      const hook = await api.registerWebhook({ id: null, url, event, deviceId: null });
      assert.ok(hook.id);
      assert.equal(hook.event, event);
      assert.equal(hook.url, url);
    }
    const { id } = await api.send({ message: "Hello", phoneNumbers: [number] });
    const told = (event) => came.find((e) => e.event === event && e.payload.messageId === id);
    while (!told("sms:sent") || !told("sms:delivered")) await sleep(20);
    assert.equal(told("sms:sent").payload.phoneNumber, number);
    assert.equal(told("sms:delivered").payload.recipient, number);
    for (const hook of await api.getWebhooks()) await api.deleteWebhook(hook.id);
    server.closeAllConnections();
    server.close();
    await fails(400, api.registerWebhook({ url: "https://127.0.0.1:9/hook", event: "sms:lost" }));
  },
  async getWebhooks() {
    assert.deepEqual(await api.getWebhooks(), []);
    await api.registerWebhook({ id: "one", url: "https://127.0.0.1:9/hook", event: words.WebHookEventType.SmsReceived });
    const [hook, ...more] = await api.getWebhooks();
    assert.deepEqual([hook.id, hook.url, hook.event, more.length], ["one", "https://127.0.0.1:9/hook", "sms:received", 0]);
  },
  async deleteWebhook() {
    await api.deleteWebhook("one");
    await api.deleteWebhook("one");
    assert.deepEqual(await api.getWebhooks(), []);
  },
  async getDevices() {
    const [device, ...more] = await api.getDevices();
    assert.equal(more.length, 0);
    assert.match(device.id, /^[\w-]{21}$/);
    for (const field of ["createdAt", "lastSeen", "updatedAt"]) assert.ok(!Number.isNaN(Date.parse(device[field])), field);
    await fails(401, stranger.getDevices());
  },
  async deleteDevice() {
    await api.deleteDevice("unheard-of").catch((e) => assert.equal(e.status, 404));
    assert.equal((await api.getDevices()).length, 1);
  },
  async getHealth() {
    const health = await api.getHealth();
    assert.equal(health.status, words.HealthStatus.Pass);
    assert.ok(Number.isInteger(health.releaseId));
    assert.equal(health.checks["messages:failed"].observedValue, 0);
  },
  async exportInbox() {
    const [{ id }] = await api.getDevices();
    const since = new Date("2024-01-01T00:00:00Z");
    const until = new Date("2024-01-02T00:00:00Z");
    await api.exportInbox({ deviceId: id, since, until });
    await fails(400, api.exportInbox({ deviceId: id, since: until, until: since }));
  },
  async getLogs() {
    let logs = [];
    while (logs.length === 0) logs = await api.getLogs(new Date(0), new Date(Date.now() + 60000));
    for (const entry of logs) {
      assert.ok(Number.isInteger(entry.id) && entry.message.length > 0 && !Number.isNaN(Date.parse(entry.createdAt)), JSON.stringify(entry));
      assert.ok(Object.values(words.LogEntryPriority).includes(entry.priority), entry.priority);
    }
    assert.ok((await api.getLogs()).length > 0);
    assert.deepEqual(await api.getLogs(new Date(0), new Date("2020-01-01T00:00:00Z")), []);
  },
  async getSettings() {
    const settings = await api.getSettings();
    assert.equal(settings.messages.limit_period, words.LimitPeriod.Disabled);
    assert.equal(settings.messages.sim_selection_mode, words.SimSelectionMode.OSDefault);
    assert.equal(settings.encryption?.passphrase, undefined);
  },
  async patchSettings() {
    const settings = await api.patchSettings({ messages: { limit_period: words.LimitPeriod.PerHour, limit_value: 1000 } });
    assert.deepEqual([settings.messages.limit_period, settings.messages.limit_value], ["PerHour", 1000]);
    // The package's types have other names than the server's; those are unknown fields.
    await api.patchSettings({ messages: { limitValue: 1 } });
    assert.equal((await api.getSettings()).messages.limit_value, 1000);
    await fails(400, api.patchSettings({ messages: { limit_period: "PerCentury" } }));
  },
  async updateSettings() {
    const settings = await api.updateSettings({ messages: { sim_selection_mode: words.SimSelectionMode.RoundRobin } });
    assert.deepEqual([settings.messages.limit_period, settings.messages.sim_selection_mode], ["Disabled", "RoundRobin"]);
    await api.updateSettings({});
  },
};

const publicMethods = Object.getOwnPropertyNames(Client.prototype).filter((name) => name !== "constructor");
assert.deepEqual(Object.keys(methods).sort(), publicMethods.sort(), "every method of the package is used");
for (const [name, use] of Object.entries(methods)) {
  await use();
  console.log(name);
}
