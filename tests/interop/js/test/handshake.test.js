// The opening handshake by raw sockets: the order of checks and the answers of Spring's AbstractHandshakeHandler.

import assert from 'node:assert/strict';
import { IS_SPRING, config } from '../lib/gateway.js';
import { KEY, RawSocket, acceptOf } from '../lib/raw.js';
import { suite } from '../lib/suite.js';

const { gateway, test, lastly } = await suite(config());
const only = { only: 'gateway' };
const OPEN = IS_SPRING ? '/ws' : '/ws-open'; // no token asked for

async function handshake(t, changes, path = '/ws', method = 'GET') {
  const { raw, answer } = await RawSocket.handshake(gateway.address, path, changes, method);

  t.using(raw);
  return answer;
}

test('a right handshake is answered by 101 and its accept key', async (t) => {
  const answer = await handshake(t, {});

  assert.equal(answer.status, 101);
  assert.equal(answer.header('sec-websocket-accept'), acceptOf(KEY));
  assert.match(answer.header('upgrade'), /^websocket$/i);
  assert.match(answer.header('connection'), /^upgrade$/i);
  assert.equal(answer.header('sec-websocket-protocol'), undefined);
});

const NOT_TO_WEBSOCKET = 'Can "Upgrade" only to "WebSocket".';
const NOT_UPGRADE = '"Connection" must be "upgrade".';
const WRONG = [
  // name, headers, status, body
  ['no Upgrade', { Upgrade: null }, 400, NOT_TO_WEBSOCKET],
  ['an Upgrade to something else', { Upgrade: 'h2c' }, 400, NOT_TO_WEBSOCKET],
  ['an Upgrade to a list', { Upgrade: 'websocket, h2c' }, 400, NOT_TO_WEBSOCKET],
  ['no Connection', { Connection: null }, 400, NOT_UPGRADE],
  ['a Connection of keep-alive', { Connection: 'keep-alive' }, 400, NOT_UPGRADE],
  ['a Connection of UPGRADE', { Connection: 'UPGRADE' }, 400, NOT_UPGRADE],
  ['no key', { 'Sec-WebSocket-Key': null }, 400, ''],
  ['no version', { 'Sec-WebSocket-Version': null }, 426, ''],
  ['version 8', { 'Sec-WebSocket-Version': '8' }, 426, ''],
  ['an Origin of elsewhere', { Origin: 'https://evil.example' }, 403, ''],
  ['an Origin of null', { Origin: 'null' }, 403, ''],
  ['a blank Origin', { Origin: '' }, 403, ''],
  ['elsewhere, before all other mistakes', { Origin: 'https://evil.example', Upgrade: null }, 403, ''],
  ['no Upgrade, before the version', { Upgrade: null, 'Sec-WebSocket-Version': '8' }, 400, NOT_TO_WEBSOCKET],
];

for (const [name, headers, status, body] of WRONG) {
  test(`${name}: ${status}`, async (t) => {
    const answer = await handshake(t, headers);

    assert.deepEqual([answer.status, answer.body], [status, body]);
    if (status === 426) assert.equal(answer.header('sec-websocket-version'), '13');
  });
}

