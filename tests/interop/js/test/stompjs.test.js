// @stomp/stompjs against the gateway: what applications do.

import assert from 'node:assert/strict';
import { config } from '../lib/gateway.js';
import { StompClient } from '../lib/client.js';
import { suite } from '../lib/suite.js';

const { gateway, test, lastly } = await suite(config());
const only = { only: 'gateway' };

const connect = (t, user, options) =>
  StompClient.as(user, gateway.url('/ws'), options).then((client) => t.using(client));

test('CONNECTED tells the version, the server\'s heart-beat and the user', only, async (t) => {
  const client = await connect(t, 'joe');

  assert.equal(client.connectedHeaders.version, '1.2');
  assert.equal(client.connectedHeaders['heart-beat'], '1000,1000');
  assert.equal(client.connectedHeaders['user-name'], 'joe');
  assert.equal(client.socket.protocol, 'v12.stomp');
});

test('a subscriber gets what is sent, with the headers of the sender', async (t) => {
  const client = await connect(t, 'joe');
  const inbox = client.subscribe('/topic/a');

  client.send('/topic/a', 'hello', { 'content-type': 'text/plain', x: '1' });
  const message = await inbox.next();
  assert.equal(message.body, 'hello');
  assert.equal(message.headers.destination, '/topic/a');
  assert.equal(message.headers.subscription, inbox.subscription.id);
  assert.equal(message.headers['content-type'], 'text/plain');
  assert.equal(message.headers['content-length'], '5');
  assert.equal(message.headers.x, '1');
  assert.ok(message.headers['message-id']);
});

test('every subscriber of a destination gets it, and nobody of another one', async (t) => {
  const [sender, first, second] = [await connect(t, 'a'), await connect(t, 'b'), await connect(t, 'c')];
  const inboxes = [await first.subscribed('/queue/all'), await second.subscribed('/queue/all')];
  const other = await second.subscribed('/queue/alle');

  sender.send('/queue/all', 'x');
  for (const inbox of inboxes) assert.equal((await inbox.next()).body, 'x');
  sender.send('/queue/alle', 'y');
  assert.equal((await other.next()).body, 'y'); // the first that comes: 'x' did not
});

test('two subscriptions of one session to one destination get one message each', async (t) => {
  const client = await connect(t, 'joe');
  const inboxes = [client.subscribe('/topic/twice'), client.subscribe('/topic/twice')];

  client.send('/topic/twice', 'x');
  for (const inbox of inboxes)
    assert.equal((await inbox.next()).headers.subscription, inbox.subscription.id);
});

test('1,000 messages sent straight after SUBSCRIBE all come, in order', async (t) => {
  const client = await connect(t, 'joe');
  const inbox = client.subscribe('/topic/order');

  for (let i = 0; i < 1000; i++) client.send('/topic/order', `message ${i}`);
  const bodies = (await inbox.take(1000)).map((message) => message.body);
  assert.deepEqual(bodies, Array.from({ length: 1000 }, (_, i) => `message ${i}`));
});

test('messages of several topics reach a session in the order they were sent', async (t) => {
  const [sender, receiver] = [await connect(t, 'a'), await connect(t, 'b')];
  const seen = await receiver.subscribed('/topic/one');
  receiver.client.subscribe('/topic/two', (message) => seen.push(message));
  await receiver.subscribed('/topic/barrier');

  for (let i = 0; i < 500; i++) sender.send(i % 3 === 0 ? '/topic/one' : '/topic/two', String(i));
  const bodies = (await seen.take(500)).map((message) => Number(message.body));
  assert.deepEqual(bodies, Array.from({ length: 500 }, (_, i) => i));
});

test('after UNSUBSCRIBE nothing more comes', async (t) => {
  const client = await connect(t, 'joe');
  const gone = client.subscribe('/topic/stop');

  client.send('/topic/stop', 'before');
  assert.equal((await gone.next()).body, 'before');
  gone.subscription.unsubscribe();
  const stays = client.subscribe('/topic/stop');
  client.send('/topic/stop', 'after');
  assert.equal((await stays.next()).body, 'after');
  assert.equal(gone.items.length, 1);
});

