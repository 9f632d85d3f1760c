// Tokens: at the handshake, in CONNECT, in the query; and access rules.

import assert from 'node:assert/strict';
import { config } from '../lib/gateway.js';
import { StompClient } from '../lib/client.js';
import { RawSocket, stomp } from '../lib/raw.js';
import { suite } from '../lib/suite.js';
import { BAD_TOKENS, bearer, token } from '../lib/token.js';

const { gateway, test, lastly } = await suite(config({
  access: [
    { operations: ['connect'], allow: 'all' },
    { operations: ['send'], destinations: ['/topic/news/**'], allow: 'none' },
    { operations: ['subscribe'], destinations: ['/topic/members', '/topic/members/**'], allow: 'authenticated' },
    { destinations: ['/topic/open', '/topic/news/**'], allow: 'all' },
    { destinations: ['/topic/*'], allow: 'authenticated' },
  ],
}));

const status = async (t, path, headers) => {
  const { raw, answer } = await RawSocket.handshake(gateway.address, path, headers);

  t.using(raw);
  return answer.status;
};

/** What a raw client gets that says CONNECT with these headers. */
async function answerToConnect(t, headers, { path = '/ws', handshake } = {}) {
  const raw = t.using(await RawSocket.upgraded(gateway.address, path, handshake));

  raw.text(stomp('CONNECT', [['accept-version', '1.2'], ['heart-beat', '0,0'], ...headers]));
  return { raw, frame: await raw.nextStomp() };
}

async function assertRefused({ raw, frame }) {
  assert.equal(frame.command, 'ERROR', frame.text);
  assert.ok(frame.header('message'));
  assert.equal((await raw.closed()).code, 1002);
}

test('a token in the handshake names the user', async (t) => {
  const client = t.using(await StompClient.connected(gateway.url('/ws'), { handshake: bearer('joe') }));

  assert.equal(client.connectedHeaders['user-name'], 'joe');
});

test('a token in CONNECT names the user', async (t) => {
  const client = t.using(await StompClient.connected(gateway.url('/ws'), { connect: bearer('joe') }));

  assert.equal(client.connectedHeaders['user-name'], 'joe');
});

test('a token in the query names the user', async (t) => {
  const client = t.using(await StompClient.connected(gateway.url(`/ws?access_token=${token('joe')}`)));

  assert.equal(client.connectedHeaders['user-name'], 'joe');
});

test('a Korean user name comes as it is', async (t) => {
  const client = t.using(await StompClient.connected(gateway.url('/ws'), { connect: bearer('김철수') }));

  assert.equal(client.connectedHeaders['user-name'], '김철수');
});

for (const [name, make] of BAD_TOKENS) {
  test(`a token ${name} is refused at the handshake and in CONNECT`, async (t) => {
    const bad = make();

    assert.equal(await status(t, '/ws', { Authorization: `Bearer ${bad}` }), 401);
    assert.equal(await status(t, `/ws?access_token=${bad}`), 401);
    await assertRefused(await answerToConnect(t, [['Authorization', `Bearer ${bad}`]]));
  });
}

test('a bad token is refused also where nobody needs one', async (t) => {
  assert.equal(await status(t, '/ws-open', { Authorization: 'Bearer abc' }), 401);
  await assertRefused(await answerToConnect(t, [['Authorization', 'Bearer abc']], { path: '/ws-open' }));
});

test('without any token CONNECT is refused', async (t) => {
  await assertRefused(await answerToConnect(t, []));
});

test('without any token an anonymous endpoint lets in, without a user name', async (t) => {
  const { frame } = await answerToConnect(t, [], { path: '/ws-open' });

  assert.equal(frame.command, 'CONNECTED');
  assert.equal(frame.header('user-name'), undefined);
});

test('two tokens must name the same user', async (t) => {
  const handshake = bearer('joe');
  const same = await answerToConnect(t, [['Authorization', `Bearer ${token('joe')}`]], { handshake });

  assert.equal(same.frame.command, 'CONNECTED');
  await assertRefused(await answerToConnect(t, [['Authorization', `Bearer ${token('jack')}`]], { handshake }));
});

test('the name of the header is the client\'s to spell', async (t) => {
  for (const name of ['Authorization', 'authorization']) {
    const { frame } = await answerToConnect(t, [[name, `Bearer ${token('joe')}`]]);
    assert.equal(frame.header('user-name'), 'joe', name);
  }
});

test('what a rule denies ends in ERROR and close, with the receipt that was asked', async (t) => {
  const denied = [
    ['SEND', [['destination', '/topic/news/today'], ['receipt', 'r']]],
    ['SEND', [['destination', '/queue/unnamed'], ['receipt', 'r']]],
    ['SUBSCRIBE', [['id', '1'], ['destination', '/queue/unnamed'], ['receipt', 'r']]],
  ];

  for (const [command, headers] of denied) {
    const { raw, frame } = await answerToConnect(t, [['Authorization', `Bearer ${token('joe')}`]]);
    assert.equal(frame.command, 'CONNECTED');
    raw.text(stomp(command, headers));
    const error = await raw.nextStomp();
    assert.equal(error.command, 'ERROR', `${command} ${JSON.stringify(headers)}: ${error.text}`);
    assert.equal(error.header('receipt-id'), 'r');
    assert.equal((await raw.closed()).code, 1002);
  }
});

test('what only users may see is denied to the nameless, also by a pattern that reaches it', async (t) => {
  for (const destination of ['/topic/members', '/topic/members/x', '/topic/**', '/topic/memb*']) {
    const { raw, frame } = await answerToConnect(t, [], { path: '/ws-open' });
    assert.equal(frame.command, 'CONNECTED');
    raw.text(stomp('SUBSCRIBE', [['id', '1'], ['destination', destination]]));
    assert.equal((await raw.nextStomp()).command, 'ERROR', destination);
  }
});

test('what the rules allow goes through', async (t) => {
  const user = t.using(await StompClient.as('joe', gateway.url('/ws')));
  const nameless = t.using(await StompClient.connected(gateway.url('/ws-open')));
  const inbox = await nameless.subscribed('/topic/open');

  user.send('/topic/open', 'for all');
  assert.equal((await inbox.next()).body, 'for all');
  await user.subscribed('/topic/members');
});

test('tokens never reach the log', async () => {
  const log = gateway.lines.items.join('\n');

  assert.ok(log.length > 0);
  assert.doesNotMatch(log, /eyJ[A-Za-z0-9_-]{10,}\./);
});

lastly();
