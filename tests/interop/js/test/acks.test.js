// Acknowledgements, transactions and soft refusals, by the methods that @stomp/stompjs has for them.

import assert from 'node:assert/strict';
import { Versions } from '@stomp/stompjs';
import { config } from '../lib/gateway.js';
import { StompClient } from '../lib/client.js';
import { suite } from '../lib/suite.js';

const base = config({
  workers: 3,
  access: [
    { operations: ['connect'], allow: 'all' },
    { destinations: ['/topic/closed'], allow: 'none' },
    { destinations: ['/topic/**', '/queue/**', '/user/**'], allow: 'all' },
  ],
});
const { gateway, test, lastly } = await suite({
  ...base,
  broker: { ...base.broker, queues: [{ destinations: ['/queue/jobs.*'], mode: 'competing' }] },
});
const only = { only: 'gateway' };
let nQueues = 0;

const connect = (t, user, options) =>
  StompClient.as(user, gateway.url('/ws'), options).then((client) => t.using(client));
const freshQueue = () => `/queue/jobs.${++nQueues}`;
const bodies = (messages) => messages.map((message) => message.body);
const individually = { ack: 'client-individual' };

async function send(t, queue, ...jobs) {
  const sender = await connect(t, 'sender');

  for (const job of jobs) await sender.sent(queue, job);
}

/** What is still in the queue, and nothing else, comes to a new subscriber. */
async function assertLeft(t, queue, jobs) {
  const inbox = await (await connect(t, 'next')).subscribed(queue);

  for (const message of await inbox.take(jobs.length)) assert.equal(message.headers.redelivered, 'true');
  await send(t, queue, 'end');
  await inbox.next();
  assert.deepEqual(bodies(inbox.items), [...jobs, 'end']);
}

for (const version of ['1.0', '1.1', '1.2']) {
  const options = { stompVersions: new Versions([version]) };

  test(`${version}: what is acknowledged alone is done with alone`, only, async (t) => {
    const [queue, client] = [freshQueue(), await connect(t, 'joe', options)];
    const inbox = await client.subscribed(queue, individually);

    await send(t, queue, 'one', 'two', 'three');
    const messages = await inbox.take(3);
    const receipt = client.receipt();
    messages[1].ack({ receipt });
    await client.received(receipt);
    await client.client.deactivate();
    await assertLeft(t, queue, ['one', 'three']);
  });

  test(`${version}: what is acknowledged in client mode stands for all before it`, only, async (t) => {
    const [queue, client] = [freshQueue(), await connect(t, 'joe', options)];
    const inbox = await client.subscribed(queue, { ack: 'client' });

    await send(t, queue, 'one', 'two', 'three');
    const messages = await inbox.take(3);
    const receipt = client.receipt();
    messages[1].ack({ receipt });
    await client.received(receipt);
    await client.client.deactivate();
    await assertLeft(t, queue, ['three']);
  });
}

test('a job that one client refuses is another one\'s', only, async (t) => {
  const queue = freshQueue();
  const first = await (await connect(t, 'one')).subscribed(queue, individually);

  await send(t, queue, 'job');
  const message = await first.next();
  assert.equal(message.headers.redelivered, undefined);
  const second = await (await connect(t, 'two')).subscribed(queue, individually);
  message.nack();
  const again = await second.next();
  assert.equal(again.body, 'job');
  assert.equal(again.headers.redelivered, 'true');
  assert.equal(again.headers['x-delivery-count'], '2');
  again.ack();
});

test('a job of a client that goes without a word is another one\'s', only, async (t) => {
  const [queue, client] = [freshQueue(), await connect(t, 'joe')];
  const inbox = await client.subscribed(queue, individually);

  await send(t, queue, 'one', 'two');
  (await inbox.take(2))[0].ack();
  await client.sent('/topic/barrier', ''); // the ACK is there
  client.socket.terminate();
  await assertLeft(t, queue, ['two']);
});

test('jobs are shared out, each to one', only, async (t) => {
  const queue = freshQueue();
  const jobs = Array.from({ length: 40 }, (_, i) => `job ${i}`);
  const inboxes = [];
  const sender = await connect(t, 'sender');

  for (let i = 0; i < 4; i++) inboxes.push(await (await connect(t, 'worker')).subscribed(queue));
  for (const job of jobs) sender.send(queue, job);
  for (const inbox of inboxes) await inbox.take(10); // they take turns
  assert.deepEqual(inboxes.flatMap((inbox) => bodies(inbox.items)).sort(), [...jobs].sort());
});

test('tx.commit: all of it, in order, and not before', only, async (t) => {
  const client = await connect(t, 'joe');
  const inbox = await (await connect(t, 'jack')).subscribed('/topic/tx');
  const tx = client.client.begin();

  for (let i = 0; i < 50; i++) client.send('/topic/tx', `inside ${i}`, { transaction: tx.id });
  await client.sent('/topic/tx', 'outside');
  assert.equal((await inbox.next()).body, 'outside');
  tx.commit();
  assert.deepEqual(bodies(await inbox.take(50)), Array.from({ length: 50 }, (_, i) => `inside ${i}`));
});

test('tx.abort: nothing of it', only, async (t) => {
  const client = await connect(t, 'joe');
  const inbox = await (await connect(t, 'jack')).subscribed('/topic/tx');
  const tx = client.client.begin();

  client.send('/topic/tx', 'never', { transaction: tx.id });
  tx.abort();
  await client.sent('/topic/tx', 'after');
  assert.equal((await inbox.next()).body, 'after');
});

test('an ack in a transaction counts with commit, not with abort', only, async (t) => {
  const [queue, client] = [freshQueue(), await connect(t, 'joe')];
  const inbox = await client.subscribed(queue, individually);

  await send(t, queue, 'committed', 'aborted');
  const [committed, aborted] = await inbox.take(2);
  const [one, two] = [client.client.begin(), client.client.begin()];
  committed.ack({ transaction: one.id });
  aborted.ack({ transaction: two.id });
  two.abort();
  one.commit();
  await client.client.deactivate();
  await assertLeft(t, queue, ['aborted']);
});

test('commit of what has not begun is an ERROR', only, async (t) => {
  const client = await connect(t, 'joe');

  client.client.commit('unknown');
  assert.ok((await client.errors.next()).message);
  assert.equal((await client.closes.next()).code, 1002);
});

test('who asked for soft refusals lives on', only, async (t) => {
  const client = await connect(t, 'joe', { connect: { 'x-refusals': 'soft' } });
  const refusals = await client.subscribed('/user/queue/errors');
  const inbox = await client.subscribed('/topic/open');

  client.send('/topic/closed', 'x', { receipt: 'mine' });
  const refusal = await refusals.next();
  assert.equal(refusal.headers['receipt-id'], 'mine');
  assert.equal(refusal.headers.destination, '/user/queue/errors');
  assert.ok(refusal.body);
  client.subscribe('/topic/closed');
  await refusals.next();
  client.send('/topic/open', 'still here');
  assert.equal((await inbox.next()).body, 'still here');
  assert.deepEqual(client.errors.items, []);
});

test('who did not, is closed', only, async (t) => {
  const client = await connect(t, 'joe');

  client.send('/topic/closed', 'x');
  assert.ok((await client.errors.next()).message);
  assert.equal((await client.closes.next()).code, 1002);
});

lastly();
