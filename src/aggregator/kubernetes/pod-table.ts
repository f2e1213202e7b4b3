import type { PodMetadata } from './pod-metadata.ts';

/** The file that filters name in `lookup`. */
export const PODS_TABLE = 'kubernetes-pods.csv';

/** The columns of the table of pods, before those of the configured labels. */
export const POD_COLUMNS: readonly string[] = [
  'pod',
  'k8s.namespace.name',
  'k8s.pod.name',
  'k8s.pod.uid',
  'k8s.deployment.name',
  'k8s.replicaset.name',
  'k8s.statefulset.name',
  'k8s.daemonset.name',
  'k8s.job.name',
  'labels',
];

/** The columns of a table with these labels. */
export function podColumns(labels: readonly string[]): readonly string[] {
  return [...POD_COLUMNS, ...labels];
}

/** Records of a pod arrive after its end, too. */
const KEPT_AFTER_DELETION_MS = 60 * 60 * 1000;
/** A table of filters has at most 64 MiB, and each pod has two rows. */
const MAX_BYTES = 48 * 1024 * 1024;

/**
 * The pods of a cluster as a table for `lookup`. Each pod has two rows with the same values: one begins with its
 * uid, one with `namespace/name`, because some paths of log files have only these.
 */
export class PodTable {
  readonly columns: readonly string[];
  readonly #labels: readonly string[];
  readonly #pods = new Map<string, KnownPod>();
  #bytes = 0;
  #omitted = 0;

  constructor(labels: readonly string[]) {
    this.#labels = labels;
    this.columns = podColumns(labels);
  }

  get size(): number {
    return this.#pods.size;
  }

  /** Pods that were left out since the last list, because the table was full. */
  get omitted(): number {
    return this.#omitted;
  }

  put(pod: PodMetadata): void {
    this.#remove(pod.uid);
    const row = this.#rowOf(pod);
    if (this.#bytes + 2 * row.length > MAX_BYTES) {
      this.#omitted++;
      return;
    }
    this.#bytes += 2 * row.length;
    this.#pods.set(pod.uid, { row, name: `${pod.namespace}/${pod.name}`, deletedMs: undefined });
  }

  /** Its rows stay for an hour. */
  delete(uid: string, nowMs: number): void {
    const pod = this.#pods.get(uid);
    if (pod !== undefined) pod.deletedMs ??= nowMs;
  }

  /** Deletes the pods that a complete list does not have. */
  keepOnly(uids: ReadonlySet<string>, nowMs: number): void {
    for (const uid of this.#pods.keys()) if (!uids.has(uid)) this.delete(uid, nowMs);
  }

  beginList(): void {
    this.#omitted = 0;
  }

  /** CSV with a line of names. Pods that were deleted an hour ago are removed. Of equal names, the newest pod counts. */
  csv(nowMs: number): string {
    for (const [uid, { deletedMs = nowMs }] of this.#pods)
      if (nowMs - deletedMs >= KEPT_AFTER_DELETION_MS) this.#remove(uid);
    const lines = [this.columns.map(quoted).join(',')];
    // The last row of equal keys counts: a running pod wins over a deleted one with its name.
    const pods = [...this.#pods].sort(([, a], [, b]) => Number(isRunning(a)) - Number(isRunning(b)));
    for (const [uid, { row, name }] of pods) lines.push(`${quoted(uid)},${row}`, `${quoted(name)},${row}`);
    return `${lines.join('\n')}\n`;
  }

  #remove(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    this.#bytes -= 2 * pod.row.length;
    this.#pods.delete(uid);
  }

  #rowOf({ namespace, name, uid, labels, owner }: PodMetadata): string {
    const of = (kind: string) => (owner?.kind === kind ? owner.name : '');
    const values = [namespace, name, uid, deploymentOf(owner, labels), of('ReplicaSet'), of('StatefulSet')];
    values.push(of('DaemonSet'), of('Job'), JSON.stringify(Object.fromEntries(labels)));
    return [...values, ...this.#labels.map((label) => labels.get(label) ?? '')].map(quoted).join(',');
  }
}

interface KnownPod {
  /** Without the key. */
  readonly row: string;
  readonly name: string;
  deletedMs: number | undefined;
}

function isRunning({ deletedMs }: KnownPod): boolean {
  return deletedMs === undefined;
}

/** The replica set of a deployment has its name and the hash of its template. */
function deploymentOf(owner: PodMetadata['owner'], labels: PodMetadata['labels']): string {
  const hash = labels.get('pod-template-hash');
  if (owner?.kind !== 'ReplicaSet' || hash === undefined || !owner.name.endsWith(`-${hash}`)) return '';
  return owner.name.slice(0, -hash.length - 1);
}

/** A line is a row, so a value has no line end. */
function quoted(value: string): string {
  const line = value.replace(/[\r\n]+/g, ' ');
  return /[",]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
}
