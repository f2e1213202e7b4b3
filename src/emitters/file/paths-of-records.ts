import { forEachLogRecord } from '../../formats/record-view.ts';
import type { Batch } from '../../records/batch.ts';
import { type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import type { Resource } from '../../records/resource.ts';
import { expandPath, type PathTemplate, readsRecords } from './path-template.ts';

/** Records of a batch that belong in one file, in their order. */
export interface RecordsOfPath {
  readonly path: string;
  readonly slices: readonly RecordBatch[];
}

/**
 * Divides a batch by the paths of its records. All records of a path are together, so a file is opened at most once for
 * each batch, even if the records of a thousand hosts are mixed. The order within a file is that of the batch.
 */
export class PathsOfRecords {
  readonly #template: PathTemplate;
  readonly #readsRecords: boolean;
  /** Slices of one collector share their resource, so each path is expanded once. */
  readonly #paths = new WeakMap<Resource, string>();

  constructor(template: PathTemplate) {
    this.#template = template;
    this.#readsRecords = readsRecords(template);
  }

  divide({ slices }: Batch): readonly RecordsOfPath[] {
    if (!this.#readsRecords)
      return slices.map((slice) => ({ path: this.#pathOf(slice.resource), slices: [slice] }));
    const byPath = new Map<string, RecordBatch[]>();
    for (const slice of slices) this.#divideSlice(slice, byPath);
    return Array.from(byPath, ([path, own]) => ({ path, slices: own }));
  }

  #divideSlice(slice: RecordBatch, byPath: Map<string, RecordBatch[]>): void {
    let run = { path: '', from: 0, offset: 0 };
    let offset = 0;
    const end = (to: number) => {
      if (to === run.from) return;
      const own = byPath.get(run.path) ?? [];
      own.push(sliceRecords(slice, run.from, to, run.offset));
      byPath.set(run.path, own);
    };
    forEachLogRecord(slice, ({ attributes }, index) => {
      const path = expandPath(this.#template, slice.resource, attributes);
      if (path !== run.path) {
        end(index);
        run = { path, from: index, offset };
      }
      offset += slice.sizes[index] ?? 0;
    });
    end(slice.sizes.length);
  }

  #pathOf(resource: Resource): string {
    let path = this.#paths.get(resource);
    if (path === undefined) {
      path = expandPath(this.#template, resource);
      this.#paths.set(resource, path);
    }
    return path;
  }
}
