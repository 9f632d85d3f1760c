/*
 * One STOMP connection and what hangs on it: subscriptions that are made again after a reconnect,
 * heart-beats counted, receipts asked for. Knows nothing of the page; tells it through `on`:
 *
 *   state(name, detail)     offline | connecting | online | waiting | closing
 *   message(message)        a MESSAGE frame
 *   subscription(destination, state)   pending (also while offline) | active | gone
 *   refused(text, body, what)   an ERROR frame, and what it answers when it names a receipt of
 *                           ours ("the subscription to /topic/a") or comes
 *                           before CONNECTED; the link then stays offline
 *   closed(code, reason, wasOpen)
 *   beats(n_in, n_out)
 *   unrouted(destination)   a SEND that the gateway could deliver to nobody by its configuration
 */
const { Client } = globalThis.StompJs;

export const RECONNECT_MS = 3000;

export class Link {
  #on;
  #client = null;
  #active = new Map(); // destination -> subscription of this connection
  #wanted = new Set(); // destinations, kept over reconnects
  #awaited = new Map(); // receipt -> what it is for
  #beats = { in: 0, out: 0 };
  #nextReceipt = 0;

  constructor(on) {
    this.#on = on;
  }

  get isOnline() {
    return this.#client?.connected ?? false;
  }

  get isActive() {
    return this.#client?.active ?? false;
  }

  /** Throws an Error with a text for people when the address is none. */
  open({ url, token, tokenIn, heartbeatMs }) {
    const address = socketAddress(url, tokenIn === 'query' ? token : '');
    let wasOpen = false;

    this.#beats = { in: 0, out: 0 };
    this.#on.beats(0, 0);
    const client = new Client({
      webSocketFactory: () => {
        this.#on.state('connecting');
        wasOpen = false;
        const socket = new WebSocket(address, ['v12.stomp', 'v11.stomp', 'v10.stomp']);
        socket.addEventListener('open', () => (wasOpen = true));
        return this.#countBeats(socket);
      },
      connectHeaders: token && tokenIn === 'header' ? { Authorization: `Bearer ${token}` } : {},
      heartbeatIncoming: heartbeatMs,
      heartbeatOutgoing: heartbeatMs,
      reconnectDelay: RECONNECT_MS,
      onConnect: (frame) => this.#connected(frame),
      onHeartbeatReceived: () => this.#on.beats(++this.#beats.in, this.#beats.out),
      onStompError: (frame) => {
        // The same frames would meet the same refusal: trying again is for a person to decide.
        const what =
          this.#dropRefused(frame.headers['receipt-id']) ??
          (client.connected ? undefined : 'the connection');

        this.#on.refused(frame.headers.message ?? 'no reason given', frame.body, what);
        client.deactivate();
      },
      onWebSocketClose: (event) => {
        this.#forgetActive();
        this.#on.closed(event.code, event.reason, wasOpen);
        this.#on.state(client.active ? 'waiting' : 'offline');
      },
    });
    this.#client = client;
    client.activate();
  }

  async close() {
    const client = this.#client;

    if (client?.connected) {
      this.#on.state('closing');
    }
    await client?.deactivate();
    this.#on.state('offline');
  }

  /** Now when connected, else with the next connection. Returns false when it is there already. */
  subscribe(destination) {
    if (this.#wanted.has(destination)) {
      return false;
    }
    this.#wanted.add(destination);
    this.#on.subscription(destination, 'pending');
    if (this.isOnline) {
      this.#subscribeNow(destination);
    }
    return true;
  }

  unsubscribe(destination) {
    this.#wanted.delete(destination);
    if (this.isOnline) {
      this.#active.get(destination)?.unsubscribe();
    }
    this.#active.delete(destination);
    this.#on.subscription(destination, 'gone');
  }

  send(destination, text, headers) {
    const receipt = this.#receipt('message', destination, (frame) => {
      if (frame.headers['x-unrouted'] === 'true') {
        this.#on.unrouted(destination);
      }
    });

    this.#client.publish({
      destination,
      body: text,
      headers: { ...headers, 'content-type': 'text/plain;charset=utf-8', receipt },
    });
  }

  #connected(frame) {
    this.#on.state('online', { version: frame.headers.version, user: frame.headers['user-name'] });
    for (const destination of this.#wanted) {
      this.#subscribeNow(destination);
    }
  }

  #subscribeNow(destination) {
    const receipt = this.#receipt('subscription', destination, () => {
      if (this.#active.has(destination)) {
        this.#on.subscription(destination, 'active');
      }
    });
    const subscription = this.#client.subscribe(
      destination,
      (message) => this.#on.message(message),
      { receipt },
    );

    this.#active.set(destination, subscription);
  }

  /** A subscription that the gateway refused must not be tried again by the next connection. */
  #dropRefused(receipt) {
    const refused = this.#awaited.get(receipt);

    if (refused?.kind === 'subscription') {
      this.#wanted.delete(refused.destination);
      this.#on.subscription(refused.destination, 'gone');
    }
    return refused && `the ${refused.kind} to ${refused.destination}`;
  }

  #forgetActive() {
    this.#active.clear();
    this.#awaited.clear();
    for (const destination of this.#wanted) {
      this.#on.subscription(destination, 'pending');
    }
  }

  #receipt(kind, destination, then) {
    const id = `r-${this.#nextReceipt++}`;

    this.#awaited.set(id, { kind, destination });
    this.#client.watchForReceipt(id, (frame) => {
      this.#awaited.delete(id);
      then(frame);
    });
    return id;
  }

  /** stompjs tells of heart-beats received only: those sent are seen at the socket. */
  #countBeats(socket) {
    const send = socket.send.bind(socket);

    socket.send = (data) => {
      send(data);
      if (data === '\n') {
        this.#on.beats(this.#beats.in, ++this.#beats.out);
      }
    };
    return socket;
  }
}

function socketAddress(text, tokenForQuery) {
  let url;

  try {
    url = new URL(text, location.href);
  } catch {
    throw new Error(`"${text}" is not an address. It looks like ws://host:8080/ws.`);
  }
  url.protocol = { 'http:': 'ws:', 'https:': 'wss:' }[url.protocol] ?? url.protocol;
  if (!['ws:', 'wss:'].includes(url.protocol)) {
    throw new Error('The address has to begin with ws:// or wss://.');
  }
  if (location.protocol === 'https:' && url.protocol === 'ws:') {
    throw new Error('This page came over https, so the browser opens wss:// addresses only.');
  }
  url.hash = '';
  if (tokenForQuery) {
    url.searchParams.set('access_token', tokenForQuery);
  }
  return url.href;
}
