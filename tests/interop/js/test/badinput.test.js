// What a peer can do wrong: STOMP frames (the cases of Spring's StompDecoder), WebSocket frames (RFC 6455), sizes.

import assert from 'node:assert/strict';
import { IS_SPRING, config } from '../lib/gateway.js';
import { OPCODE, RawSocket, closePayload, frame, stomp } from '../lib/raw.js';
import { suite } from '../lib/suite.js';

const { gateway, test, lastly } = await suite(config({
  endpoints: [
    { path: '/ws', anonymous: true },
    { path: '/ws-large', anonymous: true, message_size_limit: '4MiB' },
  ],
}));
const only = { only: 'gateway' };

const open = async (t, path = '/ws') => t.using(await RawSocket.upgraded(gateway.address, path));

async function connected(t, path, headers) {
  const raw = await open(t, path);

  await raw.connectStomp(headers);
  return raw;
}

/** Skips what is delivered before and returns the ERROR, which the close of 1002 must follow. */
async function assertError(raw, message) {
  let error;

  do error = await raw.nextStomp();
  while (error.command !== 'ERROR');
  if (message instanceof RegExp) assert.match(error.header('message'), message);
  else assert.equal(error.header('message'), message);
  assert.doesNotMatch(error.text, IS_SPRING ? /^$/ : /springframework|java\./);
  assert.equal(error.header('content-length'), '0');
  assert.equal(error.body, '');
  assert.equal((await raw.closed()).code, 1002);
  return error;
}

/** Whether others are still served. */
async function assertServing(t) {
  await connected(t);
}

const SUBSCRIBED = stomp('SUBSCRIBE', [['id', '0'], ['destination', '/topic/bad']]);
const BAD_FRAMES = [
  // name, bytes after CONNECTED, the message: Spring's, where it has no class name in it
  ['an unknown command', 'FOO\n\n\0', /./],
  ['a command in lower case', 'send\ndestination:/topic/a\n\n\0', /./],
  ['a command with a blank behind it', 'SEND \ndestination:/topic/a\n\n\0', /./],
  ['a header without a colon', 'SEND\nnocolon\n\n\0',
    "Illegal header: 'nocolon'. A header must be of the form <name>:[<value>]."],
  ['a header without a name', 'SEND\n:value\n\n\0',
    "Illegal header: ':value'. A header must be of the form <name>:[<value>]."],
  ['an unknown escape', 'SEND\na:alpha\\x\n\n\0', /^Illegal escape sequence at index \d+: alpha\\x$/],
  ['an escape cut off by the end of the line', 'SEND\na:alpha\\\n\n\0', /^Illegal escape sequence/],
  ['a carriage return alone', 'SEND\na:x\ry\n\n\0', "'\\r' must be followed by '\\n'"],
  ['no NUL behind the body', 'SEND\ndestination:/topic/a\ncontent-length:4\n\nbodyX\0',
    'Frame must be terminated with a null octet'],
  ['a body on SUBSCRIBE', 'SUBSCRIBE\nid:1\ndestination:/topic/a\n\nbody\0',
    "SUBSCRIBE shouldn't have a payload: length=4, headers={}"],
  ['a content-type that is none', 'SEND\ndestination:/topic/a\ncontent-type:no type\n\nx\0',
    /^Invalid mime type "no type": /],
  ['a second CONNECT', stomp('CONNECT', [['accept-version', '1.2']]), 'Session already exists'],
];

for (const [name, bytes, message] of BAD_FRAMES) {
  test(`${name} ends in ERROR and close 1002`, async (t) => {
    const raw = await connected(t);

    raw.text(bytes);
    await assertError(raw, message);
  });
}

test('DISCONNECT without a receipt is answered by ERROR Session closed. and close 1002', async (t) => {
  const raw = await connected(t);

  raw.text('DISCONNECT\n\n\0');
  const error = await assertError(raw, 'Session closed.');
  assert.equal(error.text, 'ERROR\nmessage:Session closed.\ncontent-length:0\n\n\0');
});

