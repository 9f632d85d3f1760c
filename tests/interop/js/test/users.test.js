// Destinations of users, as applications with @stomp/stompjs use them.

import assert from 'node:assert/strict';
import { config } from '../lib/gateway.js';
import { StompClient } from '../lib/client.js';
import { suite } from '../lib/suite.js';

const settings = config({
  workers: 3,
  routes: [
    { destination: '/app/reply', send_to_user: '/queue/reply', broadcast: false },
    { destination: '/app/reply-all', send_to_user: '/queue/reply' },
    { destination: '/app/chat.{room}', send_to: '/topic/chat.{room}' },
    { destination: '/app/number', on_subscribe: { body: '42', content_type: 'application/json' } },
    { destination: '/app/last.{room}', on_subscribe: { last_of: '/topic/last.{room}' } },
    { destination: '/app/signed', send_to: '/topic/signed', headers: { from: '{user}' } },
  ],
});
const { gateway, test, lastly } = await suite(settings);
const only = { only: 'gateway' };

const connect = (t, user, options) =>
  StompClient.as(user, gateway.url('/ws'), options).then((client) => t.using(client));
const nameless = (t) =>
  StompClient.connected(gateway.url('/ws-open')).then((client) => t.using(client));

// With its order kept, Spring loses what goes to several sessions of a user.
test('all sessions of a user get what is sent to the user, and nobody else does', only, async (t) => {
  const [sender, jack] = [await connect(t, 'sender'), await connect(t, 'jack')];
  const other = await jack.subscribed('/user/queue/news');
  const inboxes = [];

  for (let i = 0; i < 6; i++) inboxes.push(await (await connect(t, 'joe')).subscribed('/user/queue/news'));
  await sender.sent('/user/joe/queue/news', 'for joe');
  for (const inbox of inboxes) {
    const message = await inbox.next();
    assert.equal(message.body, 'for joe');
    assert.equal(message.headers.destination, '/user/queue/news');
    assert.equal(message.headers.subscription, inbox.subscription.id);
  }
  await sender.sent('/user/jack/queue/news', 'for jack');
  assert.equal((await other.next()).body, 'for jack');
});

test('who sends to itself gets it in the sending session only', async (t) => {
  const [one, two] = [await connect(t, 'joe'), await connect(t, 'joe')];
  const inboxes = [await one.subscribed('/user/queue/own'), await two.subscribed('/user/queue/own')];

  await one.sent('/user/joe/queue/own', 'from one');
  await two.sent('/user/joe/queue/own', 'from two');
  assert.equal((await inboxes[0].next()).body, 'from one');
  assert.equal((await inboxes[1].next()).body, 'from two');
});

test('a reply to the sending session alone', async (t) => {
  const [one, two] = [await connect(t, 'joe'), await connect(t, 'joe')];
  const inboxes = [await one.subscribed('/user/queue/reply'), await two.subscribed('/user/queue/reply')];

  await one.sent('/app/reply', 'for one');
  await two.sent('/app/reply', 'for two');
  assert.equal((await inboxes[0].next()).body, 'for one');
  assert.equal((await inboxes[1].next()).body, 'for two');
});

test('the nameless get replies, too, each its own', async (t) => {
  const [one, two] = [await nameless(t), await nameless(t)];
  const inboxes = [await one.subscribed('/user/queue/reply'), await two.subscribed('/user/queue/reply')];

  await one.sent('/app/reply-all', 'for one');
  await two.sent('/app/reply-all', 'for two');
  assert.equal((await inboxes[0].next()).body, 'for one');
  assert.equal((await inboxes[1].next()).body, 'for two');
});

test('what a pattern names goes into the destination', async (t) => {
  const client = await connect(t, 'joe');
  const inbox = await client.subscribed('/topic/chat.lobby');

  client.send('/app/chat.lobby', 'hello', { 'content-type': 'text/plain;charset=UTF-8' });
  const message = await inbox.next();
  assert.equal(message.body, 'hello');
  assert.equal(message.headers.destination, '/topic/chat.lobby');
});

test('a SUBSCRIBE to a route is answered at once', async (t) => {
  const inbox = (await connect(t, 'joe')).subscribe('/app/number');
  const message = await inbox.next();

  assert.equal(message.body, '42');
  assert.equal(message.headers.destination, '/app/number');
  assert.equal(message.headers['content-type'], 'application/json');
});

test('a SUBSCRIBE is answered with the last message', only, async (t) => {
  const client = await connect(t, 'joe');

  await client.sent('/topic/last.lobby', 'old');
  await client.sent('/topic/last.lobby', 'newest');
  assert.equal((await client.subscribe('/app/last.lobby').next()).body, 'newest');
});

test('the name of the sender is not its own to write', only, async (t) => {
  const client = await connect(t, '김철수');
  const inbox = await client.subscribed('/topic/signed');

  client.send('/app/signed', 'x', { from: 'root' });
  assert.equal((await inbox.next()).headers.from, '김철수');
});

test('others\' destinations are out of reach', only, async (t) => {
  const [joe, mallory] = [await connect(t, 'joe'), await connect(t, 'mallory')];
  const inbox = await joe.subscribed('/user/queue/private');
  const all = await mallory.subscribed('/queue/**');

  await joe.sent('/user/joe/queue/private', 'for joe');
  await joe.sent('/queue/open', 'for all');
  assert.equal((await inbox.next()).body, 'for joe');
  assert.equal((await all.next()).body, 'for all');
  mallory.subscribe(`/queue/private-user${'0123456789abcdef'.repeat(2)}`);
  assert.ok((await mallory.errors.next()).message);
});

lastly();
