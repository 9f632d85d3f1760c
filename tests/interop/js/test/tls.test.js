// wss: the same bytes through TLS, also when the client reads slower than the gateway writes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import WebSocket from 'ws';
import { config } from '../lib/gateway.js';
import { suite } from '../lib/suite.js';
import { Inbox } from '../lib/until.js';

const folder = mkdtempSync(path.join(tmpdir(), 'stompgate-tls-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const certificate = path.join(folder, 'cert.pem');
const key = path.join(folder, 'key.pem');
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
  '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'], { stdio: 'ignore' });

const { gateway, test, lastly } = await suite(config({
  listeners: [
    { address: '127.0.0.1:0', tls: true },
    { address: '127.0.0.1:0', proxy_protocol: true },
  ],
  tls: { certificates: [{ certificate, key }] },
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
