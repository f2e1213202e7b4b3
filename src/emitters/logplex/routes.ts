import type { Resource } from '../../records/resource.ts';
import type { Destination } from './destination.ts';
import { type Label, labelInResource } from './message-of-record.ts';

/** Finds the destination of records by their resource. */
export interface Routes {
  /** Loads changes. Returns the reason if nothing can be sent. */
  refresh(): Promise<string | undefined>;
  routeOf(resource: Resource): Route;
  /** Number of destinations. */
  readonly size: number;
}

export type Route =
  | {
      readonly kind: 'destination';
      readonly destination: Destination;
      readonly label: Label;
    }
  | { readonly kind: 'none'; readonly reason: string };

/** Routes all records to one destination. */
export function singleRoute(destination: Destination): Routes {
  return {
    refresh: async () => undefined,
    routeOf: (resource) => ({ kind: 'destination', destination, label: labelInResource(resource) }),
    size: 1,
  };
}