test('DISCONNECT with a receipt gets it and the connection stays the client\'s to close', async (t) => {
  const raw = await connected(t);

  raw.text(stomp('DISCONNECT', [['receipt', '77']]));
  assert.equal((await raw.nextStomp()).text, 'RECEIPT\nreceipt-id:77\n\n\0');
  raw.send(OPCODE.PING, 'alive');
  assert.equal((await raw.nextFrame()).opcode, OPCODE.PONG);
  raw.send(OPCODE.CLOSE, closePayload(1000));
  assert.equal((await raw.closed()).code, 1000);
});

test('a frame before CONNECT ends in ERROR', async (t) => {
  for (const bytes of [SUBSCRIBED, stomp('SEND', [['destination', '/topic/a']]), stomp('DISCONNECT')]) {
    const raw = await open(t);
    raw.text(bytes);
    await assertError(raw, /^Unknown session: /);
  }
});

test('an end-of-line before CONNECT does no harm', only, async (t) => {
  const raw = await open(t);

  raw.text('\n');
  assert.equal((await raw.connectStomp()).header('version'), '1.2');
});

test('a heart-beat header that is no pair of numbers ends in ERROR', async (t) => {
  const raw = await open(t);

  raw.text(stomp('CONNECT', [['accept-version', '1.2'], ['heart-beat', 'a,b']]));
  await assertError(raw, /./);
});

test('blanks in accept-version and heart-beat are forgiven', only, async (t) => {
  const raw = await open(t);

  raw.text(stomp('CONNECT', [['accept-version', '1.1, 1.2'], ['heart-beat', '0, 0']]));
  assert.equal((await raw.nextStomp()).header('version'), '1.2');
});

test('CONNECT without accept-version speaks 1.0, without a common version gets ERROR', only, async (t) => {
  const old = await open(t);
  old.text(stomp('CONNECT'));
  assert.equal((await old.nextStomp()).header('version'), '1.0');

  const future = await open(t);
  future.text(stomp('CONNECT', [['accept-version', '2.0,3.0']]));
  await assertError(future, /version/i);
});

test('STOMP is another word for CONNECT', async (t) => {
  const raw = await open(t);

  raw.text(stomp('STOMP', [['accept-version', '1.0,1.1,1.2'], ['heart-beat', '0,0']]));
  assert.equal((await raw.nextStomp()).text, 'CONNECTED\nversion:1.2\nheart-beat:1000,1000\n\n\0');
});

test('a client that promised heart-beats and sends none gets ERROR Session closed. and 1002', async (t) => {
  const raw = await open(t);

  raw.text(stomp('CONNECT', [['accept-version', '1.2'], ['heart-beat', '1000,0']]));
  assert.equal((await raw.nextStomp()).command, 'CONNECTED');
  await assertError(raw, 'Session closed.');
});

test('an ERROR names the receipt that the frame asked for', only, async (t) => {
  const raw = await connected(t);

  raw.text(stomp('CONNECT', [['accept-version', '1.2'], ['receipt', 'r-1']]));
  assert.equal((await assertError(raw, 'Session already exists')).header('receipt-id'), 'r-1');
});

test('good frames in front of a bad one are not lost', only, async (t) => {
  const raw = await connected(t);

  raw.text(SUBSCRIBED + stomp('SEND', [['destination', '/topic/bad']], 'good') + 'FOO\n\n\0');
  assert.equal((await raw.nextStomp()).body, 'good');
  await assertError(raw, /./);
});

test('a body with NULs and content-length is delivered whole', async (t) => {
  const raw = await connected(t);
  const body = 'a\0b\0\0c\n';

  raw.text(SUBSCRIBED);
  raw.text(stomp('SEND', [['destination', '/topic/bad'], ['content-length', String(body.length)]], body));
  const message = await raw.nextStomp();
  assert.equal(message.body, body);
  assert.equal(message.header('content-length'), String(body.length));
});

test('a frame that comes byte by byte is one frame', async (t) => {
  const raw = await connected(t);

  raw.text(SUBSCRIBED);
  for (const c of stomp('SEND', [['destination', '/topic/bad']], '안'))
    for (const byte of Buffer.from(c)) raw.send(OPCODE.BINARY, Buffer.from([byte]));
  assert.equal((await raw.nextStomp()).body, '안');
});

