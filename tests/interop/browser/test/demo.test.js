import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { config, Gateway } from '../../js/lib/gateway.js';
import { token } from '../../js/lib/token.js';
import { Browser } from '../lib/page.js';

const withPage = (changes = {}) => config({ web: { demo: true }, ...changes });

let browser;
let gateway;
let tabs = [];

before(async () => {
  browser = await Browser.start();
  gateway = await Gateway.start(withPage());
});

after(async () => {
  await browser?.stop();
  assert.deepEqual((await gateway?.stop()) ?? [], []);
});

afterEach(async () => {
  const complaints = tabs.flatMap((tab) => tab.complaints);

  await Promise.all(tabs.map((tab) => tab.close()));
  tabs = [];
  assert.deepEqual(complaints, []);
});

async function open(options, of = gateway) {
  const tab = await browser.open(of, options);

  tabs.push(tab);
  return tab;
}

test('the page comes with a policy that allows nothing but its own files and WebSockets', async () => {
  const { response } = await open();
  const policy = response.headers()['content-security-policy'];

  assert.equal(response.status(), 200);
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'/);
  assert.doesNotMatch(policy, /unsafe/);
});

test('two tabs chat, in any script, and markup stays text', async () => {
  const [alice, bob] = [await open(), await open({ dark: true })];

  await alice.screenshot('start');
  await alice.connected({ name: 'Alice', token: token('alice') });
  await bob.connected({ name: 'Böb', token: token('bob') });
  await alice.stateText('Connected as alice');

  await alice.send('안녕하세요 👋 — grüße');
  await bob.message('안녕하세요 👋 — grüße');
  await bob.send('<b>bold?</b> <img src=x onerror=alert(1)>\nand a second line: \\ : \t.');
  const received = await alice.message('<b>bold?</b> <img src=x onerror=alert(1)>\nand a second line: \\ : \t.');
  assert.match(await received.innerText(), /Böb/);
  assert.equal(await alice.page.locator('.feed b, .feed img').count(), 0);

  await received.locator('summary').click();
  assert.match(await received.locator('dl').innerText(), /destination\s+\/topic\/chat/);
  await alice.screenshot('chat-light');
  await bob.screenshot('chat-dark');
});

test('what one tab compresses another inflates', async () => {
  const text = '압축 compressed '.repeat(100).trim();

  for (const contexts of [false, true]) {
    const deflate = { enabled: true, min_size: 100, server_context_takeover: contexts, client_context_takeover: contexts };
    const own = await Gateway.start(withPage({ transport: { deflate } }));

    try {
      const [sender, receiver] = [await open({}, own), await open({}, own)];

      for (const tab of [sender, receiver]) await tab.connected({ path: '/ws-open' });
      for (const i of [1, 2]) {
        await sender.send(`${i} ${text}`);
        await sender.message(`${i} ${text}`);
        await receiver.message(`${i} ${text}`);
      }
      assert.ok(await own.metric('messages_inflated_total') >= 2);
      assert.equal(await own.metric('messages_deflated_total'), contexts ? 4 : 2);
    } finally {
      assert.deepEqual(await own.stop(), []);
    }
  }
});

test('what a backend pushes appears', async () => {
  const tab = await open();

  await tab.connected({ path: '/ws-open' });
  const answer = await gateway.publish({ destination: '/topic/chat', text: 'Hello from a backend' });
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).deliveries, 1);
  await tab.message('Hello from a backend');
});

test('an echo comes back to its sender only, and what nobody routes is told', async () => {
  const [sender, other] = [await open(), await open()];

  for (const tab of [sender, other]) {
    await tab.connected({ path: '/ws-open' });
    await tab.subscribe('/app/echo');
    await tab.subscription('/app/echo', 'active');
  }
  await sender.send('once', '/app/echo');
  await sender.message('서버 응답: once');
  await sender.send('into the void', '/app/nowhere');
  await sender.notice('/app/nowhere');

  await sender.send('to all', '/topic/chat');
  await other.message('to all');
  assert.deepEqual(await other.texts('.message-text'), ['to all']);
});

test('unsubscribing ends the delivery', async () => {
  const tab = await open();

  await tab.connected({ path: '/ws-open' });
  await tab.subscribe('/topic/other');
  await tab.subscription('/topic/other', 'active');
  await tab.page.getByRole('button', { name: 'Unsubscribe from /topic/chat' }).click();
  await tab.send('unseen', '/topic/chat');
  await tab.send('seen', '/topic/other');
  await tab.message('seen');
  assert.deepEqual(await tab.texts('.message-text'), ['seen']);
});

