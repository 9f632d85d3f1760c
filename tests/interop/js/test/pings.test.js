// Whether somebody is still there: WebSocket pings, and endpoints with an idle_timeout.

import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { config } from '../lib/gateway.js';
import { OPCODE, RawSocket } from '../lib/raw.js';
import { suite } from '../lib/suite.js';
import { Inbox } from '../lib/until.js';

const { gateway, test, lastly } = await suite(config({
  endpoints: [
    { path: '/idle', protocol: 'echo', anonymous: true, idle_timeout: '500ms' },
    { path: '/room', protocol: 'broadcast', anonymous: true },
  ],
  transport: { ping_interval: '300ms' },
}));

const open = async (t, path) => t.using(await RawSocket.upgraded(gateway.address, path));

test('pings come and two of them unanswered end the connection', async (t) => {
  const deaf = await open(t, '/room');
  const pings = [];

  await assert.rejects(async () => {
    for (;;) {
      const next = await deaf.nextFrame();
      if (next.opcode === OPCODE.PING) pings.push(next);
      if (next.opcode === OPCODE.CLOSE) throw new Error('closed');
    }
  }, /closed|ended/);
  assert.equal(pings.length, 2);
  await deaf.ended();
});

test('a plain endpoint with idle_timeout closes who sends nothing', async (t) => {
  const raw = await open(t, '/idle');
  const beat = setInterval(() => raw.send(OPCODE.PONG, ''), 100); // answers are no messages

  t.using(beat, clearInterval);
  assert.ok((await raw.closed()).code > 0);
});

test('who answers pings stays', async (t) => {
  const socket = t.using(new WebSocket(gateway.url('/room')), (it) => it.terminate());
  const pings = new Inbox('pings');

  socket.on('ping', () => pings.push('ping')).on('close', () => pings.push('close'));
  assert.deepEqual(await pings.take(5), new Array(5).fill('ping'));
});

lastly();
