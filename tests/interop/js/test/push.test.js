// POST /api/v1/publish by fetch, and what stompjs subscribers get of it.

import assert from 'node:assert/strict';
import { API_KEY, METRICS_KEY, config } from '../lib/gateway.js';
import { StompClient } from '../lib/client.js';
import { suite } from '../lib/suite.js';

const { gateway, test, lastly } = await suite(config());

const connect = async (t) => t.using(await StompClient.as('joe', gateway.url('/ws')));

async function deliveries(request) {
  const answer = await gateway.publish(request);

  assert.equal(answer.status, 200, await answer.clone().text());
  assert.match(answer.headers.get('content-type'), /^application\/json/);
  const said = await answer.json();
  assert.deepEqual(Object.keys(said), ['deliveries']);
  return said.deliveries;
}

async function problem(answer, status) {
  const text = await answer.text();

  assert.equal(answer.status, status, text);
  assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
  const said = JSON.parse(text);
  assert.equal(said.status, status);
  assert.ok(said.title);
  return said;
}

test('a text arrives at every subscriber and is counted', async (t) => {
  const [one, two] = [await connect(t), await connect(t)];
  const inboxes = [await one.subscribed('/topic/news'), await two.subscribed('/topic/news'),
    await two.subscribed('/topic/news')];

  await two.subscribed('/topic/other');
  assert.equal(await deliveries({ destination: '/topic/news', text: '속보: 안녕' }), 3);
  for (const inbox of inboxes) {
    const message = await inbox.next();
    assert.equal(message.body, '속보: 안녕');
    assert.equal(message.headers.destination, '/topic/news');
    assert.match(message.headers['content-type'], /^text\/plain;charset=utf-8$/i);
    assert.ok(message.headers['message-id']);
  }
});

test('nobody there is 200 and no deliveries', async () => {
  assert.equal(await deliveries({ destination: '/topic/nobody', text: 'x' }), 0);
});

test('a JSON body arrives as JSON', async (t) => {
  const client = await connect(t);
  const inbox = await client.subscribed('/topic/json');
  const body = { 이름: '김', n: 1.5, list: [1, null, true] };

  assert.equal(await deliveries({ destination: '/topic/json', body }), 1);
  const message = await inbox.next();
  assert.deepEqual(JSON.parse(message.body), body);
  assert.match(message.headers['content-type'], /^application\/json/);
});

test('the content type and headers of the request are the message\'s', async (t) => {
  const client = await connect(t);
  const inbox = await client.subscribed('/topic/headers');

  await deliveries({ destination: '/topic/headers', text: '<a/>', content_type: 'application/xml',
    headers: { 'x-one': '하나', 'x-colon': 'a:b \\ c' } });
  const { headers } = await inbox.next();
  assert.equal(headers['content-type'], 'application/xml');
  assert.equal(headers['x-one'], '하나');
  assert.equal(headers['x-colon'], 'a:b \\ c');
});

test('bytes in base64 arrive byte for byte in a binary message', async (t) => {
  const client = await connect(t);
  const inbox = await client.subscribed('/topic/bytes');
  const bytes = Buffer.from([0, 255, 254, 128, 0]);

  await deliveries({ destination: '/topic/bytes', base64: bytes.toString('base64') });
  const message = await inbox.next();
  assert.deepEqual(Buffer.from(message.binaryBody), bytes);
  assert.equal(message.headers['content-type'], 'application/octet-stream');
  assert.equal(client.wire.items.at(-1).isBinary, true);
});

test('bytes that are not UTF-8 go out in a binary message whatever their type says', async (t) => {
  const client = await connect(t);
  const inbox = await client.subscribed('/topic/latin');

  await deliveries({ destination: '/topic/latin', base64: Buffer.from([0xe9]).toString('base64'),
    content_type: 'text/plain' });
  assert.deepEqual([...(await inbox.next()).binaryBody], [0xe9]);
  assert.equal(client.wire.items.at(-1).isBinary, true);
});

test('pushes one after the other arrive in their order', async (t) => {
  const client = await connect(t);
  const inbox = await client.subscribed('/topic/order');

  for (let i = 0; i < 100; i++) await deliveries({ destination: '/topic/order', text: String(i) });
  assert.deepEqual((await inbox.take(100)).map((m) => Number(m.body)), Array.from({ length: 100 }, (_, i) => i));
});

test('who has a 200 is ahead of later sends', async (t) => {
  const client = await connect(t);
  const inbox = await client.subscribed('/topic/ahead');

  for (let i = 0; i < 50; i++) {
    await deliveries({ destination: '/topic/ahead', text: 'push' });
    client.send('/topic/ahead', 'send');
    assert.deepEqual((await inbox.take(2)).map((m) => m.body), ['push', 'send']);
  }
});

const RESERVED = ['destination', 'subscription', 'message-id', 'content-length', 'content-type', 'ack', 'receipt',
  'receipt-id', 'transaction', 'version', 'session', 'server', 'heart-beat', 'user-name', 'simpSessionId'];
