// @stomp/stompjs on ws, with promises and inboxes.

import { Client } from '@stomp/stompjs';
import WebSocket from 'ws';
import { DEADLINE_MS, Inbox } from './until.js';
import { IS_SPRING } from './gateway.js';
import { bearer } from './token.js';

export class StompClient {
  /**
   * `handshake` and `connect` are headers; `heartbeat` is [outgoing, incoming]; `options` are the
   * Client's own, `socket` those of its WebSocket.
   */
  constructor(url, { handshake, connect, heartbeat = [0, 0], socket, ...options } = {}) {
    this.beats = new Inbox('heart-beats');
    this.closes = new Inbox('WebSocket close');
    this.errors = new Inbox('ERROR frames');
    this.connects = new Inbox('CONNECTED frames');
    this.receipts = new Inbox('receipts');
    this.wire = new Inbox('WebSocket messages');
    this.nReceipts = 0;
    this.client = new Client({
      webSocketFactory: () => {
        this.socket = new WebSocket(url, ['v12.stomp', 'v11.stomp', 'v10.stomp'], { headers: handshake, ...socket });
        this.socket.on('unexpected-response', (request, response) => {
          this.refusal = response.statusCode;
          response.resume();
          request.destroy();
        });
        this.socket.on('message', (data, isBinary) => {
          const text = data.toString('latin1');
          this.wire.push({ isBinary, length: data.length });
          if (text === '\n') this.beats.push(Date.now());
        });
        return this.socket;
      },
      connectHeaders: connect ?? {},
      heartbeatOutgoing: heartbeat[0],
      heartbeatIncoming: heartbeat[1],
      reconnectDelay: 0,
      onConnect: (frame) => this.connects.push(frame.headers),
      onStompError: (frame) => this.errors.push(frame.headers),
      onWebSocketClose: (event) => this.closes.push({ code: event.code, reason: event.reason }),
      onUnhandledReceipt: (frame) => this.receipts.push(frame.headers['receipt-id']),
      ...options,
    });
  }

  /** Connected, or an error that says how it ended. */
  static async connected(url, options) {
    const it = new StompClient(url, options);

    it.client.activate();
    await Promise.race([
      it.connects.until(() => it.connects.items.length > 0, 'CONNECTED'),
      it.closes.until(() => it.closes.items.length > 0, 'close', DEADLINE_MS + 1000).then(() => {
        throw new Error(`closed before CONNECTED: ${JSON.stringify(it.closes.items)} ` +
          `${JSON.stringify(it.errors.items)} status ${it.refusal}`);
      }),
    ]);
    return it;
  }

  /** With a token for `user` in the handshake; Spring takes any name for granted. */
  static as(user, url, options = {}) {
    const handshake = { ...bearer(user), ...(IS_SPRING ? { 'X-User': user } : {}) };

    return StompClient.connected(url, { handshake, ...options });
  }

  get connectedHeaders() {
    return this.connects.items[0];
  }

  /** An inbox of messages, with the subscription. */
  subscribe(destination, headers) {
    const inbox = new Inbox(`messages of ${destination}`);

    inbox.subscription = this.client.subscribe(destination, (message) => inbox.push(message), headers);
    return inbox;
  }

  /** Resolves when the server has the subscription: on its RECEIPT. */
  async subscribed(destination, headers = {}) {
    if (IS_SPRING) {
      const early = this.subscribe(destination, headers);
      await this.#barrier();
      return early;
    }
    const receipt = this.receipt();
    const inbox = this.subscribe(destination, { ...headers, receipt });

    await this.received(receipt);
    return inbox;
  }

  /** Spring's broker answers no receipts, but an ordered one is done with what came before. */
  async #barrier() {
    const destination = `/queue/barrier-${Math.random()}`;
    const inbox = this.subscribe(destination);

    this.send(destination, 'here');
    await inbox.next();
    inbox.subscription.unsubscribe();
  }

  receipt() {
    return `receipt-${++this.nReceipts}`;
  }

  received(receipt) {
    return this.receipts.find((id) => id === receipt, `RECEIPT ${receipt}`);
  }

  send(destination, body, headers) {
    this.client.publish({ destination, body, headers });
  }

  /** Resolves when the server has routed it. */
  async sent(destination, body, headers = {}) {
    if (IS_SPRING) {
      this.send(destination, body, headers);
      await this.#barrier();
      return;
    }
    const receipt = this.receipt();

    this.send(destination, body, { ...headers, receipt });
    await this.received(receipt);
  }

  async close() {
    await this.client.deactivate({ force: true });
  }
}