test('SUBSCRIBE, SEND and UNSUBSCRIBE are answered by their RECEIPT', only, async (t) => {
  const client = await connect(t, 'joe');
  const inbox = client.subscribe('/topic/receipts', { receipt: 'subscribe' });

  await client.received('subscribe');
  client.send('/topic/receipts', 'x', { receipt: 'send' });
  await client.received('send');
  inbox.subscription.unsubscribe({ receipt: 'unsubscribe' });
  await client.received('unsubscribe');
  assert.deepEqual(client.receipts.items, ['subscribe', 'send', 'unsubscribe']);
  assert.equal(inbox.items.length, 1);
});

test('ACK, NACK, BEGIN, COMMIT and ABORT are answered by their RECEIPT', only, async (t) => {
  const client = await connect(t, 'joe');
  const inbox = await client.subscribed('/topic/ack', { ack: 'client-individual' });

  const transaction = client.client.begin('tx-1');
  client.send('/topic/ack', 'x', { transaction: transaction.id, receipt: 'send' });
  transaction.commit();
  const message = await inbox.next();
  // message.ack() of stompjs does nothing without an `ack` header, which Spring never sends.
  client.client.ack(message.headers['message-id'], inbox.subscription.id, { receipt: 'ack' });
  client.client.nack(message.headers['message-id'], inbox.subscription.id, { receipt: 'nack' });
  for (const receipt of ['send', 'ack', 'nack']) await client.received(receipt);
  client.send('/topic/ack', 'y');
  assert.equal((await inbox.next()).body, 'y');
});

test('DISCONNECT is answered by its RECEIPT and the close is clean', async (t) => {
  const client = await connect(t, 'joe');
  let isReceived = false;

  client.client.onDisconnect = () => { isReceived = true; };
  await client.client.deactivate();
  const { code } = await client.closes.next();
  assert.ok(isReceived);
  assert.ok([1000, 1005].includes(code), `close ${code}`);
});

test('a binary body comes back byte for byte', async (t) => {
  const client = await connect(t, 'joe');
  const inbox = client.subscribe('/topic/binary');
  const body = Uint8Array.from({ length: 1024 }, (_, i) => i & 0xff);

  client.client.publish({
    destination: '/topic/binary',
    binaryBody: body,
    headers: { 'content-type': 'application/octet-stream' },
  });
  const message = await inbox.next();
  assert.deepEqual([...message.binaryBody], [...body]);
  assert.equal(client.wire.items.at(-1).isBinary, true);
});

test('a text body with a NUL inside comes back whole', async (t) => {
  const client = await connect(t, 'joe');
  const inbox = client.subscribe('/topic/nul');

  client.send('/topic/nul', 'before\0after\0');
  assert.equal((await inbox.next()).body, 'before\0after\0');
});

test('Korean bodies and headers come back, and colons, newlines and backslashes in headers', async (t) => {
  const client = await connect(t, 'joe');
  const inbox = client.subscribe('/topic/한국어');
  const headers = { 제목: '안녕: "세계"', path: 'C:\\temp\\data', lines: 'one\ntwo\r\nthree' };

  client.send('/topic/한국어', '안녕하세요, 세계! 🎉', headers);
  const message = await inbox.next();
  assert.equal(message.body, '안녕하세요, 세계! 🎉');
  for (const [name, value] of Object.entries(headers)) assert.equal(message.headers[name], value);
});

test('an empty body comes as an empty body', async (t) => {
  const client = await connect(t, 'joe');
  const inbox = client.subscribe('/topic/empty');

  client.send('/topic/empty', '');
  assert.equal((await inbox.next()).body, '');
});

test('a frame split over many WebSocket messages is put together', async (t) => {
  const client = await connect(t, 'joe', { splitLargeFrames: true, maxWebSocketChunkSize: 512 });
  const inbox = client.subscribe('/topic/split');
  const body = Array.from({ length: 2000 }, (_, i) => 'abcdefghijklmnopqrstuvwxyz'[i % 26]).join('');

  client.send('/topic/split', body);
  assert.equal((await inbox.next()).body, body);
});

