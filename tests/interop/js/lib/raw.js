// A WebSocket client that can do everything wrong: the bytes are the test's own.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { Inbox } from './until.js';

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };

export function acceptOf(key) {
  return createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
}

/** One frame of a client. `length` lies about the payload's; `mask` false leaves it bare. */
export function frame(opcode, payload = '', { fin = true, rsv = 0, mask = true, length } = {}) {
  const data = Buffer.from(payload);
  const announced = length ?? data.length;
  let head;

  if (announced < 126) {
    head = Buffer.from([0, announced]);
  } else if (announced < 65536) {
    head = Buffer.alloc(4);
    head[1] = 126;
    head.writeUInt16BE(announced, 2);
  } else {
    head = Buffer.alloc(10);
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(announced), 2);
  }
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  if (!mask) return Buffer.concat([head, data]);

  const key = randomBytes(4);
  head[1] |= 0x80;
  return Buffer.concat([head, key, data.map((byte, i) => byte ^ key[i & 3])]);
}

export function closePayload(code, reason = '') {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

/** A STOMP frame as text; headers as [name, value] pairs, written as they are. */
export function stomp(command, headers = [], body = '') {
  return `${command}\n${headers.map(([name, value]) => `${name}:${value}\n`).join('')}\n${body}\0`;
}

const UNESCAPED = { '\\r': '\r', '\\n': '\n', '\\c': ':', '\\\\': '\\' };

export function parseStomp(text) {
  const end = text.indexOf('\n\n');
  const [command, ...lines] = text.slice(0, end).split('\n');
  const isEscaped = command !== 'CONNECTED';
  const unescape = (s) => (isEscaped ? s.replace(/\\[rnc\\]/g, (m) => UNESCAPED[m]) : s);
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [unescape(line.slice(0, colon)), unescape(line.slice(colon + 1))];
  });

  assert.ok(end >= 0 && text.endsWith('\0'), `not one whole STOMP frame: ${JSON.stringify(text)}`);
  return {
    command,
    headers,
    header: (name) => headers.find(([n]) => n === name)?.[1],
    body: text.slice(end + 2, -1),
    text,
  };
}

export class RawSocket {
  /** Over TLS with `secure`, its options. */
  static async open(address, secure) {
    const at = address.lastIndexOf(':');
    const raw = new RawSocket();
    const to = { host: address.slice(0, at), port: Number(address.slice(at + 1)) };

    raw.socket = secure ? tls.connect({ ...to, ...secure }) : net.connect(to);
    raw.socket.setNoDelay(true);
    raw.address = address;
    raw.bytes = Buffer.alloc(0);
    raw.events = new Inbox(`raw connection to ${address}`);
    raw.isEnded = false;
    raw.socket.on('data', (bytes) => {
      raw.bytes = raw.bytes.length === 0 ? bytes : Buffer.concat([raw.bytes, bytes]);
      raw.events.wake();
    });
    const end = () => {
      raw.isEnded = true;
      raw.events.wake();
    };
    raw.socket.on('end', end).on('close', end);
    raw.socket.on('error', (error) => {
      raw.error = error; // a peer that cuts the connection is often what the test wants
      end();
    });
    let isConnected = false;
    raw.socket.on('connect', () => {
      isConnected = true;
      raw.events.wake();
    });
    await raw.events.until(() => {
      if (raw.error) throw raw.error;
      return isConnected;
    }, 'connection');
    return raw;
  }

  write(bytes) {
    this.socket.write(bytes);
  }

  close() {
    this.socket.destroy();
  }

  /** The first value of `take()`, tried as bytes come in. */
  read(take, what) {
    return this.events.until(() => {
      const value = take();
      if (value === undefined && this.isEnded)
        throw new Error(`the connection ended before a ${what}; left over: ` +
          JSON.stringify(this.bytes.toString('latin1').slice(0, 300)));
      return value;
    }, what);
  }

  /** Everything until the peer ends the connection. */
  ended() {
    return this.events.until(() => this.isEnded, 'end of the connection');
  }

  // --- HTTP

  async answer() {
    const text = await this.read(() => {
      const end = this.bytes.indexOf('\r\n\r\n');
      if (end < 0) return undefined;
      const head = this.bytes.subarray(0, end).toString('latin1');
      this.bytes = this.bytes.subarray(end + 4);
      return head;
    }, 'HTTP answer');
    const [line, ...rest] = text.split('\r\n');
    const headers = rest.map((header) => {
      const colon = header.indexOf(':');
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
    });
    const answer = {
      status: Number(line.split(' ')[1]),
      header: (name) => headers.find(([n]) => n === name)?.[1],
      names: headers.map(([name]) => name),
      headers,
      body: '',
    };

    if (answer.status !== 101 && answer.header('transfer-encoding') === 'chunked') {
      answer.body = await this.#chunks();
    } else if (answer.status !== 101 && answer.header('content-length') !== undefined) {
      const length = Number(answer.header('content-length'));
      await this.read(() => (this.bytes.length >= length ? true : undefined), 'body');
      answer.body = this.bytes.subarray(0, length).toString();
      this.bytes = this.bytes.subarray(length);
    } else if (answer.status !== 101) {
      await this.ended();
      answer.body = this.bytes.toString();
    }
    return answer;
  }

