/** The part of the address after the page: `#/metrics/errors` gives [`errors`]. */
export interface PageProps {
  readonly path: readonly string[];
}
