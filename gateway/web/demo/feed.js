/*
 * The list of messages and notices. Whatever comes from the network is set as text, never as
 * markup. Keeps the newest MAX_ITEMS, and follows the end unless the reader has scrolled up.
 */
const MAX_ITEMS = 500;
const NEAR_END_PX = 60;

export class Feed {
  #list;
  #box;
  #newer;
  #empty;
  #follows = true; // the reader is at the end, and stays there as messages come
  #clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

  constructor({ list, box, newer, empty }) {
    this.#list = list;
    this.#box = box;
    this.#newer = newer;
    this.#empty = empty;
    newer.addEventListener('click', () => this.#toEnd());
    box.addEventListener('scroll', () => {
      const { scrollHeight, scrollTop, clientHeight } = box;

      this.#follows = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
      if (this.#follows) {
        newer.hidden = true;
      }
    });
    new ResizeObserver(() => {
      if (this.#follows) {
        this.#toEnd();
      }
    }).observe(box);
  }

  /** `isOwn`: this tab sent it. `from` is what the sender says of itself, no more. */
  message({ destination, from, text, headers, isOwn }) {
    const item = element('li', isOwn ? 'message own' : 'message');
    const head = element('p', 'message-head');
    const who = from || (isOwn ? 'You' : 'No name');
    const avatar = element('span', 'avatar', [...who][0].toUpperCase());

    avatar.style.setProperty('--hue', String(hueOf(who)));
    avatar.setAttribute('aria-hidden', 'true');
    head.append(
      element('span', 'message-from', isOwn && from ? `${from} (you)` : who),
      element('span', 'message-destination', destination),
      this.#time(),
    );
    item.append(avatar, head, element('p', 'message-text', text), headerTable(headers));
    this.#add(item);
  }

  notice(text, kind = 'info') {
    const item = element('li', `notice ${kind}`);

    item.append(element('span', 'notice-text', text), this.#time());
    this.#add(item);
  }

  #time() {
    const now = new Date();
    const time = element('time', 'time', this.#clock.format(now));

    time.dateTime = now.toISOString();
    return time;
  }

  #add(item) {
    this.#empty.hidden = true;
    this.#list.append(item);
    while (this.#list.childElementCount > MAX_ITEMS) {
      this.#list.firstElementChild.remove();
    }
    if (this.#follows) {
      this.#toEnd();
    } else {
      this.#newer.hidden = false;
    }
  }

  #toEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#newer.hidden = true;
  }
}

export function element(name, className, text) {
  const node = document.createElement(name);

  if (className) {
    node.className = className;
  }
  if (text !== undefined) {
    node.textContent = text;
  }
  return node;
}

function headerTable(headers) {
  const details = element('details', 'headers');
  const table = element('dl');
  const names = Object.keys(headers);

  for (const name of names) {
    table.append(element('dt', '', name), element('dd', '', headers[name]));
  }
  details.addEventListener('toggle', () => details.scrollIntoView({ block: 'nearest' }));
  details.append(element('summary', '', `${names.length} headers`), table);
  return details;
}

/** The same name has the same colour in every tab. */
function hueOf(name) {
  let hash = 0;

  for (const char of name) {
    hash = (hash * 31 + char.codePointAt(0)) % 360;
  }
  return hash;
}