test('more than a frame may have, over several messages, ends in ERROR', async (t) => {
  const raw = await connected(t);

  raw.text('SEND\ndestination:/topic/a\n\n');
  for (let i = 0; i < 8; i++) raw.text('x'.repeat(10_000));
  await assertError(raw, 'The configured STOMP buffer size limit of 65536 bytes has been exceeded');
});

test('a content-length above the limit ends in ERROR', async (t) => {
  const raw = await connected(t);

  raw.text('SEND\ndestination:/topic/a\ncontent-length:70000\n\nx');
  raw.text('x');
  await assertError(raw,
    "STOMP 'content-length' header value 70000  exceeds configured buffer size limit 65536");
});

test('a message above the limit closes with 1009, fragmented or not', async (t) => {
  const whole = await connected(t);
  whole.text('x'.repeat(65_537));
  assert.equal((await whole.closed()).code, 1009);

  const pieces = await connected(t);
  pieces.send(OPCODE.TEXT, 'SEND\ndestination:/topic/a\n\n', { fin: false });
  for (let i = 0; i < 70; i++) pieces.send(OPCODE.CONTINUATION, 'x'.repeat(1000), { fin: false });
  assert.equal((await pieces.closed()).code, 1009);
});

test('a frame that announces 2^63 - 1 bytes closes with 1009 and costs nothing', only, async (t) => {
  const raw = await connected(t);
  const head = frame(OPCODE.BINARY, '', { length: 70_000 });

  head.writeBigUInt64BE(2n ** 63n - 1n, 2);
  raw.write(head);
  assert.equal((await raw.closed()).code, 1009);
  await assertServing(t);
});

test('10,000 headers end in ERROR', only, async (t) => {
  const raw = await connected(t);

  raw.text(`SEND\ndestination:/topic/a\n${'a:\n'.repeat(10_000)}\n\0`);
  await assertError(raw, /header/i);
});

test('a header of 1 MiB closes with 1009, and with ERROR where so much may come', only, async (t) => {
  const bytes = `SEND\ndestination:/topic/a\nlarge:${'x'.repeat(1 << 20)}\n\n\0`;
  const small = await connected(t);
  small.text(bytes);
  assert.equal((await small.closed()).code, 1009);

  const large = await connected(t, '/ws-large');
  large.text(bytes);
  await assertError(large, /header/i);
  await assertServing(t);
});

test('text that is not UTF-8 closes with 1007', async (t) => {
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xea, 0xb0]]) {
    const raw = await connected(t);
    raw.send(OPCODE.TEXT, Buffer.from(bytes));
    assert.equal((await raw.closed()).code, 1007, String(bytes));
  }
});

test('text that cannot become UTF-8 any more is refused before the message ends', async (t) => {
  const raw = await connected(t);

  raw.send(OPCODE.TEXT, Buffer.from([0x61, 0xff]), { fin: false });
  assert.equal((await raw.closed()).code, 1007);
});

test('a body that is not UTF-8 goes out in a binary message, byte for byte', only, async (t) => {
  const raw = await connected(t);
  const head = Buffer.from('SEND\ndestination:/topic/bad\ncontent-type:text/plain\ncontent-length:3\n\n');
  const body = Buffer.from([0xff, 0xfe, 0x00]);

  raw.text(SUBSCRIBED);
  raw.send(OPCODE.BINARY, Buffer.concat([head, body, Buffer.from([0])]));
  const message = await raw.nextMessage();
  assert.equal(message.opcode, OPCODE.BINARY);
  assert.deepEqual(message.payload.subarray(-4), Buffer.concat([body, Buffer.from([0])]));
});

const BAD_WEBSOCKET = [
  // name, bytes
  ['a frame without a mask', frame(OPCODE.TEXT, 'x', { mask: false })],
  ['a reserved bit', frame(OPCODE.TEXT, 'x', { rsv: 4 })],
  ['opcode 3', frame(3, 'x')],
  ['opcode 11', frame(11, '')],
  ['a ping of 126 bytes', frame(OPCODE.PING, 'x'.repeat(126))],
  ['a ping in pieces', frame(OPCODE.PING, 'x', { fin: false })],
  ['a continuation of nothing', frame(OPCODE.CONTINUATION, 'x')],
  ['a message inside a message', Buffer.concat([frame(OPCODE.TEXT, 'x', { fin: false }), frame(OPCODE.TEXT, 'y')])],
  ['a close of one byte', frame(OPCODE.CLOSE, 'x')],
  ['a close with code 1005', frame(OPCODE.CLOSE, closePayload(1005))],
  ['a close with code 999', frame(OPCODE.CLOSE, closePayload(999))],
  ['a close with code 5000', frame(OPCODE.CLOSE, closePayload(5000))],
];

