// The least that can be called a STOMP server, on Bun's WebSockets (uWebSockets) and their native
// publish/subscribe: CONNECT, SUBSCRIBE, SEND. A message is put together once, and the same bytes
// go to every subscriber: subscription ids are those of whoever subscribed last. Nothing is
// checked, limited, counted or acknowledged, which a broker must do: a high bar.

const ids = new Map(); // by destination
let n = 0;

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2]),

  fetch(request, bun) {
    if (!bun.upgrade(request, { headers: { 'Sec-WebSocket-Protocol': 'v12.stomp' } })) {
      return new Response('WebSocket only', { status: 400 });
    }
  },

  websocket: {
    idleTimeout: 0,
    perMessageDeflate: false,

    message(socket, text) {
      const head = text.slice(0, text.indexOf('\n\n'));

      if (head.startsWith('SEND\n')) {
        const destination = header(head, 'destination');

        // The frame as it came, with the two headers that a MESSAGE has besides.
        server.publish(destination, 'MESSAGE' + head.slice(4) + '\nsubscription:' + ids.get(destination) +
          '\nmessage-id:' + ++n + text.slice(head.length));
      } else if (head.startsWith('SUBSCRIBE\n')) {
        ids.set(header(head, 'destination'), header(head, 'id'));
        socket.subscribe(header(head, 'destination'));
      } else if (head.startsWith('CONNECT\n')) {
        socket.send('CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0');
      }
    },
  },
});

function header(head, name) {
  const at = head.indexOf(`\n${name}:`) + name.length + 2;
  const end = head.indexOf('\n', at);

  return head.slice(at, end === -1 ? undefined : end);
}
