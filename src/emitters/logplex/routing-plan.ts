import type { Batch } from '../../records/batch.ts';
import { type Rejected, rejected } from '../outcome.ts';
import type { SentRecords } from '../sent-records.ts';
import type { Destination } from './destination.ts';
import type { DestinationBatch } from './destination-batch.ts';
import type { Route, Routes } from './routes.ts';

/** The records of a batch, by destination. */
export interface RoutingPlan {
  readonly kind: 'plan';
  readonly batches: ReadonlyMap<Destination, DestinationBatch>;
}

export interface PlanningOptions {
  readonly routes: Routes;
  /** Records that the plan leaves out because they were sent. */
  readonly sent: SentRecords;
  readonly newBatch: (destination: Destination) => DestinationBatch;
}

/**
 * Assigns records to destinations. If some have none, rejects those with the first reason; records with
 * another reason are rejected by a later call.
 */
export function planRouting(
  batch: Batch,
  { routes, sent, newBatch }: PlanningOptions,
): RoutingPlan | Rejected {
  const batches = new Map<Destination, DestinationBatch>();
  const rejections = new Map<string, number[]>();
  let sliceIndex = 0;
  for (const slice of batch.slices) {
    const route = awake(routes.routeOf(slice.resource));
    for (const run of sent.unsent(slice)) {
      const firstIndex = sliceIndex + run.from;
      if (route.kind === 'destination') {
        const { destination, label } = route;
        const part = getOrSet(batches, destination, () => newBatch(destination));
        part.add({ slice: run.slice, firstIndex, label });
      } else {
        const indexes = getOrSet(rejections, route.reason, () => []);
        for (let index = 0; index < run.slice.sizes.length; index++) indexes.push(firstIndex + index);
      }
    }
    sliceIndex += slice.sizes.length;
  }
  const [first] = rejections;
  return first === undefined ? { kind: 'plan', batches } : rejected(...first);
}

/** Replaces the route to a suspended destination by a rejection. */
function awake(route: Route): Route {
  if (route.kind === 'none' || !route.destination.isResting) return route;
  const reason = `${route.destination.name} is suspended: it delayed the other destinations for too long`;
  return { kind: 'none', reason };
}

function getOrSet<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const created = create();
  map.set(key, created);
  return created;
}
