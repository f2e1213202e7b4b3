import type { Resource } from '../../records/resource.ts';
import type { Destination } from './destination.ts';
import { type Label, labelInResource } from './message-of-record.ts';

/** Where records go, by their resource. */
export interface Routes {
  /** Looks whether anything has changed. Answers why nothing can be sent at all; for people. */
  refresh(): Promise<string | undefined>;
  routeOf(resource: Resource): Route;
  /** How many destinations there are. */
  readonly size: number;
}

export type Route =
  | {
      readonly kind: 'destination';
      readonly destination: Destination;
      readonly label: Label;
    }
  | { readonly kind: 'none'; readonly reason: string };

/** Everything to one destination. */
export function singleRoute(destination: Destination): Routes {
  return {
    refresh: async () => undefined,
    routeOf: (resource) => ({ kind: 'destination', destination, label: labelInResource(resource) }),
    size: 1,
  };
}
