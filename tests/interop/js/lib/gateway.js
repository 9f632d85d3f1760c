// Starts the program under test and watches over it. With INTEROP_TARGET=spring it is a real
// Spring server (tests/interop/spring-server), to try the tests themselves.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Inbox } from './until.js';
import { ISSUER, SECRET } from './token.js';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const SPRING_JAR = path.join(root, 'tests/interop/spring-server/target/spring-server.jar');
const START_DEADLINE_MS = 60_000;

export const IS_SPRING = process.env.INTEROP_TARGET === 'spring';
export const PROGRAM = path.resolve(root, process.env.STOMPGATE ?? 'build/release/stompgate');
export const API_KEY = 'the-key-of-the-interop-tests';
export const METRICS_KEY = 'a-key-that-may-only-read-metrics';
export const ECHO_PREFIX = '서버 응답: ';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** What the tests agree on; each gives its own changes, which replace whole sections. */
export function config(changes = {}) {
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    admin: {
      listen: '127.0.0.1:0',
      api_keys: [
        { name: 'backend', sha256: sha256(API_KEY), roles: ['publish'] },
        { name: 'scraper', sha256: sha256(METRICS_KEY), roles: ['metrics'] },
      ],
    },
    endpoints: [
      { path: '/ws' },
      { path: '/ws-open', anonymous: true },
      {
        path: '/ws-origins',
        anonymous: true,
        allowed_origins: ['https://app.example'],
        allowed_origin_patterns: ['https://*.example.org:[8080,8081]'],
      },
      { path: '/echo', protocol: 'echo', anonymous: true, prefix: ECHO_PREFIX, message_size_limit: '4MiB' },
      { path: '/echo-bare', protocol: 'echo', anonymous: true },
      { path: '/room', protocol: 'broadcast', anonymous: true, echo_to_sender: true },
      { path: '/room-others', protocol: 'broadcast', anonymous: true, echo_to_sender: false },
      { path: '/room-members', protocol: 'broadcast', echo_to_sender: true },
    ],
    routes: [
      { destination: '/app/echo', mode: 'echo', prefix: ECHO_PREFIX },
      { destination: '/app/chat', send_to: '/topic/chat', copy_headers: ['color'] },
    ],
    broker: {
      destination_prefixes: ['/topic', '/queue'],
      application_destination_prefixes: ['/app'],
      heartbeat: '1000,1000',
    },
    auth: {
      query_parameter: 'access_token',
      issuers: [{ issuer: ISSUER, secret: SECRET, algorithms: ['HS256'] }],
    },
    log: { level: 'info', format: 'json' },
    ...changes,
  };
}

/** JSON is YAML too. */
export function writeConfig(settings) {
  const folder = mkdtempSync(path.join(tmpdir(), 'stompgate-interop-'));
  const file = path.join(folder, 'stompgate.yaml');

  writeFileSync(file, typeof settings === 'string' ? settings : JSON.stringify(settings, null, 2));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return file;
}

/** Any run of the program: its lines on standard error, its standard output and its end. */
export class Process {
  constructor(command, args, env = {}) {
    this.lines = new Inbox('standard error');
    this.stdout = '';
    this.exit = undefined; // {code, signal}
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.child.on('error', (error) => this.#ended({ code: null, signal: null, error }));
    this.child.stdout.setEncoding('utf8').on('data', (text) => { this.stdout += text; });

    let rest = '';
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) this.lines.push(line);
    });
    this.child.on('close', (code, signal) => {
      if (rest !== '') this.lines.push(rest);
      this.#ended({ code, signal });
    });
    this.kill = () => this.child.kill('SIGKILL');
    process.on('exit', this.kill);
  }

  #ended(exit) {
    this.exit ??= exit;
    process.removeListener('exit', this.kill);
    this.lines.wake();
  }

  /** Log lines that are JSON, parsed. */
  events() {
    return this.lines.items.filter((line) => line.startsWith('{')).map((line) => {
      try {
        return JSON.parse(line);
      } catch {
        throw new Error(`a log line is no JSON: ${line}`);
      }
    });
  }

  logged(predicate, what, deadlineMs) {
    return this.lines.until(() => {
      const found = this.events().find(predicate);
      if (found === undefined && this.exit !== undefined)
        throw new Error(`the program ended (${JSON.stringify(this.exit)}) without ${what}:\n${this.log()}`);
      return found;
    }, what, deadlineMs);
  }

  ended(deadlineMs) {
    return this.lines.until(() => this.exit, 'end of the program', deadlineMs);
  }

  log() {
    return this.lines.items.slice(-200).join('\n');
  }

  /** Ends it and returns what was wrong with that: nothing, when all is well. */
  async stop() {
    this.child.kill('SIGTERM');
    await this.ended();
    return this.complaints();
  }

  complaints() {
    const found = [];

    if (IS_SPRING) return found; // a JVM ends with 143
    if (this.exit.code !== 0) found.push(`exit ${JSON.stringify(this.exit)}, not 0`);
    for (const line of this.lines.items)
      if (/Sanitizer|runtime error:|Assertion .* failed/.test(line)) found.push(line);
    return found;
  }
}

export class Gateway extends Process {
  /** Resolves when it serves. `args` go behind `serve --config FILE`. */
  static async start(settings = config(), args = []) {
    const gateway = IS_SPRING
      ? new Gateway('java', ['-Xmx256m', '-jar', SPRING_JAR, '--broker.ordered=true',
        `--broker.heartbeat=${settings.broker.heartbeat}`,
        `--broker.selector=${settings.broker.selector_header ?? ''}`])
      : new Gateway(PROGRAM, ['serve', '--config', writeConfig(settings), ...args]);

    await gateway.logged((e) => e.event === 'gateway.ready', 'gateway.ready', START_DEADLINE_MS);
    const opened = (kind) =>
      gateway.events().find((e) => e.event === 'listener.open' && e.kind === kind)?.address;
    gateway.address = opened('public');
    gateway.adminAddress = opened('admin');
    return gateway;
  }

  /** Spring's /ws asks nobody for a token. */
  url(pathname) {
    return `ws://${this.address}${IS_SPRING && pathname === '/ws-open' ? '/ws' : pathname}`;
  }

  adminUrl(pathname) {
    return `http://${this.adminAddress}${pathname}`;
  }

  /** The value of the metric `stompgate_<name>`. */
  async metric(name) {
    const answer = await fetch(this.adminUrl('/metrics'), { headers: { Authorization: `Bearer ${METRICS_KEY}` } });
    const line = (await answer.text()).split('\n').find((it) => it.startsWith(`stompgate_${name} `));

    assert.ok(line, `metric ${name}`);
    return Number(line.split(' ')[1]);
  }

  /** POST /api/v1/publish; `body` is sent as it is when it is a string. */
  publish(body, headers = { Authorization: `Bearer ${API_KEY}` }) {
    return fetch(this.adminUrl('/api/v1/publish'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }
}