test('a key that is not 16 bytes in base64: 400', async (t) => {
  for (const key of ['short', 'AAAA', 'dGhlIHNhbXBsZSBub25jZQ=!', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAA'])
    assert.equal((await handshake(t, { 'Sec-WebSocket-Key': key })).status, 400, key);
});

test('another method: 405, with what is allowed', async (t) => {
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const answer = await handshake(t, { 'Content-Length': '0' }, '/ws', method);
    assert.equal(answer.status, 405, method);
    assert.match(answer.header('allow'), /\bGET\b/);
  }
});

test('the Origin is judged before the method', async (t) => {
  const answer = await handshake(t, { Origin: 'https://evil.example', 'Content-Length': '0' }, '/ws', 'POST');

  assert.equal(answer.status, 403);
});

test('upper and lower case where they do not matter', async (t) => {
  for (const headers of [{ Upgrade: 'WebSocket' }, { Connection: 'keep-alive, Upgrade' }, { Connection: 'upgrade' }])
    assert.equal((await handshake(t, headers)).status, 101, JSON.stringify(headers));
});

test('only the exact path is an endpoint; a query does not matter', async (t) => {
  assert.equal((await handshake(t, {}, '/ws?x=/ws/')).status, 101);
  for (const path of ['/ws/', '/wss', '/ws/x', '/w', '/ws%2f'])
    assert.ok([400, 404].includes((await handshake(t, {}, path)).status), path);
});

const ORIGINS = [
  // path, origin, host (null: the real one), status
  ['/ws', 'http://HOST', null, 101],
  ['/ws', 'https://HOST', null, 403], // the scheme differs
  ['/ws', 'http://example.org', 'example.org', 101],
  ['/ws', 'http://example.org:80', 'example.org', 101],
  ['/ws', 'http://example.org:81', 'example.org', 403],
  ['/ws', 'http://sub.example.org', 'example.org', 403],
  ['/ws-origins', 'http://HOST', null, 101], // same-origin, whatever the list
  ['/ws-origins', 'https://app.example', null, 101],
  ['/ws-origins', 'https://app.example/', null, 101],
  ['/ws-origins', 'https://APP.example', null, 101],
  ['/ws-origins', 'http://app.example', null, 403],
  ['/ws-origins', 'https://app.example.evil', null, 403],
  ['/ws-origins', 'https://a.example.org:8080', null, 101],
  ['/ws-origins', 'https://a.b.example.org:8081', null, 101],
  ['/ws-origins', 'https://a.example.org', null, 403],
  ['/ws-origins', 'https://a.example.org:8082', null, 403],
  ['/ws-origins', 'https://example.org:8080', null, 403],
];

for (const [path, origin, host, status] of ORIGINS) {
  test(`${path} from ${origin}${host ? ` with Host ${host}` : ''}: ${status}`, async (t) => {
    const headers = { Origin: origin.replace('HOST', gateway.address), ...(host && { Host: host }) };

    assert.equal((await handshake(t, headers, path)).status, status);
  });
}

const PROTOCOLS = [
  // asked for, answered with
  ['v12.stomp', 'v12.stomp'],
  ['v10.stomp, v11.stomp, v12.stomp', 'v10.stomp'],
  ['v11.stomp,v12.stomp', 'v11.stomp'],
  ['foo, V12.Stomp, v10.stomp', 'V12.Stomp'],
  ['mqtt', undefined],
  [['foo', 'v11.stomp'], 'v11.stomp'],
  [['foo', 'v10.stomp, v11.stomp'], undefined], // of two lines each is one value
];

for (const [asked, answered] of PROTOCOLS) {
  test(`sub-protocols ${JSON.stringify(asked)}: ${answered ?? 'none, and yet 101'}`, async (t) => {
    const answer = await handshake(t, { 'Sec-WebSocket-Protocol': asked });

    assert.equal(answer.status, 101);
    assert.equal(answer.header('sec-websocket-protocol'), answered);
  });
}

test('the sub-protocol does not bind the version', async (t) => {
  const raw = t.using(await RawSocket.upgraded(gateway.address, OPEN,
    { 'Sec-WebSocket-Protocol': 'v10.stomp' }));

  assert.equal((await raw.connectStomp()).header('version'), '1.2');
});

test('a plain request for an endpoint is told what it is', async (t) => {
  const answer = await handshake(t, { Upgrade: null, Connection: null, 'Sec-WebSocket-Key': null,
    'Sec-WebSocket-Version': null });

  assert.deepEqual([answer.status, answer.body], [400, NOT_TO_WEBSOCKET]);
});

test('a head of 1 MiB is refused and the gateway goes on', async (t) => {
  const raw = t.using(await RawSocket.open(gateway.address));

  raw.write(`GET /ws HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(1 << 20)}\r\n\r\n`);
  await raw.ended();
  assert.equal((await handshake(t, {})).status, 101);
});

test('what is no HTTP is refused and the gateway goes on', only, async (t) => {
  for (const bytes of ['\x16\x03\x01\x02\x00\x01\x00', '\0\0\0\0\r\n\r\n', 'CONNECT\naccept-version:1.2\n\n\0\r\n\r\n']) {
    const raw = t.using(await RawSocket.open(gateway.address));

    raw.write(bytes);
    raw.socket.end();
    await raw.ended();
  }
  assert.equal((await handshake(t, {})).status, 101);
});

lastly();
