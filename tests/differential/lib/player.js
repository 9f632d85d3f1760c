// Plays one script to one server and returns what each client saw.

import { OPCODE } from '../../interop/js/lib/raw.js';
import { Inbox } from '../../interop/js/lib/until.js';
import { BARRIER_ID, Client } from './client.js';
import { unescape } from './script.js';
import { transcript } from './transcript.js';

/**
 * What ends a wait for nothing, where STOMP itself offers no answer that must come: everything
 * already under way has this long. Only such settling costs it.
 */
const GRACE_MS = 30;

let plays = 0;
let marks = 0;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

class Play {
  constructor(script, target) {
    this.script = script;
    this.target = target;
    this.clients = new Map();
    this.inbox = new Inbox(script.name);
    this.n = `u${(plays++).toString(36).padStart(5, '0')}z`; // always as long as any other
  }

  client(name) {
    if (!this.clients.has(name)) this.clients.set(name, new Client(name, this.target, this.inbox));
    return this.clients.get(name);
  }

  fill(text) {
    return text.replace(/\$\{([^}]+)\}/g, (all, what) => {
      const repeated = /^"([^"]*)" \* (\d+)$/.exec(what);
      if (repeated) return repeated[1].repeat(Number(repeated[2]));
      if (what === 'n') return this.n;
      if (what === 'address') return this.target.address;
      const [, name] = /^(\w+)\.session$/.exec(what) ?? [];
      const session = name && this.client(name).session;
      if (session === undefined) throw new Error(`scripts/${this.script.name}.txt: unknown ${all}`);
      return session;
    });
  }

  payload({ literal, text }) {
    return literal === undefined ? unescape(this.fill(text)) : Buffer.from(this.fill(literal));
  }

  async run() {
    try {
      for (const step of this.script.steps) await this[step.verb](step);
      if (this.script.steps.at(-1).verb !== 'settle') await this.settle({ by: 'barrier' });
      await Promise.all([...this.clients.values()].map((client) => client.ended()));
    } finally {
      for (const client of this.clients.values()) {
        client.wasOpen = !client.isOver;
        client.cut();
      }
    }
    return transcript(this);
  }

  async open({ client, target, user, headers }) {
    const all = { ...(user && this.target.userHeaders(user)), ...headers };

    for (const [name, value] of Object.entries(all))
      if (value !== null) all[name] = [].concat(value).map((one) => this.fill(one));
    await this.client(client).open(this.fill(target), all);
  }

  async ask({ client, method, target, headers }) {
    const bare = { Upgrade: null, Connection: null, 'Sec-WebSocket-Key': null, 'Sec-WebSocket-Version': null };

    await this.client(client).request(this.fill(target), { ...bare, ...headers }, method);
  }

  /** The usual way in: handshake unless there was one, CONNECT, CONNECTED. */
  async connect({ client: name, user, headers }) {
    const client = this.client(name);
    const own = headers.map((line) => `${this.fill(line)}\n`).join('');

    if (client.isOver) await this.open({ client: name, target: '/ws', user, headers: {} });
    client.text(`CONNECT\naccept-version:1.2\nheart-beat:0,0\n${own}\n\0`);
    await client.until(() => client.isConnected, 'CONNECTED');
    client.awaited.frame = client.came.frame;
  }

  frame(step) {
    this.client(step.client).send(step.opcode, this.payload(step), step.options);
  }

  write(step) {
    this.client(step.client).write(this.payload(step));
  }

  close({ client, code, reason }) {
    this.client(client).close(code, reason);
  }

  cut({ client }) {
    this.client(client).cut();
  }

  async wait({ client: name, what }) {
    const client = this.client(name);

    if (what === 'close') {
      await client.until(() => false, what); // until it is over
    } else {
      const awaited = client.awaited[what] += 1;
      await client.until(() => client.came[what] >= awaited, what);
    }
  }

  /** Nothing more is on its way to anybody. */
  async settle({ by }) {
    const all = [...this.clients.values()];
    const open = all.filter((client) => !client.isOver);
    const able = by === 'ping' ? [] : open.filter((client) => client.isConnected && !client.saysDisconnect);

    for (const client of able.filter((one) => !one.barrier)) await this.#subscribeBarrier(client);
    const round = marks++;
    for (const from of able) {
      for (const to of able)
        from.text(`SEND\ndestination:${to.barrier}\n\n${round} ${from.name}\0`);
    }
    await Promise.all(able.map((to) => to.until(() => able.every((from) =>
      from.isOver || to.marks.has(`${round} ${from.name}`)), 'barrier')));
    const rest = open.filter((client) => !able.includes(client) || client.isOver);
    if (rest.length === 0) return;
    await Promise.all(rest.map((client) => this.#ping(client)));
    await this.target.witness();
    await this.target.witness();
    await pause(GRACE_MS);
    await Promise.all(rest.map((client) => this.#ping(client)));
  }

  async #subscribeBarrier(client) {
    client.barrier = `/barrier/${this.n}/${client.name}`;
    const mark = `first ${marks++}`;
    client.text(`SUBSCRIBE\nid:${BARRIER_ID}\ndestination:${client.barrier}\n\n\0`);
    client.text(`SEND\ndestination:${client.barrier}\n\n${mark}\0`);
    await client.until(() => client.marks.has(mark), 'first barrier');
  }

  async #ping(client) {
    const mark = `mark ${marks++}`;

    if (client.isOver) return;
    client.send(OPCODE.PING, Buffer.from(mark));
    await client.until(() => client.marks.has(mark), 'pong');
  }
}

export function play(script, target) {
  return new Play(script, target).run();
}
