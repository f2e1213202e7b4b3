import { z } from 'zod';

/** The metadata of a pod that the table has. */
export interface PodMetadata {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: ReadonlyMap<string, string>;
  /** The controller, such as a ReplicaSet. */
  readonly owner: { readonly kind: string; readonly name: string } | undefined;
}

/** `metadata` as `PartialObjectMetadata` of `meta.k8s.io/v1` and complete pods have it. */
export const podObject = z
  .object({
    metadata: z.object({
      namespace: z.string().default(''),
      name: z.string(),
      uid: z.string(),
      labels: z.record(z.string(), z.string()).nullish(),
      ownerReferences: z
        .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().nullish() }))
        .nullish(),
    }),
  })
  .transform(({ metadata: { namespace, name, uid, labels, ownerReferences } }): PodMetadata => {
    const owner = ownerReferences?.find(({ controller }) => controller === true);
    return { namespace, name, uid, labels: new Map(Object.entries(labels ?? {})), owner };
  });