for (const [name, bytes] of BAD_WEBSOCKET) {
  test(`${name} closes with 1002`, IS_SPRING && /close/.test(name) ? only : {}, async (t) => {
    const raw = await connected(t);

    raw.write(bytes);
    assert.equal((await raw.closed()).code, 1002);
    await raw.ended();
  });
}

test('a close reason that is not UTF-8 closes with 1007', only, async (t) => {
  const raw = await connected(t);

  raw.send(OPCODE.CLOSE, Buffer.concat([closePayload(1000), Buffer.from([0xff])]));
  assert.equal((await raw.closed()).code, 1007);
});

test('a close is answered and the connection ended', async (t) => {
  for (const [payload, code] of [['', 1005], [closePayload(1000), 1000], [closePayload(3999, '끝'), 3999]]) {
    const raw = await connected(t);
    raw.send(OPCODE.CLOSE, payload);
    const answer = await raw.closed();
    assert.ok(answer.code === code || (code === 1005 && answer.code === 1000), `${code}: ${answer.code}`);
    await raw.ended();
  }
});

test('a pong nobody asked for does no harm', async (t) => {
  const raw = await connected(t);

  raw.send(OPCODE.PONG, '');
  raw.send(OPCODE.PONG, 'unasked');
  raw.send(OPCODE.PING, 'x'.repeat(125));
  const pong = await raw.nextFrame();
  assert.deepEqual([pong.opcode, pong.payload.toString()], [OPCODE.PONG, 'x'.repeat(125)]);
});

test('what comes in one packet with the handshake is not lost', async (t) => {
  const raw = t.using(await RawSocket.open(gateway.address));
  const head = `GET /ws HTTP/1.1\r\nHost: ${gateway.address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

  raw.write(Buffer.concat([Buffer.from(head), frame(OPCODE.TEXT, stomp('CONNECT', [['accept-version', '1.2']]))]));
  assert.equal((await raw.answer()).status, 101);
  assert.equal((await raw.nextStomp()).command, 'CONNECTED');
});

test('what a client may not say is refused or ignored, never delivered', only, async (t) => {
  const [raw, other] = [await connected(t), await connected(t)];

  raw.text(SUBSCRIBED);
  other.text(stomp('MESSAGE', [['destination', '/topic/bad'], ['subscription', '0'], ['message-id', '1']], 'forged'));
  const sender = await connected(t);
  sender.text(stomp('SEND', [['destination', '/topic/bad'], ['simpOrigDestination', '/topic/forged'],
    ['message-id', 'forged'], ['subscription', 'forged']], 'real'));
  const message = await raw.nextStomp();
  assert.equal(message.body, 'real');
  assert.equal(message.header('destination'), '/topic/bad');
  assert.equal(message.header('subscription'), '0');
  assert.notEqual(message.header('message-id'), 'forged');
});

test('a second SUBSCRIBE of the same id is an error', only, async (t) => {
  const raw = await connected(t);

  raw.text(SUBSCRIBED);
  raw.text(stomp('SUBSCRIBE', [['id', '0'], ['destination', '/topic/other'], ['receipt', 'r']]));
  const frame = await raw.nextStomp();
  assert.equal(frame.command, 'ERROR');
  assert.equal(frame.header('receipt-id'), 'r');
  assert.equal(frame.header('message'), 'A subscription of this id exists already');
});

test('SUBSCRIBE without id or destination, SEND without destination: the gateway lives on', async (t) => {
  for (const bytes of [stomp('SUBSCRIBE', [['destination', '/topic/a']]), stomp('SUBSCRIBE', [['id', '1']]),
    stomp('SEND', [], 'x'), stomp('UNSUBSCRIBE'), stomp('UNSUBSCRIBE', [['id', 'nobody']])]) {
    const raw = await connected(t);
    raw.text(bytes);
  }
  await assertServing(t);
});

lastly();
