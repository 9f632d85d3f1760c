// Patterns and selectors of subscriptions, and the numbers of messages.

import assert from 'node:assert/strict';
import { config } from '../lib/gateway.js';
import { StompClient } from '../lib/client.js';
import { suite } from '../lib/suite.js';

const base = config({ workers: 3 });
const { gateway, test, lastly } = await suite({
  ...base,
  broker: { ...base.broker, selector_header: 'selector', sequence: ['/topic/seq.*'] },
});
const only = { only: 'gateway' };

const connect = (t, user) =>
  StompClient.as(user, gateway.url('/ws')).then((client) => t.using(client));

const PATTERNS = [
  ['/topic/chat.*', ['/topic/chat.1', '/topic/chat.room.1'], ['/topic/chat', '/topic/chat.1/x']],
  ['/topic/deep/**', ['/topic/deep', '/topic/deep/a/b'], ['/topic/deeper']],
  ['/topic/?at', ['/topic/cat'], ['/topic/at', '/topic/boat']],
  ['/topic/PRICE.*.{ticker:(IBM|MSFT)}', ['/topic/PRICE.NYSE.IBM'], ['/topic/PRICE.NYSE.ORCL']],
  ['/topic/room/{id:[0-9]{2}}', ['/topic/room/42'], ['/topic/room/421']],
];

for (const [pattern, matching, others] of PATTERNS) {
  test(`${pattern} gets what it matches`, async (t) => {
    const [client, sender] = [await connect(t, 'joe'), await connect(t, 'sender')];
    const inbox = await client.subscribed(pattern);

    for (const destination of [...others, ...matching]) await sender.sent(destination, 'x');
    const seen = await inbox.take(matching.length);
    assert.deepEqual(seen.map((message) => message.headers.destination), matching);
  });
}

const SELECTORS = [
  ["headers.colour == 'red'", ['red']],
  ["headers.colour != 'red'", ['blue', 'none']],
  ["headers.colour == 'red' or headers.colour == 'blue'", ['red', 'blue']],
  ['headers.colour == null', ['none']],
  ["headers.colour != null and headers.colour matches 'b.*'", ['blue']],
];

test('a selector lets through what it says', async (t) => {
  const [client, sender] = [await connect(t, 'joe'), await connect(t, 'sender')];

  for (const [selector, expected] of SELECTORS) {
    const inbox = await client.subscribed('/topic/colours', { selector });
    const all = await client.subscribed('/topic/colours');

    for (const colour of ['red', 'blue']) sender.send('/topic/colours', colour, { colour });
    sender.send('/topic/colours', 'none');
    await all.take(3);
    assert.deepEqual(inbox.items.map((message) => message.body), expected, selector);
    inbox.subscription.unsubscribe();
    all.subscription.unsubscribe();
  }
});

test('what is no selector is refused', only, async (t) => {
  const client = await connect(t, 'joe');

  client.subscribe('/topic/colours', { selector: 'headers.colour ==' });
  assert.ok((await client.errors.next()).message);
  assert.equal((await client.closes.next()).code, 1002);
});

test('a broken pattern is refused and harms nobody', only, async (t) => {
  const [client, other] = [await connect(t, 'joe'), await connect(t, 'jack')];
  const inbox = await other.subscribed('/topic/unharmed');

  client.subscribe('/topic/{a:[}');
  assert.ok((await client.errors.next()).message);
  other.send('/topic/unharmed', 'x');
  assert.equal((await inbox.next()).body, 'x');
});

test('1,000 numbers come without a gap, the same for all', only, async (t) => {
  const senders = await Promise.all(['a', 'b', 'c', 'd'].map((user) => connect(t, user)));
  const inboxes = [];

  for (let i = 0; i < 4; i++) inboxes.push(await (await connect(t, 'joe')).subscribed('/topic/seq.1'));
  for (let i = 0; i < 250; i++)
    senders.forEach((sender, from) => sender.send('/topic/seq.1', `${from} ${i}`));

  const [first, ...others] = await Promise.all(inboxes.map((inbox) => inbox.take(1000)));
  const numbered = (messages) => messages.map(({ headers, body }) =>
    `${headers['x-epoch']} ${headers['x-seq']} ${body}`);
  assert.deepEqual(first.map(({ headers }) => Number(headers['x-seq'])),
    Array.from({ length: 1000 }, (_, i) => i + 1));
  assert.equal(new Set(first.map(({ headers }) => headers['x-epoch'])).size, 1);
  for (const other of others) assert.deepEqual(numbered(other), numbered(first));
});

lastly();
