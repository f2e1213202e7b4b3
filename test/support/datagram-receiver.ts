import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** A UDP socket that keeps received datagrams; closed at the end of the test. */
export class DatagramReceiver {
  readonly packets: Buffer[] = [];
  readonly port: number;
  readonly close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.close = close;
  }

  static async start({ port = 0, host = '127.0.0.1' } = {}): Promise<DatagramReceiver> {
    const socket = createSocket({
      type: host.includes(':') ? 'udp6' : 'udp4',
      recvBufferSize: 4 * 1024 * 1024,
    });
    socket.bind(port, host);
    await once(socket, 'listening');
    let open = true;
    const close = async () => {
      if (!open) return;
      open = false;
      socket.close();
      await once(socket, 'close');
    };
    const receiver = new DatagramReceiver(socket.address().port, close);
    socket.on('message', (packet) => receiver.packets.push(packet));
    onTestFinished(close);
    return receiver;
  }
}
