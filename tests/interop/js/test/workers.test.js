// Several workers: what one of them takes reaches the clients of all, in order.

import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { config } from '../lib/gateway.js';
import { StompClient } from '../lib/client.js';
import { suite } from '../lib/suite.js';
import { Inbox } from '../lib/until.js';

const N_CLIENTS = 16; // the kernel spreads them by hash: that all meet one worker of 4 is 4^-15
const { gateway, test, lastly } = await suite(config(), ['--set', 'workers=4']);
const only = { only: 'gateway' };

const connect = async (t, n = N_CLIENTS) => Promise.all(Array.from({ length: n }, async (_, i) =>
  t.using(await StompClient.as(`user-${i}`, gateway.url('/ws')))));

test('each client\'s messages reach all clients, each sender\'s in order', only, async (t) => {
  const clients = await connect(t);
  const inboxes = await Promise.all(clients.map((client) => client.subscribed('/topic/all')));
  const N = 50;

  for (let i = 0; i < N; i++) clients.forEach((client, from) => client.send('/topic/all', `${from} ${i}`));
  for (const inbox of inboxes) {
    const next = new Array(clients.length).fill(0);
    for (const message of await inbox.take(N * clients.length)) {
      const [from, i] = message.body.split(' ').map(Number);
      assert.equal(i, next[from]++, `of sender ${from}`);
    }
  }
});

test('who has the RECEIPT of its SUBSCRIBE misses nothing, wherever it is sent', only, async (t) => {
  const clients = await connect(t);

  for (let round = 0; round < 20; round++) {
    const destination = `/topic/round-${round}`;
    const subscriber = clients[round % clients.length];
    const sender = clients[(round * 7 + 3) % clients.length];
    const inbox = await subscriber.subscribed(destination);

    sender.send(destination, 'x');
    assert.equal((await inbox.next()).body, 'x');
  }
});

test('who has the RECEIPT of its UNSUBSCRIBE gets nothing more', only, async (t) => {
  const [one, two] = await connect(t, 2);

  for (let round = 0; round < 20; round++) {
    const inbox = await one.subscribed('/topic/leave');
    const receipt = one.receipt();

    for (let i = 0; i < 10; i++) two.send('/topic/leave', String(i));
    inbox.subscription.unsubscribe({ receipt });
    await one.received(receipt);
    const n = inbox.items.length;
    await two.sent('/topic/leave', 'late');
    const marker = await one.subscribed(`/topic/marker-${round}`);
    await two.sent(`/topic/marker-${round}`, 'x');
    await marker.next();
    assert.equal(inbox.items.length, n);
  }
});

test('a push counts and reaches the subscribers of all workers, and pushes keep their order', only, async (t) => {
  const clients = await connect(t);
  const inboxes = await Promise.all(clients.map((client) => client.subscribed('/topic/push')));

  for (let i = 0; i < 20; i++) {
    const answer = await gateway.publish({ destination: '/topic/push', text: String(i) });
    assert.deepEqual(await answer.json(), { deliveries: N_CLIENTS });
  }
  for (const inbox of inboxes)
    assert.deepEqual((await inbox.take(20)).map((m) => Number(m.body)), Array.from({ length: 20 }, (_, i) => i));
});

test('a room spans the workers', only, async (t) => {
  const inbox = new Inbox('the room');
  const sockets = await Promise.all(Array.from({ length: N_CLIENTS }, () => new Promise((resolve, reject) => {
    const socket = t.using(new WebSocket(gateway.url('/room')), (it) => it.terminate());

    socket.on('open', () => resolve(socket)).on('error', reject);
    socket.on('message', (data) => inbox.push(data.toString()));
  })));

  sockets[0].send('안녕');
  assert.deepEqual(await inbox.take(N_CLIENTS), new Array(N_CLIENTS).fill('안녕'));
});

test('a restart of all clients at once is survived', only, async (t) => {
  for (let round = 0; round < 5; round++) {
    const clients = await connect(t, 8);
    const inboxes = await Promise.all(clients.map((client) => client.subscribed('/topic/storm')));

    for (const client of clients) client.send('/topic/storm', 'x');
    await Promise.all(inboxes.map((inbox) => inbox.take(clients.length)));
    for (const client of clients) client.socket.terminate();
    await Promise.all(clients.map((client) => client.closes.next()));
  }
  const probe = await gateway.publish({ destination: '/topic/storm', text: 'x' });
  assert.equal(probe.status, 200);
});

lastly();
