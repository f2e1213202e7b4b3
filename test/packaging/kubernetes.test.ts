import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { configurationFileNames } from '../support/configuration-file-names.ts';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: object };
    readonly template?: { readonly metadata: { readonly labels: object }; readonly spec: PodSpec };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
}

interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe: { readonly httpGet: { readonly path: string } };
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly securityContext: {
    readonly readOnlyRootFilesystem: boolean;
    readonly allowPrivilegeEscalation: boolean;
  };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
  }[];
}

const FILES = ['aggregator.yaml', 'collector.yaml', 'service-monitor.yaml', 'pod-labels.yaml'];
const OF_THE_CLUSTER = ['Namespace', 'ClusterRole', 'ClusterRoleBinding'];

function manifestsOf(file: string): readonly Manifest[] {
  const documents = parseAllDocuments(readFileSync(`packaging/kubernetes/${file}`, 'utf8'));
  return [...documents].map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
}

const ALL = FILES.flatMap(manifestsOf);
const WORKLOADS = ALL.filter(({ kind }) => kind === 'StatefulSet' || kind === 'DaemonSet');

test('every manifest has a kind, a name and the namespace', () => {
  expect(ALL.map(({ kind }) => kind)).toEqual([
    ...['Namespace', 'ConfigMap', 'Service', 'StatefulSet'],
    ...['ConfigMap', 'DaemonSet', 'ServiceMonitor', 'PodMonitor'],
    ...['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding'],
  ]);
  for (const { kind, metadata } of ALL) {
    expect(metadata.name).toMatch(/^[a-z-]+$/);
    expect(metadata.namespace).toBe(OF_THE_CLUSTER.includes(kind) ? undefined : 'mega-collector');
  }
});

test('the configuration files have only variables that exist', () => {
  const files = ALL.flatMap(({ data }) => Object.values(data ?? {}));
  expect(files).toHaveLength(2);
  for (const file of files) expect(configurationFileNames(file).length).toBeGreaterThan(2);
});

test.each(WORKLOADS.map((manifest) => [manifest.kind, manifest] as const))(
  'the %s mounts what it uses, and its root is read-only',
  (_, { spec }) => {
    const pod = spec?.template?.spec;
    const [container] = pod?.containers ?? [];
    expect(spec?.selector?.matchLabels).toEqual(spec?.template?.metadata.labels);
    const volumes = [
      ...(pod?.volumes ?? []),
      ...(spec?.volumeClaimTemplates ?? []).map((each) => each.metadata),
    ];
    const mounts = container?.volumeMounts ?? [];
    expect(mounts.map(({ name }) => name).toSorted()).toEqual(volumes.map(({ name }) => name).toSorted());
    const [, , path] = container?.args ?? [];
    expect(mounts.map(({ mountPath }) => mountPath)).toContain(path);
    expect(container?.securityContext).toMatchObject({
      ...{ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
    });
    expect(container?.readinessProbe.httpGet.path).toBe('/health/ready');
    expect(container?.livenessProbe.httpGet.path).toBe('/health/live');
  },
);
