import type { Batch } from '../../records/batch.ts';
import { type Rejected, rejected } from '../outcome.ts';
import type { Destination } from './destination.ts';
import type { Route, Routes } from './routes.ts';
import type { SentRecords } from './sent-records.ts';
import type { Share } from './share.ts';

/** What of a batch goes where. */
export interface Plan {
  readonly kind: 'plan';
  readonly shares: ReadonlyMap<Destination, Share>;
}

export interface PlanningOptions {
  readonly routes: Routes;
  /** Left out. */
  readonly sent: SentRecords;
  readonly newShare: (destination: Destination) => Share;
}

/** Which records go where; or those that go nowhere, for one of the reasons: the others' turn comes with the rest. */
export function planOf(batch: Batch, { routes, sent, newShare }: PlanningOptions): Plan | Rejected {
  const shares = new Map<Destination, Share>();
  const turnedAway = new Map<string, number[]>();
  let sliceIndex = 0;
  for (const slice of batch.slices) {
    const route = awake(routes.routeOf(slice.resource));
    for (const run of sent.unsent(slice)) {
      const firstIndex = sliceIndex + run.from;
      if (route.kind === 'destination') {
        const { destination, label } = route;
        const share = getOrSet(shares, destination, () => newShare(destination));
        share.add({ slice: run.slice, firstIndex, label });
      } else {
        const indexes = getOrSet(turnedAway, route.reason, () => []);
        for (let index = 0; index < run.slice.sizes.length; index++) indexes.push(firstIndex + index);
      }
    }
    sliceIndex += slice.sizes.length;
  }
  const [first] = turnedAway;
  return first === undefined ? { kind: 'plan', shares } : rejected(...first);
}

/** The route, unless its destination is not even to be tried. */
function awake(route: Route): Route {
  if (route.kind === 'none' || !route.destination.isResting) return route;
  const reason = `${route.destination.name} was set aside: it had held up the others for too long`;
  return { kind: 'none', reason };
}

function getOrSet<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const created = create();
  map.set(key, created);
  return created;
}
