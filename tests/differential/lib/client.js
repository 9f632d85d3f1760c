// One connection of a script, and everything that came over it, in order.

import { OPCODE, RawSocket, closePayload, frame } from '../../interop/js/lib/raw.js';
import { Inbox } from '../../interop/js/lib/until.js';

export const BARRIER_ID = 'barrier';
/** A wait that has failed is a line of the transcript: short enough that a hang does not cost much. */
const WAIT_MS = 10_000;
const HEADERS = /^(allow|upgrade|vary|sec-websocket-.*|access-control-.*)$/;

const isHeartbeat = (payload) => payload.length === 1 && payload[0] === 0x0a;

export class Client {
  /** All clients of a play wake each other: one may wait for what ends with another. */
  constructor(name, target, inbox = new Inbox(name)) {
    this.name = name;
    this.target = target;
    this.events = []; // {kind, ...}: the transcript
    this.inbox = inbox;
    this.came = { frame: 0, pong: 0, 'heart-beat': 0 };
    this.awaited = { ...this.came }; // how many of those a script has waited for
    this.marks = new Set(); // answers to barriers and pings
    this.isOver = true; // nothing will come any more
    this.isConnected = false; // may take part in barriers
    this.saysDisconnect = false;
  }

  #log(event) {
    this.events.push(event);
    this.inbox.wake();
  }

  async request(target, headers, method) {
    this.raw ??= await RawSocket.open(this.target.address);
    const answer = await this.raw.request(target, headers, method);

    this.#log({ kind: 'answer', status: answer.status, body: answer.body,
      headers: answer.headers.filter(([name]) => HEADERS.test(name)).map(([name, value]) =>
        [name, name === 'allow' ? value.split(/, */).sort().join(', ') : value]) }); // a set
    return answer;
  }

  async open(target, headers) {
    const answer = await this.request(target, headers);

    if (answer.status !== 101) return;
    this.isOver = false;
    this.#pump();
  }

  #pump() {
    const { raw } = this;
    const take = () => {
      try {
        for (let next; !this.isOver && (next = raw.takeFrame()) !== undefined;) this.#onFrame(next);
      } catch (error) {
        this.#log({ kind: 'broken', what: error.message });
        this.#over();
      }
      if (raw.isEnded && !this.isOver) {
        this.#log({ kind: 'cut' });
        this.#over();
      }
      if (raw.isEnded) this.inbox.wake();
    };
    raw.events.waiting.add(take);
    take();
  }

  #over() {
    this.isOver = true;
    this.isConnected = false;
    this.inbox.wake();
  }

  #onFrame({ fin, rsv, opcode, isMasked, payload }) {
    if (isMasked || rsv !== 0) throw new Error(`a frame with mask ${isMasked}, reserved bits ${rsv}`);
    switch (opcode) {
      case OPCODE.PING:
        this.write(frame(OPCODE.PONG, payload));
        return;
      case OPCODE.PONG:
        this.#onPong(payload.toString());
        return;
      case OPCODE.CLOSE:
        this.#log({ kind: 'close', code: payload.length === 0 ? 1005 : payload.readUInt16BE(0),
          reason: payload.subarray(2).toString() });
        if (!this.saidClose) this.write(frame(OPCODE.CLOSE, payload.subarray(0, 2)));
        this.#over();
        return;
      default:
        this.pieces = opcode === OPCODE.CONTINUATION ? [...this.pieces, payload] : [payload];
        if (opcode !== OPCODE.CONTINUATION) this.opcode = opcode;
        if (fin) this.#onMessage(this.opcode === OPCODE.BINARY, Buffer.concat(this.pieces));
    }
  }

  #onPong(payload) {
    if (payload.startsWith('mark ')) {
      this.marks.add(payload);
      this.inbox.wake();
    } else {
      this.came.pong++;
      this.#log({ kind: 'pong', payload });
    }
  }

  #onMessage(isBinary, payload) {
    if (isHeartbeat(payload)) {
      this.came['heart-beat']++;
      if (this.events.at(-1)?.kind !== 'heart-beat') this.#log({ kind: 'heart-beat' });
      this.inbox.wake();
      return;
    }
    const text = payload.toString('latin1');
    if (text.includes(`\nsubscription:${BARRIER_ID}\n`)) {
      this.session ??= this.target.sessionOf(text);
      this.marks.add(text.slice(text.indexOf('\n\n') + 2, -1));
      this.inbox.wake();
      return;
    }
    if (text.startsWith('CONNECTED\n')) this.isConnected = true;
    this.came.frame++;
    this.#log({ kind: 'message', isBinary, payload });
  }

  write(bytes) {
    this.raw?.write(bytes);
  }

  send(opcode, payload, options) {
    if (payload.subarray(0, 10).toString() === 'DISCONNECT') this.saysDisconnect = true;
    if (opcode === OPCODE.CLOSE) this.saidClose = true;
    this.write(frame(opcode, payload, options));
  }

  text(payload) {
    this.write(frame(OPCODE.TEXT, payload));
  }

  close(code, reason) {
    this.send(OPCODE.CLOSE, code === undefined ? Buffer.alloc(0) : closePayload(code, reason));
  }

  cut() {
    this.#over();
    this.raw?.close();
  }

  /** Resolves when `condition()` holds or nothing more can come; false when neither happens in time. */
  async until(condition, what) {
    try {
      await this.inbox.until(() => this.isOver || condition(), what, WAIT_MS);
      return true;
    } catch {
      this.#log({ kind: 'vain', what });
      return false;
    }
  }

  /** After a close frame the server ends the connection too. */
  async ended() {
    if (this.raw === undefined || !this.events.some(({ kind }) => kind === 'close')) return;
    try {
      await this.inbox.until(() => this.raw.isEnded, 'end of the connection', WAIT_MS);
    } catch {
      this.#log({ kind: 'vain', what: 'end of the connection' });
    }
  }
}
