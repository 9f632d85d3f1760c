// webstomp-client, the old one: SockJS habits, DISCONNECT without a receipt.

import assert from 'node:assert/strict';
import webstomp from 'webstomp-client';
import WebSocket from 'ws';
import { config } from '../lib/gateway.js';
import { suite } from '../lib/suite.js';
import { token } from '../lib/token.js';
import { Inbox } from '../lib/until.js';

const { gateway, test, lastly } = await suite(config());

// It speaks the version of the sub-protocol that was chosen, and in 1.0 it never beats.
async function connect(t, options = { heartbeat: false }) {
  const socket = new WebSocket(gateway.url('/ws'), ['v12.stomp', 'v11.stomp', 'v10.stomp']);
  const client = webstomp.over(socket, { debug: false, ...options });
  const events = new Inbox('webstomp');

  t.using(socket, (it) => it.terminate());
  client.connect({ Authorization: `Bearer ${token('joe')}` },
    (frame) => events.push(frame), (error) => events.push(error));
  const first = await events.next();
  assert.equal(first.command, 'CONNECTED', JSON.stringify(first));
  return { client, events, socket, connected: first };
}

test('it connects, subscribes, sends and gets its message', async (t) => {
  const { client } = await connect(t);
  const inbox = new Inbox('messages');

  client.subscribe('/topic/w', (message) => inbox.push(message));
  client.send('/topic/w', '안녕, 세계', { 'content-type': 'text/plain', 'x-colon': 'a:b' });
  const message = await inbox.next();
  assert.equal(message.body, '안녕, 세계');
  assert.equal(message.headers.destination, '/topic/w');
});

test('it gets receipts', { only: 'gateway' }, async (t) => {
  const { client } = await connect(t);
  const inbox = new Inbox('receipts');

  client.onreceipt = (frame) => inbox.push(frame.headers['receipt-id']);
  client.subscribe('/topic/w', () => {}, { receipt: 'r1' });
  client.send('/topic/w', 'x', { receipt: 'r2' });
  assert.deepEqual(await inbox.take(2), ['r1', 'r2']);
});

test('its heart-beats keep an idle connection open', async (t) => {
  const { client, socket } = await connect(t, { heartbeat: { outgoing: 1000, incoming: 2000 } });
  const beats = new Inbox('heart-beats');

  socket.on('message', (data) => { if (data.toString() === '\n') beats.push(1); });
  await beats.take(3); // it gives up after two missed ones, the server after three
  assert.equal(client.connected, true);
});

test('its DISCONNECT ends the connection', async (t) => {
  const { client, socket } = await connect(t);
  const closed = new Inbox('close');

  socket.on('close', (code) => closed.push(code));
  client.disconnect(() => {});
  await closed.next();
});

lastly();
