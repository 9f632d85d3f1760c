// Endpoints without STOMP: `protocol: echo` and `protocol: broadcast`.

import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { ECHO_PREFIX, config } from '../lib/gateway.js';
import { OPCODE, RawSocket } from '../lib/raw.js';
import { StompClient } from '../lib/client.js';
import { suite } from '../lib/suite.js';
import { bearer, token } from '../lib/token.js';
import { Inbox } from '../lib/until.js';

const { gateway, test, lastly } = await suite(config());
const only = { only: 'gateway' };

async function connect(t, pathname, options) {
  const socket = t.using(new WebSocket(gateway.url(pathname), options), (it) => it.terminate());
  const inbox = new Inbox(pathname);
  const opening = new Inbox(`${pathname} opens`);

  socket.on('message', (data, isBinary) => inbox.push({ isBinary, data: isBinary ? data : data.toString() }));
  socket.on('open', () => opening.push('open'));
  socket.on('error', (error) => opening.push(error));
  socket.on('close', (code, reason) => inbox.push({ code, reason: reason.toString() }));
  assert.equal(await opening.next(), 'open');
  // The 101 may be here before the server's other threads know the session; a pong comes from the session.
  socket.once('pong', () => opening.push('pong')).ping();
  assert.equal(await opening.next(), 'pong');
  return { socket, inbox, send: (data) => socket.send(data) };
}

test('text comes back as text, with the prefix', async (t) => {
  const { send, inbox } = await connect(t, '/echo');

  send('안녕하세요');
  assert.deepEqual(await inbox.next(), { isBinary: false, data: ECHO_PREFIX + '안녕하세요' });
  send('');
  assert.deepEqual(await inbox.next(), { isBinary: false, data: ECHO_PREFIX });
});

test('without a prefix text comes back as it is', only, async (t) => {
  const { send, inbox } = await connect(t, '/echo-bare');

  send('안녕');
  assert.deepEqual(await inbox.next(), { isBinary: false, data: '안녕' });
});

test('binary comes back as binary, as it is', async (t) => {
  const { send, inbox } = await connect(t, '/echo');
  const bytes = Buffer.from([0, 255, 128, 10, 13, 0]);

  send(bytes);
  assert.deepEqual(await inbox.next(), { isBinary: true, data: bytes });
});

test('messages of every length form come back in order', async (t) => {
  const { send, inbox } = await connect(t, '/echo');
  const lengths = [1, 125, 126, 127, 65535, 65536, 200_000];

  for (const n of lengths) send(Buffer.alloc(n, n & 0xff));
  for (const n of lengths) assert.deepEqual((await inbox.next()).data, Buffer.alloc(n, n & 0xff));
});

test('a message of a megabyte comes back whole', async (t) => {
  const { send, inbox } = await connect(t, '/echo');
  const text = '가나다라'.repeat(80_000);

  send(text);
  assert.equal((await inbox.next()).data, ECHO_PREFIX + text);
});

test('a fragmented message comes back as one, also cut inside a character', async (t) => {
  const raw = t.using(await RawSocket.upgraded(gateway.address, '/echo'));
  const bytes = Buffer.from('안녕하세요');

  raw.send(OPCODE.TEXT, bytes.subarray(0, 4), { fin: false });
  raw.send(OPCODE.PING, 'between');
  raw.send(OPCODE.CONTINUATION, bytes.subarray(4, 5), { fin: false });
  raw.send(OPCODE.CONTINUATION, '', { fin: false });
  raw.send(OPCODE.CONTINUATION, bytes.subarray(5));
  const pong = await raw.nextFrame();
  assert.deepEqual([pong.opcode, pong.payload.toString()], [OPCODE.PONG, 'between']);
  const message = await raw.nextMessage();
  assert.deepEqual([message.opcode, message.payload.toString()], [OPCODE.TEXT, `${ECHO_PREFIX}안녕하세요`]);
});

