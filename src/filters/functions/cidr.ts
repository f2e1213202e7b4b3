import { elementsOf, textOf } from '../filter-value.ts';
import { addressBytes, isWithin, parseNetwork } from './address.ts';
import type { FilterFunction } from './filter-function.ts';

export const cidr: FilterFunction = {
  name: 'cidr',
  usage: 'cidr(VALUE, "10.0.0.0/8", "2001:db8::/32", ...)',
  values: [2, 100],
  named: [],
  compile: (call) => {
    const value = call.value(0);
    const networks = Array.from({ length: call.count - 1 }, (_, at) => {
      const text = call.text(at + 1, 'a network');
      return (
        parseNetwork(text) ??
        call.fail(`expected a network such as 10.0.0.0/8, found ${JSON.stringify(text)}`, at + 1)
      );
    });
    return {
      kind: 'value',
      read: (run) =>
        elementsOf(value(run)).some((each) => {
          const address = addressBytes(textOf(each) ?? '');
          return address !== undefined && networks.some((network) => isWithin(address, network));
        }),
    };
  },
};
