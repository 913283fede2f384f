// A program of somebody who read Bird's page: the request is the page's sample, with a base URL and with
// the bodies that the page has below it. It prints what it saw, as JSON.
const [base, workspaceId, channelId, credentials, callbacks] = process.argv.slice(2);

async function ask(method, path, body) {
  const response = await fetch(base + path, {
    method: method,
    headers: {
      "Authorization": credentials,
      "Content-Type": "application/json"
    },
    body: body && JSON.stringify(body),
  });
  const data = await response.json();
  return { status: response.status, data };
}

const channel = await ask("GET", `/workspaces/${workspaceId}/channels/${channelId}`);
const mms = channel.data.capabilities.messaging.outgoing.mms.status;

const subscribed = await ask("POST", `/workspaces/${workspaceId}/webhook-subscriptions`, {
  "service": "channels",
  "event": "sms.outbound",
  "url": callbacks,
  "signingKey": "KeV+/HGoIQrxuE5YPCRR6AuQOJveldYNNhbVi1i22qk=",
  "eventFilters": [{ "key": "channelId", "value": channelId }],
});

const messages = `/workspaces/${workspaceId}/channels/${channelId}/messages`;
const empty = await ask("POST", messages, { "receiver": {} });
const sent = await ask("POST", messages, {
  "receiver": {
    "contacts": [
      {
        "identifierKey": "phonenumber",
        "identifierValue": "+31612345678"
      }
    ]
  },
  "body": {
    "type": "text",
    "text": {
      "text": "Single text message"
    }
  }
});

let status = sent.data.status;
for (const end = Date.now() + 60_000; status !== "delivered" && Date.now() < end;) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  status = (await ask("GET", `${messages}/${sent.data.id}`)).data.status;
}
console.log(JSON.stringify({
  mms, subscribed: subscribed.status, empty: empty.status, complaint: empty.data.message, sent: sent.status, id: sent.data.id, first: sent.data.status, status,
}));
