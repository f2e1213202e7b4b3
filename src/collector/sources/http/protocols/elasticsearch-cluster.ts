import { jsonAnswer, type PushAnswer, type PushRequest } from '../push-protocol.ts';

const NAME = 'mega-collector';
const UUID = 'mega-collector-0000000';

/**
 * Answers what agents ask a cluster before they send documents: version, license, health, and whether templates, policies
 * and pipelines exist. The collector has none of these: it confirms them, and changes nothing. undefined: not
 * one of these requests.
 */
export function clusterAnswer({ method, path }: PushRequest, version: string): PushAnswer | undefined {
  const [first = ''] = path.split('/').slice(1);
  const isRead = method === 'GET' || method === 'HEAD';
  if (path === '') return isRead ? jsonAnswer(200, rootOf(version)) : undefined;
  const known = isRead ? READABLE.get(first) : undefined;
  if (known !== undefined) return jsonAnswer(200, known);
  if (!CONFIRMED.has(first))
    return method === 'HEAD' && !first.startsWith('_') ? jsonAnswer(200, {}) : undefined;
  return jsonAnswer(200, isRead ? {} : { acknowledged: true });
}

function rootOf(version: string): object {
  return {
    name: NAME,
    cluster_name: NAME,
    cluster_uuid: UUID,
    version: {
      number: version,
      build_flavor: 'default',
      build_type: 'tar',
      build_hash: 'unknown',
      build_date: '2024-01-01T00:00:00.000Z',
      build_snapshot: false,
      lucene_version: '9.12.0',
      minimum_wire_compatibility_version: '7.17.0',
      minimum_index_compatibility_version: '7.0.0',
    },
    tagline: 'You Know, for Search',
  };
}

const LICENSE = { status: 'active', uid: UUID, type: 'basic', mode: 'basic' };

const READABLE: ReadonlyMap<string, object> = new Map(
  Object.entries({
    _license: { license: LICENSE },
    _xpack: { license: LICENSE, features: {} },
    _cluster: {
      cluster_name: NAME,
      status: 'green',
      timed_out: false,
      number_of_nodes: 1,
      number_of_data_nodes: 1,
      active_primary_shards: 1,
      active_shards: 1,
      relocating_shards: 0,
      initializing_shards: 0,
      unassigned_shards: 0,
    },
    _nodes: { _nodes: { total: 1, successful: 1, failed: 0 }, cluster_name: NAME, nodes: {} },
  }),
);

const CONFIRMED: ReadonlySet<string> = new Set([
  ...['_index_template', '_component_template', '_template', '_ilm', '_data_stream', '_ingest', '_alias'],
  '_aliases',
]);
