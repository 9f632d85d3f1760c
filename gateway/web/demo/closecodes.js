/* What a WebSocket close code means to the person who sees it, with the gateway's own reasons. */

const MEANINGS = new Map([
  [1000, 'The connection was closed normally.'],
  [1001, 'The gateway is shutting down or restarting.'],
  [1002, 'The gateway refused what was sent; its ERROR frame says why.'],
  [1003, 'This endpoint does not take that type of message.'],
  [1005, 'The connection was closed without a code.'],
  [1006, 'The connection was lost without a goodbye.'],
  [1007, 'A text message was not valid UTF-8.'],
  [1008, 'The gateway does not allow this.'],
  [1009, 'A message was larger than the gateway takes.'],
  [1011, 'The gateway met an error of its own.'],
  [4500, 'The gateway gave up on this connection: it read too slowly, or never completed CONNECT.'],
]);

const NEVER_OPENED =
  'No WebSocket could be opened. The browser does not say why: the address may be wrong, the ' +
  'gateway may be down, or it refused the token in the address or the origin of this page.';

/** One sentence for a close code; `wasOpen` tells a lost connection from one that never was. */
export function closeMeaning(code, wasOpen) {
  if (!wasOpen && code === 1006) {
    return NEVER_OPENED;
  }
  return MEANINGS.get(code) ?? 'The gateway closed the connection.';
}
