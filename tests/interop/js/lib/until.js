// Waiting for a condition, never for a time: the deadline only ends a wait that has failed.

/** Generous: a build with sanitizers on a busy machine is slow. */
export const DEADLINE_MS = 20_000;

/**
 * A list that grows by events, and its readers. `next` hands out items in order, each once.
 */
export class Inbox {
  constructor(name) {
    this.name = name;
    this.items = [];
    this.taken = 0;
    this.waiting = new Set();
  }

  push(item) {
    this.items.push(item);
    this.wake();
  }

  wake() {
    for (const attempt of [...this.waiting]) attempt();
  }

  /** Resolves with the first truthy value of `condition()`, which is tried at every event. */
  until(condition, what, deadlineMs = DEADLINE_MS) {
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.waiting.delete(attempt);
        settle(value);
      };
      const attempt = () => {
        try {
          const value = condition();
          if (value) finish(resolve, value);
        } catch (error) {
          finish(reject, error);
        }
      };
      const timer = setTimeout(() => {
        const seen = JSON.stringify(this.items.slice(-5))?.slice(0, 600);
        finish(reject, new Error(`${this.name}: no ${what} within ${deadlineMs} ms; ` +
          `${this.items.length} items so far, the last: ${seen}`));
      }, deadlineMs);
      this.waiting.add(attempt);
      attempt();
    });
  }

  async next(deadlineMs) {
    await this.until(() => this.items.length > this.taken, `item ${this.taken + 1}`, deadlineMs);
    return this.items[this.taken++];
  }

  async take(count, deadlineMs) {
    await this.until(() => this.items.length >= this.taken + count,
      `${count} items behind the ${this.taken} taken`, deadlineMs);
    this.taken += count;
    return this.items.slice(this.taken - count, this.taken);
  }

  find(predicate, what, deadlineMs) {
    return this.until(() => this.items.find(predicate), what, deadlineMs);
  }
}
