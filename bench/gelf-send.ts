/**
 * Sends the byte strings of test/fixtures/gelf/ unchanged to a real server, so that a person can check the
 * result: `make gelf-send ADDRESS=udp://graylog.example:12201 [DELIMITER=newline]`.
 */

import type { PacketTransport, StreamTransport, TransportFailure } from '../src/transport/transport.ts';
import { parseTransportAddress, TRANSPORT_ADDRESS_FORMAT } from '../src/transport/transport-address.ts';
import { transportTo } from '../src/transport/transport-to.ts';
import { GOLDEN_FILES, readGolden } from '../testkit/gelf-golden.ts';

const DEFAULT_PORT = 12_201;

async function main([text = '', delimiter = 'null']: readonly string[]): Promise<
  TransportFailure | undefined
> {
  const address = parseTransportAddress(text, DEFAULT_PORT);
  if (address === undefined)
    return { reason: `ADDRESS: expected ${TRANSPORT_ADDRESS_FORMAT.replaceAll('`', '')}` };
  const to = transportTo(address);
  return to.kind === 'packets'
    ? await sendPackets(to.transport)
    : await sendFrames(to.transport, delimiter === 'newline' ? 'stream-newline' : 'stream-null');
}

async function sendPackets(transport: PacketTransport): Promise<TransportFailure | undefined> {
  for (const name of GOLDEN_FILES.filter((each) => each.startsWith('packet-'))) {
    const packets = await readGolden(name);
    for (const packet of packets) {
      const failure = await transport.send(packet);
      if (failure !== undefined) return failure;
    }
    console.log(`${name}: sent, ${packets.length} datagram(s) that make one message`);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  const failure = transport.takeLateFailure();
  transport.close();
  return failure;
}

async function sendFrames(
  transport: StreamTransport,
  name: 'stream-null' | 'stream-newline',
): Promise<TransportFailure | undefined> {
  const opening = await transport.open();
  if (opening.kind === 'failed') return opening.failure;
  const frames = await readGolden(name);
  const failure = await opening.connection.write(Buffer.concat(frames));
  await opening.connection.close(AbortSignal.timeout(5_000));
  if (failure === undefined) console.log(`${name}: sent, ${frames.length} messages`);
  return failure;
}

const failure = await main(process.argv.slice(2));
if (failure !== undefined) {
  console.error(`gelf-send: ${failure.reason}`);
  process.exitCode = 1;
}
