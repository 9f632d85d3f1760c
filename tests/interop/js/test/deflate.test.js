// permessage-deflate, as ws and zlib speak it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import WebSocket from 'ws';
import { ECHO_PREFIX, Gateway, config } from '../lib/gateway.js';
import { OPCODE, RawSocket } from '../lib/raw.js';
import { StompClient } from '../lib/client.js';
import { suite } from '../lib/suite.js';
import { Inbox } from '../lib/until.js';

const deflate = { enabled: true, min_size: 100 };
const keeping = { ...deflate, server_context_takeover: true, client_context_takeover: true };
const { gateway, test, lastly } = await suite(config({ transport: { deflate } }), ['--set', 'workers=2']);
const only = { only: 'gateway' };

const json = (n) => JSON.stringify(Array.from({ length: n }, (_, i) => ({ symbol: `S${i}`, price: 17.25, volume: i * 100 })));
const BODIES = ['short', json(10), json(50), json(1000), '가격'.repeat(3000), randomBytes(3000).toString('hex')];

/** ws's own name for what was agreed. */
const agreedBy = (socket) => socket.extensions === '' ? undefined : socket._extensions['permessage-deflate'].params;

async function connect(t, of, perMessageDeflate) {
  return t.using(await StompClient.as('alice', of.url('/ws'), { socket: { perMessageDeflate } }));
}

const OFFERS = [
  ['ws as it comes', true],
  ['no context either way', { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 }],
  ...Array.from({ length: 7 }, (_, i) => [`windows of ${9 + i} bits`,
    { serverMaxWindowBits: 9 + i, clientMaxWindowBits: 9 + i, threshold: 0 }]),
];

for (const [kind, settings] of [['without contexts', deflate], ['with contexts', keeping]]) {
  test(`what ws compresses and inflates is what was said, ${kind}`, only, async (t) => {
    const it = settings === deflate ? gateway
      : t.using(await Gateway.start(config({ transport: { deflate: settings } })), (one) => one.stop());

    for (const [name, offer] of OFFERS) {
      const client = await connect(t, it, offer);
      const inbox = await client.subscribed('/topic/deflate');
      const agreed = agreedBy(client.socket);
      const [deflated, inflated] = [await it.metric('messages_deflated_total'), await it.metric('messages_inflated_total')];

      assert.ok(agreed, name);
      assert.equal(agreed.server_max_window_bits, offer.serverMaxWindowBits, name);
      assert.equal(agreed.server_no_context_takeover === true,
        settings === deflate || offer.serverNoContextTakeover === true, name);
      for (const body of [...BODIES, ...BODIES]) client.send('/topic/deflate', body);
      for (const body of [...BODIES, ...BODIES]) assert.equal((await inbox.next()).body, body, name);
      // What is too short is not compressed; ws by itself leaves all below 1 KiB alone.
      assert.equal(await it.metric('messages_deflated_total') - deflated, 2 * (BODIES.length - 1), name);
      assert.ok(await it.metric('messages_inflated_total') - inflated >= 2 * (BODIES.length - 2), name);
      await client.close();
    }
  });
}

test('a publish is compressed once for each window, however many get it', only, async (t) => {
  const offers = [true, true, { serverMaxWindowBits: 10 }, { serverMaxWindowBits: 12 }, false];
  const clients = await Promise.all(Array.from({ length: 40 }, (_, i) => connect(t, gateway, offers[i % offers.length])));
  const inboxes = await Promise.all(clients.map((client, i) =>
    client.subscribed('/topic/many', i % 3 === 0 ? { id: `mine-${i}` } : { id: 'same' })));

  // One worker delivers before it hands the message to the other, which then has nothing to do.
  await gateway.publish({ destination: '/topic/many', body: json(30) });
  for (const inbox of inboxes) assert.equal((await inbox.next()).body, json(30));
  const before = await gateway.metric('messages_deflated_total');
  for (let i = 0; i < 10; i++) {
    await gateway.publish({ destination: '/topic/many', body: json(20 + i) });
    for (const inbox of inboxes) assert.equal((await inbox.next()).body, json(20 + i));
  }
  assert.equal(await gateway.metric('messages_deflated_total') - before, 10 * 3);
});

test('whoever does not ask for it gets nothing of it', only, async (t) => {
  const client = await connect(t, gateway, false);
  const inbox = await client.subscribed('/topic/none');

  assert.equal(client.socket.extensions, '');
  client.send('/topic/none', json(50));
  assert.equal((await inbox.next()).body, json(50));
});

test('plain endpoints take it too', only, async (t) => {
  const open = async (path, offer) => {
    const socket = t.using(new WebSocket(gateway.url(path), { perMessageDeflate: offer }), (it) => it.terminate());
    const inbox = new Inbox(path);

    socket.on('message', (data, isBinary) => inbox.push({ isBinary, text: data.toString() }));
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    return { socket, inbox };
  };
  const [one, other] = [await open('/room', { threshold: 0 }), await open('/room', { serverMaxWindowBits: 9, threshold: 0 })];
  const echo = await open('/echo', { threshold: 0 });

  for (const body of BODIES) {
    one.socket.send(body);
    one.socket.send(Buffer.from(body));
    echo.socket.send(body);
    for (const { inbox } of [one, other]) {
      assert.deepEqual(await inbox.next(), { isBinary: false, text: body });
      assert.deepEqual(await inbox.next(), { isBinary: true, text: body });
    }
    assert.equal((await echo.inbox.next()).text, ECHO_PREFIX + body);
  }
  one.socket.send('');
  assert.deepEqual(await other.inbox.next(), { isBinary: false, text: '' });
});

test('a bomb ends at the limit, and what is no deflate data at once', only, async (t) => {
  // A last block (BFINAL), and the empty one that then has to follow.
  const bomb = Buffer.concat([deflateRawSync(Buffer.alloc(64 * 1024 * 1024)), Buffer.from([0])]);

  assert.ok(bomb.length < 80_000);
  for (const [payload, code] of [[bomb, 1009], [Buffer.from([6]), 1007], [deflateRawSync('cut').subarray(0, 2), 1007]]) {
    const { raw, answer } = await RawSocket.handshake(gateway.address, '/echo-bare',
      { 'Sec-WebSocket-Extensions': 'permessage-deflate' });

    t.using(raw);
    assert.match(answer.header('sec-websocket-extensions'), /^permessage-deflate;/);
    raw.send(OPCODE.BINARY, payload, { rsv: 4 });
    assert.equal((await raw.closed()).code, code);
  }
});

lastly();
