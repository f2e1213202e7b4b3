import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../runtime/events/metric-table.ts';

export const KUBERNETES_METRICS = metricTable('aggregator_kubernetes_', {
  pods: gauge('pods', 'Pods in the table, with those that ended in the last hour'),
  watching: gauge('watching', '1 while the pods of the cluster are watched', {
    alarm: 'is 0: new pods have no labels',
  }),
  failures: counter('failures_total', 'Requests to the API of Kubernetes that failed'),
});

/** The events of the table of pods. */
export const KUBERNETES_EVENTS = defineEvents(KUBERNETES_METRICS, (event) => ({
  listed: event<{ readonly pods: number }>({
    info: 'Watching the pods of the cluster',
    limit: {},
    count: ({ watching }) => watching.set(1),
  }),
  failed: event<{ readonly reason: string }>({
    warn: 'Cannot watch the pods of the cluster; the table of pods is not updated',
    limit: {},
    count: ({ watching, failures }) => {
      watching.set(0);
      failures.inc();
    },
  }),
  written: event<{ readonly pods: number }>({
    count: ({ pods }, { pods: number }) => pods.set(number),
  }),
  omitted: event<{ readonly pods: number }>({
    warn: 'The table of pods is full; further pods are not in it',
    limit: {},
  }),
  notWritten: event<{ readonly reason: string }>({ error: 'Cannot write the table of pods', limit: {} }),
}));

export type KubernetesEvents = Reports<typeof KUBERNETES_EVENTS.definitions>;
