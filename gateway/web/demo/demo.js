/* The page: forms on one side, the link and the feed on the other. */
import { closeMeaning } from '/demo/closecodes.js';
import { element, Feed } from '/demo/feed.js';
import { Link, RECONNECT_MS } from '/demo/link.js';

const STATE_TEXTS = {
  offline: 'Not connected',
  connecting: 'Connecting …',
  online: 'Connected',
  closing: 'Disconnecting …',
};
const FIRST_DESTINATION = '/topic/chat';
const narrow = matchMedia('(max-width: 760px)');
/* Tells this tab's messages when they come back; nobody else needs to trust it. */
const tabId = crypto.getRandomValues(new Uint32Array(2)).join('-');

const $ = (id) => document.getElementById(id);
const feed = new Feed({ list: $('feed'), box: $('feed-box'), newer: $('newer'), empty: $('empty') });
const counts = new Map(); // destination -> messages received on it
let state = 'offline';
let wasRefused = false;
let attempts = 0;
let countdown = 0;

const link = new Link({
  state: showState,
  message: showMessage,
  subscription: showSubscription,
  refused(text, body, what) {
    wasRefused = true;
    showProblem(what ? `The gateway refused ${what}:` : 'The gateway refused this:', body ? `${text} — ${body.trim()}` : text);
    feed.notice(`ERROR: ${text}`, 'bad');
  },
  closed: showClosed,
  beats(nIn, nOut) {
    $('beats-in').textContent = String(nIn);
    $('beats-out').textContent = String(nOut);
  },
  unrouted(destination) {
    feed.notice(`Nobody is set up to take ${destination}: the message went nowhere.`, 'warn');
  },
});

function showState(next, detail = {}) {
  const before = state;

  state = next;
  clearInterval(countdown);
  document.body.dataset.state = next;
  $('connect').textContent = next === 'offline' ? 'Connect' : 'Disconnect';
  $('connect').classList.toggle('primary', next === 'offline');
  $('send').disabled = next !== 'online';
  for (const id of ['url', 'token', 'token-in', 'heartbeat']) {
    $(id).disabled = next !== 'offline';
  }
  if (next === 'waiting') {
    showCountdown();
    return;
  }
  $('state-text').textContent = STATE_TEXTS[next];
  if (next === 'online') {
    attempts = 0;
    hideProblem();
    if (detail.user) {
      $('state-text').textContent = `Connected as ${detail.user}`;
    }
    feed.notice(`Connected with STOMP ${detail.version}.`, 'good');
    if (narrow.matches) {
      showPanel(false);
      $('text').focus({ preventScroll: true });
    }
  } else if (next === 'offline' && before !== 'offline' && narrow.matches) {
    showPanel(true);
  }
}

function showCountdown() {
  const end = Date.now() + RECONNECT_MS;
  const tick = () => {
    const seconds = Math.max(1, Math.ceil((end - Date.now()) / 1000));
    $('state-text').textContent = `Trying again in ${seconds} s`;
  };

  tick();
  countdown = setInterval(tick, 1000);
}

function showClosed(code, reason, wasOpen) {
  const said = reason ? ` The gateway says: “${reason}”.` : '';

  // An ERROR frame has said it better already; what follows it is only the close.
  if (wasRefused || (code === 1000 && !link.isActive) || state === 'closing') {
    feed.notice(`Disconnected (${code}).`);
    return;
  }
  attempts++;
  const times = attempts > 1 ? ` (${attempts} times)` : '';
  showProblem(`Closed with code ${code}${times}.`, closeMeaning(code, wasOpen) + said);
  if (attempts === 1) {
    feed.notice(`Connection closed: ${code}.`, 'bad');
  }
}

function showProblem(title, text) {
  $('problem-title').textContent = title;
  $('problem-text').textContent = text;
  $('problem').hidden = false;
}

function hideProblem() {
  $('problem').hidden = true;
}

function showMessage(message) {
  const { destination, from, tab } = message.headers;
  const text = message.isBinaryBody && !isText(message.binaryBody)
    ? `(${message.binaryBody.length} bytes that are not text)`
    : message.body;

  counts.set(destination, (counts.get(destination) ?? 0) + 1);
  const count = subscriptionItem(destination)?.querySelector('.subscription-count');
  if (count) {
    count.textContent = String(counts.get(destination));
  }
  feed.message({ destination, from, text, headers: message.headers, isOwn: tab === tabId });
}

function isText(bytes) {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function subscriptionItem(destination) {
  return [...$('subscriptions').children].find((item) => item.dataset.destination === destination);
}

function showSubscription(destination, subscriptionState) {
  let item = subscriptionItem(destination);

  if (subscriptionState === 'gone') {
    item?.remove();
    return;
  }
  if (!item) {
    item = element('li', 'subscription');
    const remove = element('button', 'quiet', '✕');
    const count = element('span', 'subscription-count', String(counts.get(destination) ?? 0));

    item.dataset.destination = destination;
    remove.type = 'button';
    remove.setAttribute('aria-label', `Unsubscribe from ${destination}`);
    remove.addEventListener('click', () => link.unsubscribe(destination));
    count.title = 'Messages received';
    item.append(element('span', 'subscription-dot'), element('code', '', destination), count, remove);
    $('subscriptions').append(item);
  }
  item.dataset.state = subscriptionState;
  item.querySelector('.subscription-dot').title =
    subscriptionState === 'active' ? 'Active' : 'Waiting for the gateway';
}

function showPanel(isShown) {
  document.body.classList.toggle('panel-closed', !isShown);
  $('panel-toggle').setAttribute('aria-expanded', String(isShown));
}

$('connect-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (state !== 'offline') {
    await link.close();
    return;
  }
  hideProblem();
  wasRefused = false;
  attempts = 0;
  try {
    link.open({
      url: $('url').value.trim(),
      token: $('token').value.trim(),
      tokenIn: $('token-in').value,
      heartbeatMs: Number($('heartbeat').value),
    });
  } catch (error) {
    showProblem('Not connected.', error.message);
  }
});

$('subscribe-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const destination = $('subscribe-to').value.trim();

  if (destination && link.subscribe(destination)) {
    $('subscribe-to').value = '';
  }
});

$('send-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = $('name').value.trim();

  if (!link.isOnline || $('text').value === '') {
    return;
  }
  link.send($('send-to').value.trim(), $('text').value, name ? { from: name, tab: tabId } : { tab: tabId });
  $('text').value = '';
  fitText();
  $('text').focus();
});

$('text').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $('send-form').requestSubmit();
  }
});

/** The box grows with its text, up to the limit that the style sheet sets. */
function fitText() {
  $('text').style.height = 'auto';
  $('text').style.height = `${$('text').scrollHeight + 2}px`;
}

$('text').addEventListener('input', fitText);
$('problem-close').addEventListener('click', hideProblem);
$('panel-toggle').addEventListener('click', () => {
  showPanel(document.body.classList.contains('panel-closed'));
});

$('url').value = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
$('send-to').value = FIRST_DESTINATION;
link.subscribe(FIRST_DESTINATION);