const MISTAKES = [
  // name, request, the field that is named
  ['no JSON', '{"destination":', undefined],
  ['an empty request', '', undefined],
  ['a JSON array', '[]', undefined],
  ['no destination', { text: 'x' }, 'destination'],
  ['a destination without a leading slash', { destination: 'topic/a', text: 'x' }, 'destination'],
  ['an empty destination', { destination: '', text: 'x' }, 'destination'],
  ['a destination with a line feed', { destination: '/topic/a\nb', text: 'x' }, 'destination'],
  ['a destination that is a number', { destination: 7, text: 'x' }, 'destination'],
  ['an unknown field', { destination: '/topic/a', text: 'x', colour: 'red' }, 'colour'],
  ['text that is no string', { destination: '/topic/a', text: 7 }, 'text'],
  ['base64 that is none', { destination: '/topic/a', base64: '*' }, 'base64'],
  ['a content type that is none', { destination: '/topic/a', text: 'x', content_type: 'no type' }, 'content_type'],
  ['headers that are a list', { destination: '/topic/a', text: 'x', headers: [] }, 'headers'],
  ['a header that is a number', { destination: '/topic/a', text: 'x', headers: { n: 1 } }, 'headers.n'],
  ['a header with a line feed', { destination: '/topic/a', text: 'x', headers: { n: 'a\nb' } }, 'headers.n'],
  ['a header without a name', { destination: '/topic/a', text: 'x', headers: { '': 'v' } }, /^headers/],
  ['a repeated field', '{"destination":"/topic/a","destination":"/topic/b","text":"x"}', /^(destination)?$/],
  ...RESERVED.map((name) => [`the reserved header ${name}`,
    { destination: '/topic/a', text: 'x', headers: { [name]: 'v' } }, `headers.${name}`]),
];

for (const [name, request, field] of MISTAKES) {
  test(`${name} is 400 and says where`, async () => {
    const said = await problem(await gateway.publish(request), 400);

    assert.ok(said.detail);
    if (field instanceof RegExp) assert.match(said.field ?? '', field);
    else assert.equal(said.field, field);
  });
}

test('no body or two of them is 400', async () => {
  for (const request of [{ destination: '/topic/a' }, { destination: '/topic/a', text: 'x', base64: 'eA==' }])
    await problem(await gateway.publish(request), 400);
});

test('what is no JSON by its type is 415', async () => {
  const headers = { Authorization: `Bearer ${API_KEY}`, 'Content-Type': 'text/plain' };

  await problem(await gateway.publish({ destination: '/topic/a', text: 'x' }, headers), 415);
});

test('without a key, with a wrong one and with one of another role nothing is published', async (t) => {
  const client = await connect(t);
  const inbox = await client.subscribed('/topic/key');
  const request = { destination: '/topic/key', text: 'refused' };

  await problem(await gateway.publish(request, {}), 401);
  await problem(await gateway.publish(request, { Authorization: 'Bearer wrong' }), 401);
  await problem(await gateway.publish(request, { Authorization: 'Basic d3Jvbmc=' }), 401);
  await problem(await gateway.publish(request, { Authorization: `Bearer ${METRICS_KEY}` }), 403);
  assert.equal(await deliveries({ destination: '/topic/key', text: 'accepted' }), 1);
  assert.equal((await inbox.next()).body, 'accepted');
});

test('a key in X-API-Key opens too', async () => {
  const answer = await gateway.publish({ destination: '/topic/a', text: 'x' }, { 'X-API-Key': API_KEY });

  assert.equal(answer.status, 200);
});

test('another method or path is 405 and 404', async () => {
  const headers = { Authorization: `Bearer ${API_KEY}` };

  assert.equal((await fetch(gateway.adminUrl('/api/v1/publish'), { headers })).status, 405);
  assert.equal((await fetch(gateway.adminUrl('/api/v1/nothing'), { headers })).status, 404);
});

test('the push API is not on the public port', async () => {
  const answer = await fetch(`http://${gateway.address}/api/v1/publish`, { method: 'POST', body: '{}' });

  assert.equal(answer.status, 404);
});

test('a push larger than a client\'s message may be is 413', async () => {
  await problem(await gateway.publish({ destination: '/topic/a', text: 'x'.repeat(65_537) }), 413);
  assert.equal(await deliveries({ destination: '/topic/a', text: 'x'.repeat(65_536) }), 0);
});

test('a push of 70 MB is not taken in and the gateway goes on', async () => {
  const request = { destination: '/topic/a', text: 'x'.repeat(70_000_000) };
  const status = await gateway.publish(request).then((answer) => answer.status, () => 'cut');

  assert.ok([413, 'cut'].includes(status), String(status));
  assert.equal(await deliveries({ destination: '/topic/a', text: 'x' }), 0);
});

test('the key never reaches the log', () => {
  assert.ok(!gateway.lines.items.join('\n').includes(API_KEY));
});

lastly();