  async #chunks() {
    let body = '';
    for (;;) {
      const size = await this.read(() => {
        const end = this.bytes.indexOf('\r\n');
        if (end < 0) return undefined;
        const n = parseInt(this.bytes.subarray(0, end).toString(), 16);
        if (this.bytes.length < end + 2 + n + 2) return undefined;
        body += this.bytes.subarray(end + 2, end + 2 + n).toString();
        this.bytes = this.bytes.subarray(end + 2 + n + 2);
        return { n };
      }, 'chunk');
      if (size.n === 0) return body;
    }
  }

  /** A handshake: right, but for `changes`: a header's new value, a list of values, or null. */
  request(path, changes = {}, method = 'GET') {
    const headers = {
      Host: this.address,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': KEY,
      'Sec-WebSocket-Version': '13',
      ...changes,
    };
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      (value === null ? [] : [].concat(value).map((one) => `${name}: ${one}\r\n`)));

    this.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
    return this.answer();
  }

  static async handshake(address, path, changes, method, secure) {
    const raw = await RawSocket.open(address, secure);
    const answer = await raw.request(path, changes, method);

    return { raw, answer };
  }

  static async upgraded(address, path, changes, secure) {
    const { raw, answer } = await RawSocket.handshake(address, path, changes, 'GET', secure);

    assert.equal(answer.status, 101, `handshake on ${path}: ${answer.status} ${answer.body}`);
    return raw;
  }

  // --- WebSocket

  send(opcode, payload, options) {
    this.write(frame(opcode, payload, options));
  }

  text(payload) {
    this.send(OPCODE.TEXT, payload);
  }

  nextFrame() {
    return this.read(() => this.takeFrame(), 'WebSocket frame');
  }

  /** The next frame, or undefined while it is not all there. */
  takeFrame() {
    const { bytes } = this;
    if (bytes.length < 2) return undefined;
    let length = bytes[1] & 0x7f;
    let at = 2;
    if (length === 126) {
      if (bytes.length < 4) return undefined;
      length = bytes.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return undefined;
      length = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    if (bytes.length < at + length) return undefined;
    this.bytes = bytes.subarray(at + length);
    return {
      fin: (bytes[0] & 0x80) !== 0,
      rsv: (bytes[0] >> 4) & 7,
      opcode: bytes[0] & 0x0f,
      isMasked: (bytes[1] & 0x80) !== 0,
      payload: bytes.subarray(at, at + length),
    };
  }

  /** The next text or binary message, put together; control frames other than close are passed. */
  async nextMessage() {
    const pieces = [];
    let opcode;
    for (;;) {
      const next = await this.nextFrame();
      assert.equal(next.isMasked, false, 'a server must not mask');
      assert.equal(next.rsv, 0);
      if (next.opcode === OPCODE.PING || next.opcode === OPCODE.PONG) continue;
      if (next.opcode === OPCODE.CLOSE) return { opcode: OPCODE.CLOSE, ...this.#closeOf(next) };
      opcode ??= next.opcode;
      pieces.push(next.payload);
      if (next.fin) return { opcode, payload: Buffer.concat(pieces) };
    }
  }

  #closeOf({ payload }) {
    return payload.length === 0
      ? { code: 1005, reason: '' }
      : { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
  }

  /** The close frame's code and reason, whatever comes before it. */
  async closed() {
    for (;;) {
      const message = await this.nextMessage();
      if (message.opcode === OPCODE.CLOSE) return message;
    }
  }

  // --- STOMP

  /** The next STOMP frame; heart-beats are passed. A close is an error. */
  async nextStomp() {
    for (;;) {
      const message = await this.nextMessage();
      if (message.opcode === OPCODE.CLOSE)
        throw new Error(`closed with ${message.code} '${message.reason}' instead of a STOMP frame`);
      if (!/^[\r\n]*$/.test(message.payload.toString('latin1')))
        return parseStomp(message.payload.toString());
    }
  }

  /** CONNECT and its CONNECTED. */
  async connectStomp(headers = []) {
    this.text(stomp('CONNECT', [['accept-version', '1.2'], ['heart-beat', '0,0'], ...headers]));
    const connected = await this.nextStomp();
    assert.equal(connected.command, 'CONNECTED', connected.text);
    return connected;
  }
}