test('the close handshake answers with the code it was given', async (t) => {
  const { socket, inbox } = await connect(t, '/echo');

  socket.close(4321, '끝');
  assert.equal((await inbox.next()).code, 4321);
});

test('a message above the endpoint\'s own limit closes with 1009', only, async (t) => {
  const { send, inbox } = await connect(t, '/echo');

  send(Buffer.alloc(4 * 1024 * 1024 + 1));
  assert.equal((await inbox.next()).code, 1009);
});

test('in a room everybody gets what one says, also the speaker', async (t) => {
  const [one, two] = [await connect(t, '/room'), await connect(t, '/room')];

  one.send('안녕');
  assert.deepEqual(await one.inbox.next(), { isBinary: false, data: '안녕' });
  assert.deepEqual(await two.inbox.next(), { isBinary: false, data: '안녕' });
  two.send('hello');
  assert.equal((await one.inbox.next()).data, 'hello');
  assert.equal((await two.inbox.next()).data, 'hello');
});

test('without echo_to_sender the speaker does not hear itself', async (t) => {
  const [one, two] = [await connect(t, '/room-others'), await connect(t, '/room-others')];

  one.send('from one');
  assert.equal((await two.inbox.next()).data, 'from one');
  two.send('from two');
  assert.equal((await one.inbox.next()).data, 'from two'); // the first that comes
});

test('rooms do not hear each other', async (t) => {
  const [here, there] = [await connect(t, '/room'), await connect(t, '/room-others')];
  const other = await connect(t, '/room-others');

  here.send('in one room');
  assert.equal((await here.inbox.next()).data, 'in one room');
  other.send('in the other');
  assert.equal((await there.inbox.next()).data, 'in the other');
});

test('binary stays binary in a room', only, async (t) => {
  const [one, two] = [await connect(t, '/room'), await connect(t, '/room')];

  one.send(Buffer.from([0, 159, 146, 150]));
  assert.deepEqual(await two.inbox.next(), { isBinary: true, data: Buffer.from([0, 159, 146, 150]) });
});

test('who leaves a room hears nothing more and the others go on', async (t) => {
  const [one, two, three] = [await connect(t, '/room'), await connect(t, '/room'), await connect(t, '/room')];

  two.socket.close(1000);
  assert.equal((await two.inbox.next()).code, 1000);
  one.send('still here?');
  assert.equal((await three.inbox.next()).data, 'still here?');
  assert.equal(two.inbox.items.length, 1);
});

test('a push to a room\'s path reaches all in it', only, async (t) => {
  const [one, two] = [await connect(t, '/room'), await connect(t, '/room')];
  const answer = await gateway.publish({ destination: '/room', body: '공지' });

  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { deliveries: 2 });
  assert.deepEqual(await one.inbox.next(), { isBinary: false, data: '공지' });
  assert.deepEqual(await two.inbox.next(), { isBinary: false, data: '공지' });
});

test('a room that is not anonymous asks for a token', only, async (t) => {
  const member = await connect(t, '/room-members', { headers: bearer('joe') });
  const byQuery = await connect(t, `/room-members?access_token=${token('jack')}`);

  member.send('only us');
  assert.equal((await byQuery.inbox.next()).data, 'only us');
  for (const headers of [{}, { Authorization: 'Bearer nonsense' }]) {
    const { raw, answer } = await RawSocket.handshake(gateway.address, '/room-members', headers);
    t.using(raw);
    assert.equal(answer.status, 401);
  }
});

test('a plain endpoint is not held to the first-message limit and STOMP is no matter to it', only, async (t) => {
  const { send, inbox } = await connect(t, '/echo-bare');

  send('CONNECT\naccept-version:1.2\n\n\0');
  assert.equal((await inbox.next()).data, 'CONNECT\naccept-version:1.2\n\n\0');
  const stomp = t.using(await StompClient.as('joe', gateway.url('/ws')));
  assert.equal(stomp.connectedHeaders.version, '1.2');
});

lastly();
