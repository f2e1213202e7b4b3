import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { CertificateAuthority } from '../support/certificate-authority.ts';
import { type CapturedRecord, febeCapture } from '../support/febe-capture.ts';
import { FebeClient } from '../support/febe-client.ts';
import { joinParts } from '../support/logplex-decoder.ts';
import { LogplexEndpoint } from '../support/logplex-endpoint.ts';
import { startServedStandalone, submitServes } from '../support/served-standalone.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PATIENT = { timeout: 30_000, interval: 50 };
const TOKENS = ['t.one', 't.two', 't.three'];
const CHUNK_BYTES = [1, 7, 1000, 1_000_000];

/** What pg_logplexcollector makes of a record, told from its fields. */
function classicText(record: CapturedRecord, label: string | undefined): string {
  const parts = [
    ['', record.ErrMessage],
    ['Detail: ', record.ErrDetail],
    ['Hint: ', record.ErrHint],
    ['Query: ', record.UserQuery],
  ] as const;
  const text = parts.map(([prefix, value]) => (value === null ? '' : `${prefix}${value}\n`)).join('');
  return label === undefined ? text : `[${label}] ${text}`;
}

describe('a standalone between PostgreSQL sockets and a strict logplex endpoint', () => {
  it('brings what a real PostgreSQL sent, to the byte, each tenant with its token', {
    timeout: 90_000,
  }, async () => {
    const { connections, chunks } = febeCapture();
    const identity = connections[0]?.identity ?? '';
    const authority = await CertificateAuthority.create();
    const endpoint = await LogplexEndpoint.start({
      tls: await authority.issue({ name: 'logplex' }),
      tokens: TOKENS,
    });
    const directory = await temporaryDirectory();
    const path = (name: string) => join(directory, `${name}.sock`);
    // All forms of a record: a URL, a token, a token with a label.
    const serves = [
      { i: identity, p: path('one'), url: endpoint.url('t.one') },
      { i: identity, p: path('two'), t: 't.two' },
      { i: identity, p: path('three'), t: 't.three', name: 'orders' },
    ];
    await submitServes(directory, serves);
    await writeFile(join(directory, 'ca.pem'), authority.certificate);
    const { standalone } = await startServedStandalone(directory, {
      LOGPLEX_URL: endpoint.url(''),
      NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem'),
    });

    const sent = connections.flatMap(({ records }) => records);
    for (const [index, name] of ['one', 'two', 'three'].entries()) {
      for (const chunk of chunks) {
        const client = await FebeClient.connect(path(name));
        await client.send(chunk, CHUNK_BYTES[index]);
        await client.end();
      }
    }
    for (const token of TOKENS) {
      const label = token === 't.three' ? 'orders' : undefined;
      const expected = sent.map((record) => classicText(record, label)).sort();
      await vi.waitFor(() => expect(joinParts(endpoint.texts(token)).sort()).toEqual(expected), PATIENT);
      const messages = endpoint.accepted
        .filter((request) => request.token === token)
        .flatMap((request) => request.messages);
      const pids = new Set(sent.map(({ Pid }) => `postgres.${Pid}`));
      for (const message of messages) {
        expect(message).toMatchObject({ priority: 134, host: 'postgres', token });
        expect(pids).toContain(message.processId);
      }
    }
    expect(endpoint.faults).toEqual([]);
    expect(await standalone.stop()).toEqual({ code: 0, signal: null });
    for (const token of TOKENS) expect(standalone.stderr).not.toContain(token);
  });
});
