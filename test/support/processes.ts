import { onTestFinished } from 'vitest';
import { layOutPair, type Pair, type PairPlan } from '../../testkit/pair.ts';
import { type ProductPlan, productIsBuilt, startProduct, untilReady } from '../../testkit/product.ts';
import { type ProcessPlan, RunningProcess } from '../../testkit/running-process.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A process that is killed when the test has finished. */
export function testProcess(plan: ProcessPlan): RunningProcess {
  return killedAtEnd(RunningProcess.start(plan));
}

/** The built binary, killed when the test has finished. */
export function testProduct(plan: ProductPlan): RunningProcess {
  requireBuild();
  return killedAtEnd(startProduct(plan));
}

/** A collector and an aggregator in a temporary directory; what is started of them is killed when the test has finished. */
export async function testPair(plan: Omit<PairPlan, 'directory'> = {}): Promise<Pair> {
  requireBuild();
  const pair = await layOutPair({ ...plan, directory: await temporaryDirectory() });
  return {
    ...pair,
    startAggregator: (overrides) => killedAtEnd(pair.startAggregator(overrides)),
    startCollector: (overrides) => killedAtEnd(pair.startCollector(overrides)),
  };
}

/** Both running and ready. */
export async function startedPair(
  plan: Omit<PairPlan, 'directory'> = {},
): Promise<Pair & { readonly aggregator: RunningProcess; readonly collector: RunningProcess }> {
  const pair = await testPair(plan);
  const aggregator = pair.startAggregator();
  await untilReady(aggregator, pair.aggregatorHttp);
  const collector = pair.startCollector();
  await untilReady(collector, pair.collectorHttp);
  return { ...pair, aggregator, collector };
}

function killedAtEnd(child: RunningProcess): RunningProcess {
  onTestFinished(async () => {
    await child.kill();
  });
  return child;
}

function requireBuild(): void {
  if (!productIsBuilt()) throw new Error('dist/ is not built: run `make build` (make test does)');
}
