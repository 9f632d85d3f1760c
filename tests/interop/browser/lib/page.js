// The demo page in Chromium, as a person works it.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const artefacts = fileURLToPath(new URL('../../../../build/artefacts', import.meta.url));

const DESKTOP = { viewport: { width: 1200, height: 820 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

export class Browser {
  static async start() {
    const browser = new Browser();

    browser.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    return browser;
  }

  /** A tab of its own profile, with the page of `gateway` loaded. */
  async open(gateway, { phone = false, dark = false } = {}) {
    const context = await this.chromium.newContext({
      ...(phone ? PHONE : DESKTOP),
      colorScheme: dark ? 'dark' : 'light',
    });
    const tab = new Tab(await context.newPage());

    tab.response = await tab.page.goto(`http://${gateway.address}/`);
    return tab;
  }

  async stop() {
    await this.chromium.close();
  }
}

export class Tab {
  /** What a page must not say: script errors, and whatever the content security policy stopped. */
  complaints = [];

  constructor(page) {
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('WebSocket connection to')) {
        this.complaints.push(message.text());
      }
    });
  }

  async connect({ name, token, tokenIn = 'header', path: endpoint = '/ws', heartbeat = 1000 } = {}) {
    const { page } = this;

    await page.locator('#url').fill(`ws://${new URL(page.url()).host}${endpoint}`);
    await page.locator('#name').fill(name ?? '');
    await page.locator('#token').fill(token ?? '');
    await page.locator('#token-in').selectOption(tokenIn);
    await page.locator('#heartbeat').selectOption(String(heartbeat));
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
  }

  /** Connected, and the subscriptions that the page makes are in place. */
  async connected(options) {
    await this.connect(options);
    await this.state('online');
    await this.page.locator('.subscription[data-state=active]').first().waitFor({ state: 'attached' });
  }

  state(name) {
    return this.page.locator(`body[data-state=${name}]`).waitFor();
  }

  stateText(text) {
    return this.page.locator('#state-text', { hasText: text }).waitFor();
  }

  async subscribe(destination) {
    await this.page.locator('#subscribe-to').fill(destination);
    await this.page.getByRole('button', { name: 'Subscribe', exact: true }).click();
  }

  subscription(destination, state) {
    return this.page.locator(`.subscription[data-destination="${destination}"][data-state=${state}]`)
      .waitFor({ state: 'attached' });
  }

  async send(text, destination) {
    if (destination) {
      await this.page.locator('#send-to').fill(destination);
    }
    await this.page.locator('#text').fill(text);
    await this.page.locator('#text').press('Enter');
  }

  /** The message with exactly this text, once it is there. */
  async message(text) {
    const message = this.page.locator('.message').filter({
      has: this.page.getByText(text, { exact: true }),
    });

    await message.first().waitFor();
    return message.first();
  }

  notice(text) {
    return this.page.locator('.notice', { hasText: text }).first().waitFor();
  }

  async problem(text) {
    await this.page.getByRole('alert').filter({ hasText: text }).waitFor();
    return this.page.getByRole('alert').innerText();
  }

  texts(selector) {
    return this.page.locator(selector).allInnerTexts();
  }

  async screenshot(name) {
    mkdirSync(artefacts, { recursive: true });
    await this.page.screenshot({ path: path.join(artefacts, `demo-${name}.png`) });
  }

  async close() {
    await this.page.context().close();
  }
}
