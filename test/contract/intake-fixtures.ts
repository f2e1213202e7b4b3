import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { GrpcIntake } from '../../src/aggregator/intake/grpc/grpc-intake.ts';
import type { CreateIntake, Intake, IntakeContext } from '../../src/aggregator/intake/intake.ts';
import { Intakes } from '../../src/aggregator/intake/intakes.ts';
import { PublishCalls } from '../../src/aggregator/intake/publish/publish-calls.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { TlsServerCredentials } from '../../src/runtime/tls-server-credentials.ts';
import type { Ledger, QueueWriter } from '../../src/storage/queue/queue-contract.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { CertificateAuthority } from '../support/certificate-authority.ts';
import { grpcClientCredentials } from '../support/grpc-client-credentials.ts';
import { MemoryPublishTransport } from '../support/memory-publish-transport.ts';
import { RawPublishClient } from '../support/raw-publish-client.ts';
import type { IntakeFixture, SenderIdentity } from './intake-fixture.ts';
import { PublishSender } from './publish-sender.ts';

/** The Publish protocol over a transport in memory. */
class MemoryIntake implements Intake {
  readonly name = 'memory';
  readonly calls: PublishCalls;

  constructor(context: IntakeContext) {
    this.calls = new PublishCalls(context);
  }

  async start(): Promise<void> {
    this.calls.start();
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.calls.stop(deadline);
  }

  connect(identity: SenderIdentity): PublishSender {
    const { certificate } = identity;
    const transport = new MemoryPublishTransport({
      tlsSubject: certificate === undefined ? undefined : `CN=${certificate}`,
    });
    transport.deliverTo(this.calls.accept(transport));
    const sender = new PublishSender(
      (request) => transport.request(request),
      transport.ended.then(({ reason }) => reason),
    );
    transport.onAnswer = (answer) => sender.receive(answer);
    return sender.hello(identity);
  }
}

async function started(queue: QueueWriter, ledger: Ledger, create: CreateIntake) {
  const { logger } = capturedLogger();
  const metrics = new Registry();
  const options = { queue, ledger, software: 'test/1', clock: systemClock, logger, metrics };
  const intakes = new Intakes(options, [create]);
  await intakes.start();
  onTestFinished(() => intakes.stop(AbortSignal.abort()));
  return intakes;
}

const memory: IntakeFixture = {
  name: 'Publish over a transport in memory',
  start: async (queue, ledger) => {
    const created: MemoryIntake[] = [];
    const intakes = await started(queue, ledger, (context) => {
      const intake = new MemoryIntake(context);
      created.push(intake);
      return intake;
    });
    return {
      connect: async (identity) => (created[0] as MemoryIntake).connect(identity),
      stop: (deadline) => intakes.stop(deadline),
    };
  },
};

const grpc: IntakeFixture = {
  name: 'grpc',
  start: async (queue, ledger) => {
    const authority = await CertificateAuthority.create();
    const credentials = new TlsServerCredentials(await authority.issue({ name: 'aggregator' }));
    const created: GrpcIntake[] = [];
    const intakes = await started(queue, ledger, (context) => {
      const intake = new GrpcIntake({ address: '127.0.0.1:0', credentials }, context);
      created.push(intake);
      return intake;
    });
    const certificates = new Map<string, ReturnType<typeof grpcClientCredentials>>();
    return {
      connect: async (identity) => {
        const { certificate: name = 'collector' } = identity;
        const channel = certificates.get(name) ?? grpcClientCredentials(await authority.issue({ name }));
        certificates.set(name, channel);
        const client = new RawPublishClient(`localhost:${created[0]?.port}`, channel);
        const ended = client.status.then(({ details }) => details);
        const sender = new PublishSender((request) => client.send(request), ended);
        client.stream.on('data', ({ message }) => sender.receive(message));
        return sender.hello(identity);
      },
      stop: (deadline) => intakes.stop(deadline),
    };
  },
};

export const intakeFixtures: readonly IntakeFixture[] = [memory, grpc];
