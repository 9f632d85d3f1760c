// The program as a process: start, refusal to start, operations, end.

import assert from 'node:assert/strict';
import { METRICS_KEY, PROGRAM, Gateway, Process, config, writeConfig } from '../lib/gateway.js';
import { StompClient } from '../lib/client.js';
import { RawSocket, stomp } from '../lib/raw.js';
import { suite } from '../lib/suite.js';

const { test } = await suite(null);
const only = { only: 'gateway' };

async function start(t, changes, args) {
  return t.using(await Gateway.start(config(changes), args), async (gateway) => {
    if (gateway.exit === undefined) gateway.child.kill('SIGKILL');
    await gateway.ended();
  });
}

/** Runs to the end. */
async function run(args, env) {
  const process = new Process(PROGRAM, args, env);

  await process.ended();
  return process;
}

const output = (process) => process.stdout + process.lines.items.join('\n');

test('SIGTERM closes every client with 1001 and ends with 0', only, async (t) => {
  const gateway = await start(t, { shutdown: { drain_time: '1s' } });
  const client = t.using(await StompClient.as('joe', gateway.url('/ws')));
  const raws = [];

  for (const path of ['/ws', '/echo', '/room']) raws.push(t.using(await RawSocket.upgraded(gateway.address, path)));
  gateway.child.kill('SIGTERM');
  assert.equal((await client.closes.next()).code, 1001);
  for (const raw of raws) {
    assert.equal((await raw.closed()).code, 1001);
    raw.close();
  }
  assert.deepEqual(await gateway.ended(), { code: 0, signal: null });
  assert.deepEqual(gateway.complaints(), []);
});

test('SIGTERM loses nothing that was accepted', only, async (t) => {
  const gateway = await start(t, { shutdown: { drain_time: '1s' } });
  const [sender, receiver] = [t.using(await StompClient.as('a', gateway.url('/ws'))),
    t.using(await StompClient.as('b', gateway.url('/ws')))];
  const inbox = await receiver.subscribed('/topic/last');

  for (let i = 0; i < 500; i++) sender.send('/topic/last', String(i), i === 499 ? { receipt: 'last' } : {});
  await sender.received('last');
  gateway.child.kill('SIGTERM');
  await receiver.closes.next();
  assert.equal(inbox.items.length, 500);
  assert.equal((await gateway.ended()).code, 0);
});

test('SIGINT ends it as SIGTERM does', only, async (t) => {
  const gateway = await start(t);

  gateway.child.kill('SIGINT');
  assert.deepEqual(await gateway.ended(), { code: 0, signal: null });
});

test('a client that does not answer the close does not hold up the end', only, async (t) => {
  const gateway = await start(t, { shutdown: { drain_time: '100ms' } });
  const raw = t.using(await RawSocket.upgraded(gateway.address, '/ws'));

  raw.socket.pause();
  gateway.child.kill('SIGTERM');
  assert.equal((await gateway.ended()).code, 0);
});

test('a second gateway on the same address ends with 69 and the first goes on', only, async (t) => {
  const first = await start(t);
  const second = await run(['serve', '--config', writeConfig(config({ listeners: [{ address: first.address }] }))]);

  assert.equal(second.exit.code, 69, output(second));
  assert.ok(output(second).includes(first.address), output(second));
  const client = t.using(await StompClient.as('joe', first.url('/ws')));
  assert.equal(client.connectedHeaders.version, '1.2');

  const third = await run(['serve', '--config', writeConfig(config({ admin: { listen: first.adminAddress } }))]);
  assert.equal(third.exit.code, 69, output(third));
});

const TEN_MISTAKES = `\
listeners:
  - address: nonsense
auth:
  anonymous: true
workers: many
endpoints:
  - path: /ws
    protocol: carrier-pigeon
    message_size_limit: 64 furlongs
brokr:
  heartbeat: 1000,1000
broker:
  heartbeat: soon
  error_detail: perhaps
transport:
  send_time_limit: 10 parsecs
  max_header_count: -1
log:
  level: loud
`;

test('a configuration with ten mistakes ends with 78 and ten errors that say where', only, async () => {
  const file = writeConfig(TEN_MISTAKES);

  for (const verb of ['check-config', 'serve']) {
    const process = await run([verb, '--config', file]);
    const errors = output(process).split('\n').filter((line) => /\.yaml:\d+:\d+/.test(line));

    assert.equal(process.exit.code, 78, output(process));
    assert.equal(errors.length, 10, output(process));
    assert.match(output(process), /brokr.*broker/s); // the nearest known name
  }
});

test('what is no YAML, and no file at all, ends with 78', only, async () => {
  const broken = await run(['serve', '--config', writeConfig('listeners: [')]);
  assert.equal(broken.exit.code, 78, output(broken));

  const none = await run(['serve', '--config', '/nonexistent/stompgate.yaml']);
  assert.equal(none.exit.code, 78, output(none));
});

