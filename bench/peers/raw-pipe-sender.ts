// node raw-pipe-sender.js PORT FILE: waits until FILE is there, sends it, and stays until it is killed.
import { createReadStream, existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const [port = '', path = ''] = process.argv.slice(2);
const socket = connect(Number(port), '127.0.0.1');
while (!existsSync(path)) await sleep(1);
createReadStream(path, { highWaterMark: 1 << 20 }).pipe(socket);
setInterval(() => {}, 60_000);
