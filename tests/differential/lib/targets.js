// The two servers, each in the configurations that scripts name.

import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROGRAM, Process, writeConfig } from '../../interop/js/lib/gateway.js';
import { ISSUER, SECRET, bearer } from '../../interop/js/lib/token.js';
import { Client, BARRIER_ID } from './client.js';

const SPRING = fileURLToPath(new URL('../../interop/spring-server/target', import.meta.url));
const START_DEADLINE_MS = 90_000;
const PREFIXES = ['/topic', '/queue', '/barrier'];

const USUAL = { heartbeat: '10000,10000', firstMessageMs: 60_000, prefixes: PREFIXES, application: '/app',
  separator: '/', inOneThread: false };

/** What a script's "server NAME" means. */
export const SERVERS = {
  usual: USUAL,
  'without-heart-beats': { ...USUAL, heartbeat: '0,0' },
  'in-a-hurry': { ...USUAL, heartbeat: '300,300', firstMessageMs: 1200 },
  'to-be-harmed': USUAL, // for what harms the others in Spring
  'in-one-thread': { ...USUAL, inOneThread: true }, // Spring's, in order without what keeps it elsewhere
  'carrying-everything': { ...USUAL, prefixes: [] },
  'with-slashes-behind': { ...USUAL, prefixes: PREFIXES.map((prefix) => `${prefix}/`), application: '/app/' },
  'split-at-dots': { ...USUAL, separator: '.' },
};

function gatewayConfig({ heartbeat, firstMessageMs, prefixes, application, separator }) {
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: { listen: '' },
    workers: 2,
    endpoints: [
      { path: '/ws' },
      {
        path: '/ws-origins',
        allowed_origins: ['https://app.example'],
        allowed_origin_patterns: ['https://*.example.org:[8080,8081]'],
      },
      { path: '/ws-all-origins', allowed_origins: ['*'] },
      { path: '/ws-any-port', allowed_origin_patterns: ['http://app.example:[*]'] },
    ],
    // The controllers of the Spring server. The last one tells a script its clients' session ids.
    routes: [
      { destination: '/app/chat', send_to: '/topic/chat' },
      { destination: '/app/chat.{room}', send_to: '/topic/chat.{room}' },
      { destination: '/app/rooms.{room}.talk', send_to: '/topic/rooms.{room}' },
      { destination: '/app/reply', send_to_user: '/queue/reply', broadcast: false },
      { destination: '/app/reply-all', send_to_user: '/queue/reply' },
      { destination: '/app/number', on_subscribe: { body: '42', content_type: 'application/json' } },
      { destination: '/barrier/**', mode: 'broadcast', headers: { 'x-session': '{session}' } },
    ],
    broker: {
      destination_prefixes: prefixes,
      application_destination_prefixes: [application],
      path_separator: separator,
      selector_header: 'selector',
      heartbeat,
    },
    transport: { ping_interval: 0, time_to_first_message: `${firstMessageMs}ms` },
    auth: { anonymous: true, issuers: [{ issuer: ISSUER, secret: SECRET, algorithms: ['HS256'] }] },
    log: { level: 'info', format: 'json' },
  };
}

class Target extends Process {
  async ready() {
    await this.logged((e) => e.event === 'gateway.ready', 'gateway.ready', START_DEADLINE_MS);
    this.address = this.events().find((e) => e.event === 'listener.open' && e.kind === 'public').address;
    this.observer = new Client('witness', this);
    this.barrier = `/barrier/witness/${randomBytes(8).toString('hex')}`;
    await this.observer.open('/ws', {});
    this.observer.text('CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n\0');
    await this.observer.until(() => this.observer.isConnected, 'CONNECTED');
    this.observer.text(`SUBSCRIBE\nid:${BARRIER_ID}\ndestination:${this.barrier}\n\n\0`);
    return this;
  }

  /** A round through the whole server by a client that has nothing to do with any script. */
  async witness() {
    const mark = randomBytes(8).toString('hex');

    this.observer.text(`SEND\ndestination:${this.barrier}\n\n${mark}\0`);
    await this.observer.until(() => this.observer.marks.has(mark), 'witness');
  }
}

export class Spring extends Target {
  messageId = /(\\nmessage-id:)([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-\d+)(?=\\n)/g;
  sessionId = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

  static start(server, profile) {
    const { heartbeat, firstMessageMs, prefixes, application, separator, inOneThread } = SERVERS[server];

    return new Spring('java', ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-jar',
      path.join(SPRING, profile ?? '', 'spring-server.jar'), `--broker.ordered=${!inOneThread}`,
      `--broker.one-thread=${inOneThread}`, `--broker.prefixes=${prefixes}`,
      `--broker.application-prefix=${application}`, `--broker.separator=${separator}`,
      `--broker.heartbeat=${heartbeat === '0,0' ? '' : heartbeat}`, `--broker.first-message=${firstMessageMs}`,
      '--broker.selector=selector']).ready();
  }

  userHeaders(user) {
    return { 'X-User': user };
  }

  /** Of who receives it: its message ids begin with it. */
  sessionOf(message) {
    return /\nmessage-id:(.*)-\d+\n/.exec(message)[1];
  }
}

export class Gateway extends Target {
  messageId = /(\\n(?:message-id|ack):)([0-9a-f]{16}-\d+-\d+)(?=\\n)/g;
  sessionId = /[0-9a-f]{32}/g;

  static start(server) {
    return new Gateway(PROGRAM, ['serve', '--config', writeConfig(gatewayConfig(SERVERS[server]))]).ready();
  }

  userHeaders(user) {
    return bearer(user);
  }

  /** Of who sent it, which for the first barrier is the receiver. */
  sessionOf(message) {
    return /\n\nfirst /.test(message) ? /\nx-session:(.*)\n/.exec(message)[1] : undefined;
  }
}
