// Subscribers that stop reading what they may lose: broker.slow_consumers.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { config } from '../lib/gateway.js';
import { StompClient } from '../lib/client.js';
import { RawSocket, stomp } from '../lib/raw.js';
import { suite } from '../lib/suite.js';

const folder = mkdtempSync(path.join(tmpdir(), 'stompgate-slow-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const certificate = path.join(folder, 'cert.pem');
const key = path.join(folder, 'key.pem');
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
  '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'], { stdio: 'ignore' });

const { gateway, test, lastly } = await suite(config({
  listeners: [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0', tls: true }],
  tls: { certificates: [{ certificate, key }] },
  endpoints: [{ path: '/ws', anonymous: true }],
  workers: 2,
  transport: { send_time_limit: '60s' },
  broker: {
    destination_prefixes: ['/topic', '/queue'],
    sequence: ['/topic/numbered.*'],
    slow_consumers: [
      { destinations: ['/topic/latest.*'], policy: 'latest', key_header: 'symbol' },
      { destinations: ['/topic/safe'], policy: 'disconnect' },
      { destinations: ['/topic/*'], policy: 'drop_oldest', max_messages: 50 },
    ],
  },
}));

const secureAddress = gateway.log().split('\n').filter((line) => line.includes('"kind":"public"'))
  .map((line) => JSON.parse(line)).find((it) => it.tls).address;
const MESSAGES = 2500; // of 16 kB: many times what the kernel's buffers hold
const WINDOW = 25;
const BODY = 'x'.repeat(16_000);

async function subscribe(raw, id, destination) {
  raw.text(stomp('SUBSCRIBE', [['id', id], ['destination', destination], ['receipt', `sub-${id}`]]));
  assert.equal((await raw.nextStomp()).header('receipt-id'), `sub-${id}`);
}

async function deafSubscriber(t, destinations, secure) {
  const raw = t.using(await RawSocket.upgraded(secure ? secureAddress : gateway.address, '/ws', {},
    secure ? { rejectUnauthorized: false } : undefined));

  await raw.connectStomp();
  for (const [i, destination] of destinations.entries()) await subscribe(raw, String(i), destination);
  raw.socket.pause();
  return raw;
}

/** Publishes by a client as fast as another subscriber reads, who must get all of it. */
async function flood(t, destination, headersOf = () => ({}), meanwhile = async () => {}) {
  const [sender, reader] = [t.using(await StompClient.connected(gateway.url('/ws'))),
    t.using(await StompClient.connected(gateway.url('/ws')))];
  const inbox = await reader.subscribed(destination);

  for (let i = 0; i < MESSAGES; i++) {
    sender.send(destination, `${i} ${BODY}`, headersOf(i));
    if (i % WINDOW === WINDOW - 1) {
      await inbox.take(WINDOW);
      await meanwhile(i, sender);
    }
  }
  await inbox.until(() => inbox.items.length === MESSAGES, 'all messages');
  inbox.items.forEach((message, i) => {
    assert.ok(message.body.startsWith(`${i} `), `message ${i}`);
    assert.equal(message.headers.dropped, undefined);
  });
  assert.deepEqual(reader.closes.items, []);
  return { sender, reader, inbox };
}

const numberOf = (message) => Number(message.body.split(' ', 1)[0]);

/** What the deaf one hears once it listens, up to the receipt of its UNSUBSCRIBE. */
async function hearAll(raw) {
  const heard = [];

  raw.text(stomp('UNSUBSCRIBE', [['id', '0'], ['receipt', 'end']]));
  raw.socket.resume();
  for (;;) {
    const frame = await raw.nextStomp();
    if (frame.command === 'RECEIPT') {
      assert.equal(frame.header('receipt-id'), 'end');
      return heard;
    }
    heard.push({ ...frame, number: numberOf(frame), dropped: Number(frame.header('dropped') ?? 0) });
  }
}

const sum = (items, of) => items.reduce((n, item) => n + of(item), 0);

for (const secure of [false, true]) {
  const how = secure ? ', over TLS' : '';

  test(`drop_oldest: received and dropped are what was published${how}`, { only: 'gateway' }, async (t) => {
    const before = await gateway.metric('slow_oldest_dropped_total');
    const deaf = await deafSubscriber(t, ['/topic/flood'], secure);

    await flood(t, '/topic/flood');
    assert.equal(await gateway.metric('slow_sessions'), 1);
    assert.ok(await gateway.metric('slow_messages_waiting') <= 50);
    const heard = await hearAll(deaf);
    const dropped = sum(heard, (it) => it.dropped);
    assert.equal(heard.length + dropped, MESSAGES);
    assert.ok(dropped > 0 && heard.length > 50, `${heard.length} heard, ${dropped} dropped`);
    assert.equal(await gateway.metric('slow_oldest_dropped_total'), before + dropped);
    assert.equal(heard.at(-1).number, MESSAGES - 1);

    // Each count stands where the gap is, and everything is in order.
    let next = 0;
    for (const message of heard) {
      assert.equal(message.number, next + message.dropped);
      next = message.number + 1;
    }
    // The session is as good as new.
    await subscribe(deaf, 'again', '/topic/again');
    deaf.text(stomp('SEND', [['destination', '/topic/again'], ['dropped', '7']], 'hello'));
    const message = await deaf.nextStomp();
    assert.deepEqual([message.body, message.header('dropped')], ['hello', undefined]);
    assert.equal(await gateway.metric('slow_sessions'), 0);
    assert.equal(await gateway.metric('slow_messages_waiting'), 0);
  });
}

test('latest: of every key the last value arrives, in the order of publication', { only: 'gateway' }, async (t) => {
  const KEYS = 40;
  const before = await gateway.metric('slow_replaced_total');
  const deaf = await deafSubscriber(t, ['/topic/latest.prices']);

  await flood(t, '/topic/latest.prices', (i) => ({ symbol: `S${i % KEYS}` }));
  const heard = await hearAll(deaf);
  const dropped = sum(heard, (it) => it.dropped);
  const last = new Map();
  assert.equal(heard.length + dropped, MESSAGES);
  assert.ok(dropped > 0);
  assert.equal(await gateway.metric('slow_replaced_total'), before + dropped);
  heard.forEach((message, i) => {
    assert.ok(i === 0 || message.number > heard[i - 1].number, `message ${i}`);
    last.set(message.header('symbol'), message.number);
  });
  assert.equal(last.size, KEYS);
  for (let i = MESSAGES - KEYS; i < MESSAGES; i++) assert.equal(last.get(`S${i % KEYS}`), i);
});

test('a numbered destination shows the same gap twice', { only: 'gateway' }, async (t) => {
  const deaf = await deafSubscriber(t, ['/topic/numbered.1']);

  await flood(t, '/topic/numbered.1');
  const heard = await hearAll(deaf);
  assert.ok(sum(heard, (it) => it.dropped) > 0);
  for (const [i, message] of heard.entries()) {
    const gap = Number(message.header('x-seq')) - (i === 0 ? 0 : Number(heard[i - 1].header('x-seq'))) - 1;
    assert.equal(message.dropped, gap);
  }
});

test('where some messages are lost, others and receipts come at their place', { only: 'gateway' }, async (t) => {
  const deaf = await deafSubscriber(t, ['/topic/mixed', '/topic/safe']);
  let nSafe = 0;

  await flood(t, '/topic/mixed', undefined, async (i, sender) => {
    if (i % 100 !== 99) return;
    await sender.sent('/topic/safe', `${i} safe ${nSafe++}`);
    deaf.text(stomp('SEND', [['destination', '/topic/nobody'], ['receipt', `at-${i}`]]));
  });
  deaf.text(stomp('UNSUBSCRIBE', [['id', '0'], ['receipt', 'end']]));
  deaf.socket.resume();
  let next = 0;
  let safe = 0;
  let receipts = 0;
  for (;;) {
    const frame = await deaf.nextStomp();
    if (frame.header('receipt-id') === 'end') break;
    if (frame.command === 'RECEIPT') {
      assert.equal(frame.header('receipt-id'), `at-${100 * ++receipts - 1}`);
    } else if (frame.header('subscription') === '1') {
      assert.equal(frame.body, `${numberOf(frame)} safe ${safe++}`);
      assert.equal(frame.header('dropped'), undefined);
      assert.ok(next <= numberOf(frame) + 1, 'it is not late');
    } else {
      assert.equal(numberOf(frame), next + Number(frame.header('dropped') ?? 0));
      next = numberOf(frame) + 1;
    }
  }
  assert.deepEqual([next, safe, receipts], [MESSAGES, nSafe, MESSAGES / 100]);
});

test('many who never read cost the others nothing, and are never closed', { only: 'gateway' }, async (t) => {
  const N = 30;
  const closed = ['closed_send_buffer_total', 'closed_send_time_total', 'closed_memory_total'];
  const before = await Promise.all(closed.map((name) => gateway.metric(name)));
  const deaf = [];

  for (let i = 0; i < N; i++) deaf.push(await deafSubscriber(t, ['/topic/crowd']));
  await flood(t, '/topic/crowd');
  assert.equal(await gateway.metric('slow_sessions'), N);
  assert.deepEqual(await Promise.all(closed.map((name) => gateway.metric(name))), before);
  for (const one of deaf) {
    const heard = await hearAll(one);
    assert.equal(heard.length + sum(heard, (it) => it.dropped), MESSAGES);
    assert.equal(heard.at(-1).number, MESSAGES - 1);
  }
});

lastly();
