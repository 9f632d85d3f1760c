// The limits of a session: time to the first message, slow readers, subscriptions.

import assert from 'node:assert/strict';
import { config } from '../lib/gateway.js';
import { StompClient } from '../lib/client.js';
import { OPCODE, RawSocket, parseStomp, stomp } from '../lib/raw.js';
import { suite } from '../lib/suite.js';

const { gateway, test, lastly } = await suite(config({
  endpoints: [
    { path: '/ws', anonymous: true },
  ],
  transport: { time_to_first_message: '1s', max_subscriptions_per_session: 10 },
}));

const open = async (t, path = '/ws') => t.using(await RawSocket.upgraded(gateway.address, path));

test('who says nothing is closed with 4500', async (t) => {
  const before = await gateway.metric('closed_first_message_total');

  assert.equal((await (await open(t)).closed()).code, 4500);
  assert.equal(await gateway.metric('closed_first_message_total'), before + 1);
});

test('who says half a frame and then nothing is closed with 4500', async (t) => {
  const raw = await open(t);

  raw.text('CONNECT\naccept-version:1.2\nheart');
  assert.equal((await raw.closed()).code, 4500);
});

test('who sends half a WebSocket frame and then nothing is closed', async (t) => {
  const raw = await open(t);

  raw.write(Buffer.from([0x81, 0xfe, 0x01]));
  assert.equal((await raw.closed()).code, 4500);
});

test('end-of-lines and pongs do not stand for a CONNECT', async (t) => {
  const raw = await open(t);
  const beat = setInterval(() => {
    raw.text('\n');
    raw.send(OPCODE.PONG, '');
  }, 100);

  t.using(beat, clearInterval);
  assert.equal((await raw.closed()).code, 4500);
});

test('a TCP connection that never finishes its request is ended', async (t) => {
  const raw = t.using(await RawSocket.open(gateway.address));

  raw.write('GET /ws HTTP/1.1\r\nHost: x\r\n');
  await raw.ended();
});

test('one subscription too many ends in ERROR', async (t) => {
  const raw = await open(t);

  await raw.connectStomp();
  for (let i = 0; i <= 10; i++)
    raw.text(stomp('SUBSCRIBE', [['id', String(i)], ['destination', `/topic/${i}`], ['receipt', String(i)]]));
  for (let i = 0; i < 10; i++) assert.equal((await raw.nextStomp()).header('receipt-id'), String(i));
  const error = await raw.nextStomp();
  assert.deepEqual([error.command, error.header('receipt-id')], ['ERROR', '10']);
  assert.equal((await raw.closed()).code, 1002);
});

test('who never reads is closed with 4500 while all others get everything', async (t) => {
  const before = await gateway.metric('closed_send_buffer_total');
  const [sender, reader] = [t.using(await StompClient.connected(gateway.url('/ws'))),
    t.using(await StompClient.connected(gateway.url('/ws')))];
  const inbox = await reader.subscribed('/topic/flood');
  const deaf = await open(t);
  const N = 3000;
  const WINDOW = 32;
  const body = 'x'.repeat(16_000);

  await deaf.connectStomp();
  deaf.text(stomp('SUBSCRIBE', [['id', '0'], ['destination', '/topic/flood'], ['receipt', 'r']]));
  assert.equal((await deaf.nextStomp()).command, 'RECEIPT');
  deaf.socket.pause();

  for (let i = 0; i < N; i++) {
    sender.send('/topic/flood', `${i} ${body}`);
    if (i % WINDOW === WINDOW - 1) await inbox.take(WINDOW);
  }
  await inbox.until(() => inbox.items.length === N, 'all messages');
  inbox.items.forEach((message, i) => assert.ok(message.body.startsWith(`${i} `), `message ${i}`));
  assert.deepEqual(reader.closes.items, []);

  deaf.socket.resume();
  let n = 0;
  for (;;) {
    const message = await deaf.nextMessage();
    if (message.opcode === OPCODE.CLOSE) {
      assert.equal(message.code, 4500);
      break;
    }
    // Whole frames, in order, up to where it was cut off.
    if (message.payload.length > 1)
      assert.ok(parseStomp(message.payload.toString()).body.startsWith(`${n++} `), `message ${n}`);
  }
  assert.ok(n > 0 && n < N, `${n} of ${N}`);
  await deaf.ended();
  assert.equal(await gateway.metric('closed_send_buffer_total'), before + 1);
  // Its subscription is gone.
  const answer = await gateway.publish({ destination: '/topic/flood', text: 'x' });
  assert.equal((await answer.json()).deliveries, 1);
});

test('who reads but slowly gets everything', async (t) => {
  const sender = t.using(await StompClient.connected(gateway.url('/ws')));
  const slow = await open(t);

  await slow.connectStomp();
  slow.text(stomp('SUBSCRIBE', [['id', '0'], ['destination', '/topic/slow'], ['receipt', 'r']]));
  assert.equal((await slow.nextStomp()).command, 'RECEIPT');
  slow.socket.pause();
  for (let i = 0; i < 200; i++) sender.send('/topic/slow', `${i} ${'x'.repeat(2000)}`); // below the limit
  await sender.sent('/topic/none', 'done');
  slow.socket.resume();
  for (let i = 0; i < 200; i++) assert.ok((await slow.nextStomp()).body.startsWith(`${i} `));
});

lastly();