test('one WebSocket message may be as large as the message size limit', only, async (t) => {
  const client = await connect(t, 'joe');
  const inbox = client.subscribe('/topic/large');
  const body = '가'.repeat(21_000); // 63,000 bytes

  client.send('/topic/large', body);
  assert.equal((await inbox.next()).body, body);
});

test('an idle connection lives by heart-beats both ways', async (t) => {
  const client = await connect(t, 'joe', { heartbeat: [1000, 1000] });

  await client.beats.take(5); // more than three periods: each side's tolerance has passed
  const inbox = client.subscribe('/topic/alive');
  client.send('/topic/alive', 'still here');
  assert.equal((await inbox.next()).body, 'still here');
  assert.deepEqual(client.closes.items, []);
});

test('heart-beat 0,0 turns both directions off', async (t) => {
  const quiet = await connect(t, 'joe', { heartbeat: [0, 0] });
  const clock = await connect(t, 'jack', { heartbeat: [1000, 1000] });

  await clock.beats.take(4);
  assert.deepEqual(quiet.beats.items, []);
  assert.deepEqual(quiet.closes.items, []);
});

test('what is sent to /app/chat comes out at /topic/chat', async (t) => {
  const [sender, receiver] = [await connect(t, 'a'), await connect(t, 'b')];
  const inbox = await receiver.subscribed('/topic/chat');

  sender.send('/app/chat', '안녕', { 'content-type': 'text/plain;charset=UTF-8' });
  const message = await inbox.next();
  assert.equal(message.body, '안녕');
  assert.equal(message.headers.destination, '/topic/chat');
  assert.equal(message.headers['content-type'], 'text/plain;charset=UTF-8');
});

test('a forwarded message carries the copied headers and no others', only, async (t) => {
  const client = await connect(t, 'joe');
  const inbox = client.subscribe('/topic/chat');

  client.send('/app/chat', 'x', { color: 'red', size: 'large' });
  const { headers } = await inbox.next();
  assert.equal(headers.color, 'red');
  assert.equal(headers.size, undefined);
});

test('an echo route answers the sender alone', only, async (t) => {
  const [one, two] = [await connect(t, 'a'), await connect(t, 'b')];
  const [first, second] = [await one.subscribed('/app/echo'), await two.subscribed('/app/echo')];

  await one.sent('/app/echo', 'from one');
  await two.sent('/app/echo', 'from two');
  assert.equal((await first.next()).body, '서버 응답: from one');
  assert.equal((await second.next()).body, '서버 응답: from two');
  assert.equal(first.items.length, 1);
});

test('the RECEIPT of what nobody routes says so', only, async (t) => {
  const client = await connect(t, 'joe');
  const seen = {};

  client.client.watchForReceipt('lost', (frame) => { seen.lost = frame.headers; client.receipts.push('lost'); });
  client.send('/app/nobody', 'x', { receipt: 'lost' });
  await client.received('lost');
  assert.equal(seen.lost['x-unrouted'], 'true');
});

test('STOMP 1.0 and 1.1 are spoken when the client knows no newer', async (t) => {
  const { Versions } = await import('@stomp/stompjs');

  for (const version of ['1.0', '1.1']) {
    const client = await connect(t, 'joe', { stompVersions: new Versions([version]) });
    const inbox = client.subscribe('/topic/old');

    assert.equal(client.connectedHeaders.version, version);
    client.send('/topic/old', version);
    assert.equal((await inbox.next()).body, version);
  }
});

test('what a subscriber does not read any more does not hold up the others', async (t) => {
  const [sender, stays, leaves] = [await connect(t, 'a'), await connect(t, 'b'), await connect(t, 'c')];
  const inbox = await stays.subscribed('/topic/leave');

  await leaves.subscribed('/topic/leave');
  leaves.socket.terminate();
  for (let i = 0; i < 100; i++) sender.send('/topic/leave', String(i));
  assert.equal((await inbox.take(100)).at(-1).body, '99');
});

lastly();