test('a refused token in CONNECT is told, and not tried again', async () => {
  const tab = await open();

  await tab.connect({ token: token('mallory', {}, { secret: 'not the secret that the gateway knows' }) });
  assert.match(await tab.problem('The gateway refused the connection:'), /connection: \S/);
  await tab.state('offline');
  await tab.screenshot('token-refused');

  await tab.connected({ token: token('alice') });
  assert.equal(await tab.page.getByRole('alert').isVisible(), false);
});

test('a missing token is told', async () => {
  const tab = await open();

  await tab.connect({});
  await tab.problem('The gateway refused the connection:');
  await tab.state('offline');
});

test('a token in the address gets in; a refused one is told as well as a browser can', async () => {
  const tab = await open();

  await tab.connected({ token: token('alice'), tokenIn: 'query' });
  await tab.stateText('Connected as alice');
  await tab.page.getByRole('button', { name: 'Disconnect' }).click();
  await tab.state('offline');

  await tab.connect({ token: 'none.at.all', tokenIn: 'query' });
  assert.match(await tab.problem('1006'), /refused the token in the address/);
});

test('a refused subscription is named and not made again', async () => {
  const guarded = await Gateway.start(withPage({
    access: [
      { operations: ['subscribe'], destinations: ['/topic/secret'], allow: 'none' },
      { allow: 'all' },
    ],
  }));

  try {
    const tab = await open({}, guarded);

    await tab.connected({ path: '/ws-open' });
    await tab.subscribe('/topic/secret');
    await tab.problem('The gateway refused the subscription to /topic/secret');
    await tab.state('offline');
    assert.deepEqual(await tab.texts('.subscription code'), ['/topic/chat']);
    await tab.connected({ path: '/ws-open' });
  } finally {
    assert.deepEqual(await guarded.stop(), []);
  }
});

test('heart-beats are counted as they come and go', async () => {
  const tab = await open();
  const reaches = (id, pattern) => tab.page.locator(`#${id}`).filter({ hasText: pattern }).waitFor();

  await tab.connected({ path: '/ws-open', heartbeat: 1000 });
  await reaches('beats-in', /^[2-9]$/);
  await reaches('beats-out', /^[2-9]$/);
});

test('the page says that the gateway went away, comes back with it, and subscribes again', async () => {
  const first = await Gateway.start(withPage());
  const tab = await open({}, first);

  await tab.connected({ path: '/ws-open' });
  assert.deepEqual(await first.stop(), []);
  assert.match(await tab.problem('1001'), /shutting down/);
  await tab.stateText('Trying again in');

  const second = await Gateway.start(withPage({ listeners: [{ address: first.address }] }));
  try {
    await tab.state('online');
    await tab.subscription('/topic/chat', 'active');
    await tab.send('back again');
    await tab.message('back again');
  } finally {
    assert.deepEqual(await second.stop(), []);
  }
});

test('an address that is none is told without a connection', async () => {
  const tab = await open();

  await tab.page.locator('#url').fill('ftp://example.com/ws');
  await tab.page.getByRole('button', { name: 'Connect', exact: true }).click();
  await tab.problem('has to begin with ws:// or wss://');
  await tab.state('offline');
});

test('on a phone the settings give way to the chat, and nothing is wider than the screen', async () => {
  const tab = await open({ phone: true });
  const widths = () => tab.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);

  await tab.screenshot('phone-settings');
  assert.deepEqual(await widths(), [390, 390]);
  await tab.connected({ name: 'Mina', path: '/ws-open' });
  assert.equal(await tab.page.locator('#panel').isVisible(), false);
  await tab.send('안녕하세요 👋 and a longer text that has to wrap on a screen as narrow as this one');
  await tab.send('OneWordThatIsWiderThanTheScreen'.repeat(4));
  await tab.message('OneWordThatIsWiderThanTheScreen'.repeat(4));
  await tab.screenshot('phone-chat');
  assert.deepEqual(await widths(), [390, 390]);

  await tab.page.getByRole('button', { name: 'Settings' }).click();
  assert.equal(await tab.page.locator('#panel').isVisible(), true);
});

test('every control has a name for those who cannot see it', async () => {
  const tab = await open();
  const unnamed = await tab.page.evaluate(() =>
    [...document.querySelectorAll('input, select, textarea, button')]
      .filter((control) => !(control.getAttribute('aria-label') || control.labels?.[0]?.textContent.trim() ||
        control.textContent.trim()))
      .map((control) => control.outerHTML));

  assert.deepEqual(unnamed, []);
});
