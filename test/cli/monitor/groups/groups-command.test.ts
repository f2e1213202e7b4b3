import { expect, test } from 'vitest';
import { FakeAggregator } from '../fake-aggregator.ts';
import { monitor } from '../monitor-run.ts';

const GROUP = {
  id: 'checkout',
  description: 'the shop',
  expression: 'service.name == "checkout"',
  createdAt: '2026-01-31T10:00:00.000Z',
  usedBy: ['errors'],
};
const CHANGES = ['The metric errors computes its newest points again.'];

const aggregator = () =>
  FakeAggregator.start({
    'GET /v1/log-groups': { json: { groups: [GROUP] } },
    'GET /v1/log-groups/checkout': { json: GROUP },
    'POST /v1/log-groups': { status: 201, json: GROUP },
    'PUT /v1/log-groups/checkout': { json: { ...GROUP, changes: CHANGES } },
    'DELETE /v1/log-groups/checkout': { status: 204, json: null },
    'PUT /v1/metrics/errors': { status: 500, json: {} },
  });

test('lists, shows, creates, edits and deletes log groups', async () => {
  const options = { aggregator: await aggregator() };
  expect((await monitor(['groups'], options)).stdout).toBe(
    'group     expression                  used by\ncheckout  service.name == "checkout"  errors\n',
  );
  expect((await monitor(['groups', 'get', 'checkout'], options)).stdout).toMatch(/^used by +errors$/m);
  const created = await monitor(['groups', 'create', 'checkout', 'a == 1'], options);
  expect(created).toMatchObject({ exitCode: 0, stdout: 'Created checkout.\n' });
  const edited = await monitor(['groups', 'edit', 'checkout', 'a == 2'], options);
  expect(edited.stdout).toBe(`Changed checkout.\n${CHANGES[0]}\n`);
  const deleted = await monitor(['groups', 'delete', 'checkout', '--json'], options);
  expect(JSON.parse(deleted.stdout)).toEqual({ deleted: 'checkout' });
});

test('reports a wrong expression before it is sent', async () => {
  const { exitCode, stderr } = await monitor(['groups', 'create', 'checkout', 'a contians 1'], {
    aggregator: await aggregator(),
  });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('EXPRESSION: expected a comparison');
});
