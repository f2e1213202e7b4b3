import type { ContainerLineSyntax } from '../../formats/containers/container-line-syntax.ts';
import { criLine } from '../../formats/containers/cri-line.ts';
import { dockerJsonLine } from '../../formats/containers/docker-json-line.ts';
import { unitBytesOf } from '../../formats/encodings/unit-bytes.ts';
import type { LineTest } from '../../patterns/compile-pattern.ts';
import { containerCutter } from './container-cutter.ts';
import { csvlogCutter } from './csvlog-cutter.ts';
import type { Cutter } from './cutter.ts';
import { lineCutter } from './line-cutter.ts';
import { multilineByContinuation, multilineByStart } from './multiline-cutter.ts';
import { wideLineCutter } from './wide-line-cutter.ts';

/** Formats whose records are not lines. */
const CUTTERS: ReadonlyMap<string, Cutter> = new Map([['postgres-csvlog', csvlogCutter]]);

/** Formats whose lines have a header, and parts of messages. */
const CONTAINERS: ReadonlyMap<string, ContainerLineSyntax> = new Map(
  [criLine, dockerJsonLine].map((syntax) => [syntax.name, syntax]),
);

/**
 * The cutter for the `multiline` option of an entry. Without the option: the cutter of the format, by default lines.
 * `encoding`: undefined is UTF-8.
 */
export function cutterFor(
  multiline: { start: LineTest } | { continue: LineTest } | undefined,
  format = 'plain',
  encoding?: string,
): Cutter {
  const container = CONTAINERS.get(format);
  if (container !== undefined) return containerCutter(container, multiline, encoding);
  if (multiline === undefined) {
    if (encoding !== undefined && unitBytesOf(encoding) > 1) return wideLineCutter(encoding);
    return CUTTERS.get(format) ?? lineCutter;
  }
  return 'start' in multiline
    ? multilineByStart(multiline.start, encoding)
    : multilineByContinuation(multiline.continue, encoding);
}