test('a setting for later is refused by name', only, async () => {
  const process = await run(['check-config', '--config', writeConfig(config({ sockjs: { heartbeat_time: '25s' } }))]);

  assert.equal(process.exit.code, 78, output(process));
  assert.match(output(process), /sockjs/);
});

test('a right configuration passes check-config', only, async () => {
  const process = await run(['check-config', '--config', writeConfig(config())]);

  assert.equal(process.exit.code, 0, output(process));
});

test('wrong usage ends with 2', only, async () => {
  for (const args of [[], ['nonsense'], ['serve', '--nonsense'], ['serve', '--config']]) {
    const process = await run(args);
    assert.equal(process.exit.code, 2, `${args}: ${output(process)}`);
  }
});

test('version and help answer on standard output', only, async () => {
  const version = await run(['version']);
  assert.equal(version.exit.code, 0);
  assert.match(version.stdout, /\d+\.\d+\.\d+/);

  const help = await run(['help']);
  assert.equal(help.exit.code, 0);
  for (const verb of ['serve', 'check-config', 'gen-token', 'publish', 'version', 'help'])
    assert.ok(help.stdout.includes(verb), verb);
});

test('a token of gen-token opens the gateway', only, async (t) => {
  const gateway = await start(t);
  const made = await run(['gen-token', '--config', writeConfig(config()), '--user', 'joe']);
  assert.equal(made.exit.code, 0, output(made));

  const client = t.using(await StompClient.connected(gateway.url('/ws'),
    { connect: { Authorization: `Bearer ${made.stdout.trim()}` } }));
  assert.equal(client.connectedHeaders['user-name'], 'joe');
});

test('a flag wins over the environment and the environment over the file', only, async (t) => {
  const file = writeConfig(config({ broker: { heartbeat: '1000,1000' } }));
  const beats = async (args, env) => {
    const gateway = t.using(new Gateway(PROGRAM, ['serve', '--config', file, ...args], env), (it) => it.kill());
    await gateway.logged((e) => e.event === 'gateway.ready', 'gateway.ready');
    gateway.address = gateway.events().find((e) => e.event === 'listener.open' && e.kind === 'public').address;
    const client = t.using(await StompClient.as('joe', gateway.url('/ws')));
    return client.connectedHeaders['heart-beat'];
  };

  assert.equal(await beats([], {}), '1000,1000');
  assert.equal(await beats([], { STOMPGATE_BROKER_HEARTBEAT: '2000,2000' }), '2000,2000');
  assert.equal(await beats(['--set', 'broker.heartbeat=3000,3000'],
    { STOMPGATE_BROKER_HEARTBEAT: '2000,2000' }), '3000,3000');
});

test('health answers without a key, metrics with one, and they count', only, async (t) => {
  const gateway = await start(t);
  const metrics = async (headers) => fetch(gateway.adminUrl('/metrics'), { headers });
  const value = async (name) => {
    const text = await (await metrics({ Authorization: `Bearer ${METRICS_KEY}` })).text();
    return Number(text.match(new RegExp(`^stompgate_${name} (\\d+)$`, 'm'))?.[1]);
  };

  for (const path of ['/health/live', '/health/ready']) {
    const answer = await fetch(gateway.adminUrl(path));
    assert.equal(answer.status, 200, path);
    assert.equal((await answer.json()).status, 'UP');
  }
  assert.equal((await metrics({})).status, 401);
  assert.equal(await value('stomp_sessions'), 0);

  const client = t.using(await StompClient.as('joe', gateway.url('/ws')));
  const inbox = await client.subscribed('/topic/m');
  await client.sent('/topic/m', 'x');
  await inbox.next();
  assert.equal(await value('connections'), 1);
  assert.equal(await value('stomp_sessions'), 1);
  assert.equal(await value('subscriptions'), 1);
  assert.equal(await value('stomp_connect_total'), 1);
  assert.equal(await value('messages_published_total'), 1);
  assert.equal(await value('messages_delivered_total'), 1);
  await client.sent('/app/nobody', 'x');
  assert.equal(await value('messages_unrouted_total'), 1);

  const bad = t.using(await RawSocket.handshake(gateway.address, '/ws', { Upgrade: 'h2c' }), (it) => it.raw.close());
  assert.equal(bad.answer.status, 400);
  assert.equal(await value('handshakes_failed_total'), 1);
  const nameless = t.using(await RawSocket.upgraded(gateway.address, '/ws'));
  nameless.text(stomp('CONNECT', [['accept-version', '1.2']]));
  await nameless.closed();
  assert.equal(await value('auth_failed_total'), 1);
  assert.equal(await value('stomp_error_total'), 1);
});

test('without access rules the log says so once', only, async (t) => {
  const gateway = await start(t);
  const warnings = gateway.events().filter((e) => JSON.stringify(e).includes('access'));

  assert.equal(warnings.length, 1, gateway.log());
});
