import type { FilterFunction } from './filter-function.ts';

/** An attribute of the resource, even if the record has one with the same name. */
export const resource: FilterFunction = {
  name: 'resource',
  usage: 'resource("host.name")',
  values: [1, 1],
  named: [],
  compile: (call) => {
    const name = call.text(0, 'the name of an attribute');
    call.reads(`resource.${name}`);
    return { kind: 'value', read: ({ record }) => record.resource.get(name) };
  },
};
