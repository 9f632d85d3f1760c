// Subscribes to /topic/chat, sends its arguments there as a message, and prints what arrives.
//
//   node chat.mjs hello                          against ws://127.0.0.1:8080/ws
//   GATEWAY_URL=wss://... TOKEN=... node chat.mjs hello
import { Client } from '@stomp/stompjs';
import WebSocket from 'ws'; // a browser and Node 22 have their own: brokerURL is then enough

const url = process.env.GATEWAY_URL ?? 'ws://127.0.0.1:8080/ws';
const token = process.env.TOKEN;
const text = process.argv.slice(2).join(' ');

const client = new Client({
  webSocketFactory: () => new WebSocket(url, ['v12.stomp', 'v11.stomp', 'v10.stomp']),
  connectHeaders: token ? { Authorization: `Bearer ${token}` } : {},
  onConnect() {
    // The RECEIPT says that the subscription is in place: nothing sent from now on is missed.
    client.watchForReceipt('subscribed', () => {
      console.log(`Listening on /topic/chat of ${url}. Ctrl-C ends.`);
      if (text) {
        client.publish({ destination: '/topic/chat', body: text });
      }
    });
    client.subscribe('/topic/chat', (message) => console.log(message.body), { receipt: 'subscribed' });
  },
  onStompError(frame) {
    console.error(`Refused: ${frame.headers.message}`);
    process.exitCode = 1;
    client.deactivate();
  },
  onWebSocketError: (event) => console.error(`Not connected: ${event.message}`),
});

process.on('SIGINT', () => client.deactivate());
client.activate();
