// wss: the same bytes through TLS, also when the client reads slower than the gateway writes.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { config, Gateway } from '../lib/gateway.js';
import { suite } from '../lib/suite.js';
import { Inbox } from '../lib/until.js';

const folder = mkdtempSync(path.join(tmpdir(), 'stompgate-tls-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const certificate = path.join(folder, 'cert.pem');
const key = path.join(folder, 'key.pem');
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
  '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'], { stdio: 'ignore' });

const ticketKeys = path.join(folder, 'tickets.keys');
writeFileSync(ticketKeys, randomBytes(160));

const { gateway, test, lastly } = await suite(config({
  workers: 2,
  listeners: [
    { address: '127.0.0.1:0', tls: true },
    { address: '127.0.0.1:0', proxy_protocol: true },
  ],
  tls: { certificates: [{ certificate, key }], session_tickets: { key_file: ticketKeys } },
  transport: { send_buffer_size_limit: '32MiB' },
}));

const listeners = gateway.log().split('\n').filter((line) => line.includes('"kind":"public"'))
  .map((line) => JSON.parse(line));
const secure = listeners.find((it) => it.tls).address;
const proxied = listeners.find((it) => it.proxy_protocol).address;

async function connect(t, pathname) {
  const socket = t.using(new WebSocket(`wss://${secure}${pathname}`, { rejectUnauthorized: false }),
    (it) => it.terminate());
  const inbox = new Inbox(pathname);

  socket.on('message', (data, isBinary) => inbox.push(isBinary ? data : data.toString()));
  socket.on('open', () => inbox.push('open'));
  socket.on('error', (error) => inbox.push(error));
  socket.on('close', (code) => inbox.push({ code }));
  assert.equal(await inbox.next(), 'open');
  return { socket, inbox };
}

test('messages of every size come back in order', async (t) => {
  const { socket, inbox } = await connect(t, '/echo');
  const lengths = [0, 1, 125, 126, 16383, 16384, 16385, 65535, 65536, 65537, 1_000_000, 4 * 1024 * 1024];

  lengths.forEach((n, i) => socket.send(Buffer.alloc(n, i)));
  for (const [i, n] of lengths.entries()) {
    assert.ok((await inbox.next()).equals(Buffer.alloc(n, i)), `message of ${n} bytes`);
  }
});

test('a client that pauses reading gets all of it later', async (t) => {
  const { socket, inbox } = await connect(t, '/echo');
  const count = 100;

  socket.pause();
  for (let i = 0; i < count; i++) socket.send(Buffer.alloc(100_000, i));
  socket.resume();
  for (let i = 0; i < count; i++) assert.ok((await inbox.next()).equals(Buffer.alloc(100_000, i)), `message ${i}`);
});

test('a bad frame is answered with its close code', async (t) => {
  const { socket, inbox } = await connect(t, '/echo');

  socket.send(Buffer.alloc(5 * 1024 * 1024));
  assert.deepEqual(await inbox.next(), { code: 1009 });
});

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** One connection of `openssl s_client`, to its end; resolves to what it prints. */
async function opensslClient(address, ...args) {
  const running = promisify(execFile)('openssl',
    ['s_client', '-connect', address, '-servername', 'localhost', '-ign_eof', ...args]);

  running.child.stdin.end(REQUEST);
  const { stdout } = await running;
  return stdout;
}

for (const version of ['-tls1_2', '-tls1_3']) {
  test(`openssl comes back by ticket, whichever worker it meets (${version})`, async () => {
    const session = path.join(folder, `session${version}`);

    assert.match(await opensslClient(secure, version, '-sess_out', session), /^New, TLSv1\.[23],/m);
    assert.ok(existsSync(session));
    for (let i = 0; i < 8; i++)
      assert.match(await opensslClient(secure, version, '-sess_in', session), /^Reused, TLSv1\.[23],/m);
  });
}

/** One connection of Node's own client: whether it was resumed, and the session for the next one. */
function nodeClient(t, address, session) {
  return new Promise((resolve, reject) => {
    const [host, port] = address.split(':');
    const socket = t.using(connectTls({ host, port: Number(port), servername: 'localhost',
      rejectUnauthorized: false, session }), (it) => it.destroy());
    let isReused, next;

    socket.on('secureConnect', () => {
      isReused = socket.isSessionReused();
      socket.write(REQUEST);
    });
    socket.on('session', (it) => { next = it; });
    socket.on('error', reject);
    socket.on('end', () => resolve({ isReused, session: next }));
    socket.resume();
  });
}

test('Node comes back by ticket, to another gateway with the same keys, too', async (t) => {
  const other = await Gateway.start(config({
    listeners: [{ address: '127.0.0.1:0', tls: true }],
    tls: { certificates: [{ certificate, key }], session_tickets: { key_file: ticketKeys } },
  }));
  const stranger = await Gateway.start(config({
    listeners: [{ address: '127.0.0.1:0', tls: true }],
    tls: { certificates: [{ certificate, key }] },
  }));
  const first = await nodeClient(t, secure);
  const second = await nodeClient(t, secure, first.session);
  const third = await nodeClient(t, other.address, second.session);

  assert.equal(first.isReused, false);
  assert.equal(second.isReused, true);
  assert.equal(third.isReused, true);
  assert.equal((await nodeClient(t, stranger.address, third.session)).isReused, false);
  assert.deepEqual(await other.stop(), []);
  assert.deepEqual(await stranger.stop(), []);
});

test('a PROXY line comes before the handshake', async (t) => {
  const [host, port] = proxied.split(':');
  const socket = t.using(connectTcp(Number(port), host), (it) => it.destroy());
  const inbox = new Inbox('proxied');

  socket.on('data', (data) => inbox.push(data.toString('latin1')));
  socket.write('PROXY TCP4 192.0.2.7 192.0.2.1 5000 80\r\n'
    + `GET /echo HTTP/1.1\r\nHost: ${proxied}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
    + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n');
  assert.match(await inbox.next(), /^HTTP\/1\.1 101 [^]*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
});

lastly();
