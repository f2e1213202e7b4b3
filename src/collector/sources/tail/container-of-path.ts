import { basename, dirname } from 'node:path';

/** The formats of container runtimes. */
const CONTAINER_FORMATS: ReadonlySet<string> = new Set(['cri', 'docker-json']);

/**
 * The attributes of a container, with OpenTelemetry's names, from the paths of its log: the path at which the
 * file was found, and the target of that path if it is a link. In Kubernetes, a link in `containers` has the id
 * of the container, and its target in `pods` has the uid of the pod.
 */
export function containerOfPath(format: string, paths: readonly string[]): ReadonlyMap<string, string> {
  if (!CONTAINER_FORMATS.has(format)) return NO_CONTAINER;
  return new Map(paths.flatMap((path) => attributesOf(path)));
}

const NO_CONTAINER: ReadonlyMap<string, string> = new Map();

type Attribute = readonly [name: string, value: string];

function attributesOf(path: string): readonly Attribute[] {
  const lastPart = path.split('/').slice(-3).join('/');
  return ofPod(lastPart) ?? ofLink(basename(path)) ?? ofDocker(path) ?? [];
}

/** `/var/log/pods/NAMESPACE_POD_UID/CONTAINER/RESTARTS.log`; a rotation adds a time to the name. */
const POD = /^([a-z0-9-]+)_([a-z0-9.-]+)_([A-Za-z0-9-]+)\/([a-z0-9-]+)\/(\d+)\.log(?:\.[\d.-]+)?$/;

function ofPod(path: string): readonly Attribute[] | undefined {
  const [, namespace, pod, uid, container, restarts] = POD.exec(path) ?? [];
  if (namespace === undefined || pod === undefined || uid === undefined) return undefined;
  return [
    ['k8s.namespace.name', namespace],
    ['k8s.pod.name', pod],
    ['k8s.pod.uid', uid],
    ['k8s.container.name', container ?? ''],
    ['k8s.container.restart_count', restarts ?? ''],
  ];
}

/** `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log`. */
const LINK = /^([a-z0-9.-]+)_([a-z0-9-]+)_([a-z0-9-]+)-([0-9a-f]{64})\.log$/;

function ofLink(name: string): readonly Attribute[] | undefined {
  const [, pod, namespace, container, id] = LINK.exec(name) ?? [];
  if (pod === undefined || namespace === undefined || id === undefined) return undefined;
  return [
    ['k8s.namespace.name', namespace],
    ['k8s.pod.name', pod],
    ['k8s.container.name', container ?? ''],
    ['container.id', id],
  ];
}

/** `/var/lib/docker/containers/ID/ID-json.log`; a rotation adds a number to the name. */
const DOCKER = /^([0-9a-f]{64})-json\.log(?:\.\d+)?$/;

function ofDocker(path: string): readonly Attribute[] | undefined {
  const id = DOCKER.exec(basename(path))?.[1];
  return id !== undefined && basename(dirname(path)) === id ? [['container.id', id]] : undefined;
}
