// node raw-pipe-receiver.js PORT FILE: writes the data of a connection to FILE, flushes it, reports it, and
// stays.
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { pipeline } from 'node:stream/promises';

const [port = '', path = ''] = process.argv.slice(2);

createServer((socket) => {
  pipeline(socket, createWriteStream(path, { flags: 'a', highWaterMark: 8 << 20 }))
    .then(async () => {
      if (socket.bytesRead === 0) return; // somebody only looked whether the port is open
      const file = await open(path, 'r+');
      await file.datasync();
      process.stdout.write('flushed\n');
    })
    .catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
}).listen(Number(port), '127.0.0.1');
